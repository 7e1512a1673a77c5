/**
 * What a client can look at in a computation: threads, their one frame, scopes and variables. A frame's number is its
 * thread's, since there is one frame a thread, and only while the computation is held. Scopes and variables are answered
 * while it runs as well. Tests: test/dap/inspection.test.ts.
 */
import type { DebugProtocol } from '@vscode/debugprotocol';
import { z } from 'zod';
import type { ProcessStatus, TableRow } from '../protocol/control.js';
import { ProcessOfVariable } from '../protocol/debug.js';
import type { DesignSignal } from '../protocol/signals.js';
import type { Ask } from './design.js';
import { parseArguments, staleReference, unsupported } from './failure.js';
import type { Handler } from './server.js';
import { type DapThread, dapThreads } from './threads.js';
import { type ReadTable, Variables } from './variables.js';

const ThreadArguments = z.object({ threadId: z.number() });
const FrameArguments = z.object({ frameId: z.number() });
const VariablesArguments = z.object({
  variablesReference: z.number(),
  filter: z.enum(['named', 'indexed']).optional(),
  start: z.number().int().nonnegative().optional(),
  count: z.number().int().nonnegative().optional(),
});
const SetVariableArguments = z.object({ variablesReference: z.number(), name: z.string(), value: z.string() });
const SetExpressionArguments = z.object({ expression: z.string(), value: z.string(), frameId: z.number().optional() });
const EvaluateArguments = z.object({ expression: z.string(), context: z.string().optional(), frameId: z.number().optional() });

/** What is known of the computation at this moment. */
export interface Subject {
  readonly processes: readonly ProcessStatus[];
  readonly stopped: boolean;
  threadRows(): Promise<readonly TableRow[]>;
}

export class Inspection {
  readonly #subject: Subject;
  readonly #variables: Variables;
  /** As they were listed last, by their ids: a client asks for the frames of each, and all processes are asked for a list. */
  #listed = new Map<number, DapThread>();

  constructor(subject: Subject, readTable: ReadTable, ask: Ask) {
    this.#subject = subject;
    this.#variables = new Variables(readTable, ask);
  }

  handlers(): [string, Handler][] {
    return [
      ['threads', () => this.#threads()],
      ['stackTrace', (args) => this.#stackTrace(args)],
      ['scopes', (args) => this.#scopes(args)],
      ['variables', (args) => this.#children(args)],
      ['setVariable', (args) => this.#setVariable(args)],
      ['setExpression', (args) => this.#setExpression(args)],
      ['evaluate', (args) => this.#evaluate(args)],
      ['cairnProcess', (args) => this.#processOfVariable(args)],
    ];
  }

  /** The computation goes on: numbers given out for variables end. */
  reset(): void {
    this.#variables.reset();
    this.#listed.clear();
  }

  async #list(): Promise<DapThread[]> {
    const { processes } = this.#subject;
    const threads = processes.length === 0 ? [] : dapThreads(processes, await this.#subject.threadRows());
    this.#listed = new Map(threads.map((thread) => [thread.id, thread]));
    return threads;
  }

  async #threads(): Promise<{ threads: DebugProtocol.Thread[] }> {
    const threads = await this.#list();
    return { threads: threads.map(({ id, name }) => ({ id, name })) };
  }

  async #stackTrace(args: unknown): Promise<object> {
    const { threadId } = parseArguments(ThreadArguments, 'stackTrace', args);
    if (!this.#subject.stopped) return { stackFrames: [], totalFrames: 0 };
    const thread = await this.#thread('threadId', threadId);
    const frame: DebugProtocol.StackFrame = {
      id: thread.id,
      name: `held · ${thread.name}`,
      line: 0,
      column: 0,
      presentationHint: 'label',
    };
    return { stackFrames: [frame], totalFrames: 1 };
  }

  async #scopes(args: unknown): Promise<object> {
    const { frameId } = parseArguments(FrameArguments, 'scopes', args);
    const thread = await this.#thread('frameId', frameId);
    return { scopes: this.#variables.scopes(thread.virtualPid) };
  }

  async #thread(argument: string, id: number): Promise<DapThread> {
    const { processes } = this.#subject;
    const known = this.#listed.get(id);
    if (known && processes.some(({ virtualPid }) => virtualPid === known.virtualPid)) return known;
    const thread = (await this.#list()).find((candidate) => candidate.id === id);
    if (!thread) throw staleReference(argument, id);
    return thread;
  }

  async #children(args: unknown): Promise<object> {
    const { variablesReference, ...page } = parseArguments(VariablesArguments, 'variables', args);
    const variables = await this.#variables.children(variablesReference, page);
    if (!variables) throw staleReference('variablesReference', variablesReference);
    return { variables };
  }

  async #setVariable(args: unknown): Promise<object> {
    const { variablesReference, name, value } = parseArguments(SetVariableArguments, 'setVariable', args);
    const place = this.#variables.place(variablesReference);
    if (place === undefined)
      throw this.#variables.has(variablesReference)
        ? unsupported('setVariable')
        : staleReference('variablesReference', variablesReference);
    const { design } = this.#variables;
    return { value: await design.write('set', design.nameOf(place, name), value, { place: place.virtualPid }) };
  }

  async #setExpression(args: unknown): Promise<object> {
    const { expression, value, frameId } = parseArguments(SetExpressionArguments, 'setExpression', args);
    const { design } = this.#variables;
    return { value: await design.write('set', expression.trim(), value, { frame: await this.#processOf(frameId) }) };
  }

  async #evaluate(args: unknown): Promise<object> {
    const { expression, context, frameId } = parseArguments(EvaluateArguments, 'evaluate', args);
    const writes = context === 'repl' || context === undefined;
    return this.#variables.design.evaluate(expression, writes, { frame: await this.#processOf(frameId) });
  }

  #processOfVariable(args: unknown): z.infer<typeof ProcessOfVariable.result> {
    const { variablesReference } = parseArguments(ProcessOfVariable.params, 'cairnProcess', args);
    return { virtualPid: this.#variables.place(variablesReference)?.virtualPid ?? null };
  }

  /** Of several simulations names are of the one whose frame the user has chosen. */
  async #processOf(frameId: number | undefined): Promise<number | undefined> {
    if (frameId === undefined) return undefined;
    const known = this.#listed.get(frameId) ?? (await this.#list()).find(({ id }) => id === frameId);
    return known?.virtualPid;
  }

  /** The signal that a data breakpoint is to be on: of a place in the variables, or by its whole name. `virtualPid`: there are several simulations. */
  async watched(
    name: string,
    reference: number | undefined,
    frameId: number | undefined,
  ): Promise<{ signal: DesignSignal; virtualPid: number | undefined }> {
    const { design } = this.#variables;
    const place = reference === undefined ? undefined : this.#variables.place(reference);
    const whole = place === undefined ? name.trim() : design.nameOf(place, name);
    return design.signalNamed(whole, { place: place?.virtualPid, frame: await this.#processOf(frameId) });
  }
}
