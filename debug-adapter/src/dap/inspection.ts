/**
 * What a client can look at in a computation: threads, their one frame, scopes and variables. A frame's number is its
 * thread's, since there is one frame a thread, and only while the computation is held. Scopes and variables are answered
 * while it runs as well. Tests: test/dap/inspection.test.ts.
 */
import type { DebugProtocol } from '@vscode/debugprotocol';
import { z } from 'zod';
import type { ProcessStatus, TableRow } from '../protocol/control.js';
import { parseArguments, staleReference } from './failure.js';
import type { Handler } from './server.js';
import { type DapThread, dapThreads } from './threads.js';
import { type ReadTable, Variables } from './variables.js';

const ThreadArguments = z.object({ threadId: z.number() });
const FrameArguments = z.object({ frameId: z.number() });
const VariablesArguments = z.object({ variablesReference: z.number() });

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

  constructor(subject: Subject, readTable: ReadTable) {
    this.#subject = subject;
    this.#variables = new Variables(readTable);
  }

  handlers(): [string, Handler][] {
    return [
      ['threads', () => this.#threads()],
      ['stackTrace', (args) => this.#stackTrace(args)],
      ['scopes', (args) => this.#scopes(args)],
      ['variables', (args) => this.#children(args)],
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
    const { variablesReference } = parseArguments(VariablesArguments, 'variables', args);
    const variables = await this.#variables.children(variablesReference);
    if (!variables) throw staleReference('variablesReference', variablesReference);
    return { variables };
  }
}
