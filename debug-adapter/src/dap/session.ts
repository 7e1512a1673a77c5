/**
 * One debug session: the requests of DAP, and ours, carried over to a computation, and the computation's news carried back as
 * events. The session owns the connection to the computation, not the computation: that lives on when this process ends.
 * Tests: test/dap.
 */
import { Event } from '@vscode/debugadapter';
import type { DebugProtocol } from '@vscode/debugprotocol';
import { z } from 'zod';
import type { Notice, RequestName, SessionStatus, TableRow } from '../protocol/control.js';
import { AttachConfiguration, type CustomRequestName, customRequests, LaunchConfiguration } from '../protocol/debug.js';
import { formatBytes, formatDuration } from '../protocol/format.js';
import type { Computation, Computations, Listener, Params, Result } from './computation.js';
import { DataBreakpoints, dataIdOf } from './data-breakpoints.js';
import { describeFailure, NOT_BEGUN, notStarted, parseArguments, unsupported } from './failure.js';
import { Inspection, type Subject } from './inspection.js';
import { type DapEvent, Progress } from './progress.js';
import type { DapServer, Handler } from './server.js';

/** How long `terminate` waits between SIGTERM and SIGKILL. */
const STOP_GRACE_MS = 5_000;

const CAPABILITIES: DebugProtocol.Capabilities = {
  supportsConfigurationDoneRequest: true,
  supportsTerminateRequest: true,
  supportTerminateDebuggee: true,
  supportSuspendDebuggee: true,
  supportsFunctionBreakpoints: true,
  supportsDataBreakpoints: true,
  supportsConditionalBreakpoints: true,
  supportsSetVariable: true,
  supportsSetExpression: true,
  supportsEvaluateForHovers: true,
};

/** Requests of DAP that make no sense for a whole computation; refused by name instead of as unknown. */
const UNSUPPORTED = ['next', 'stepIn', 'stepOut', 'stepBack', 'reverseContinue', 'goto', 'source'];

const CUSTOM: Readonly<Record<CustomRequestName, RequestName>> = {
  cairnStatus: 'session/status',
  cairnCheckpoint: 'session/checkpoint',
  cairnCancel: 'session/cancel',
  cairnTable: 'session/table',
  cairnTerminalOpen: 'terminal/open',
  cairnTerminalInput: 'terminal/input',
  cairnTerminalResize: 'terminal/resize',
};

const BreakpointArguments = z.object({ breakpoints: z.array(z.unknown()).default([]) });
const FunctionBreakpoints = z.object({ breakpoints: z.array(z.object({ name: z.string() })) });
const DataBreakpointInfo = z.object({
  name: z.string(),
  variablesReference: z.number().optional(),
  frameId: z.number().optional(),
});
const DisconnectArguments = z.object({
  terminateDebuggee: z.boolean().default(false),
  suspendDebuggee: z.boolean().default(false),
});

export class CairnSession implements Listener, Subject {
  readonly #server: DapServer;
  readonly #computations: Computations;
  readonly #progress = new Progress();
  readonly #inspection: Inspection;
  readonly #dataBreakpoints: DataBreakpoints;
  #connected: Computation | undefined;
  #status: SessionStatus | undefined;
  /** The client was told that the session has started; what came before waits in #status. */
  #begun = false;
  /** What the client was told of it last, as text. */
  #summary = '';
  #breakpoints: string[] = [];
  /** By which it has come to be held as it is. */
  #heldOperation = -1;
  /** The client has set its breakpoints. */
  readonly #configured = Promise.withResolvers<void>();

  constructor(server: DapServer, computations: Computations) {
    this.#server = server;
    this.#computations = computations;
    this.#inspection = new Inspection(
      this,
      async (kind, virtualPid) => (await this.#request('session/table', { kind, virtualPid })).rows,
      (method, params) => this.#request(method, params),
    );
    this.#dataBreakpoints = new DataBreakpoints(
      (method, params) => this.#request(method, params),
      () => (this.#isThere ? this.processes : undefined),
      (breakpoint) => this.#breakpointChanged(breakpoint),
    );
  }

  handlers(): ReadonlyMap<string, Handler> {
    return new Map<string, Handler>([
      ['initialize', () => CAPABILITIES],
      ['launch', (args) => this.#launch(args)],
      ['attach', (args) => this.#attach(args)],
      ['configurationDone', () => this.#configurationDone()],
      ['setBreakpoints', noBreakpoints],
      ['setFunctionBreakpoints', (args) => this.#breakAt(args)],
      ['setExceptionBreakpoints', () => undefined],
      ['dataBreakpointInfo', (args) => this.#dataBreakpointInfo(args)],
      ['setDataBreakpoints', (args) => this.#dataBreakpoints.set(args)],
      ...this.#inspection.handlers(),
      ['pause', () => this.#ask('session/hold', {})],
      ['continue', () => this.#continue()],
      ['terminate', () => this.#ask('session/stop', { graceMs: STOP_GRACE_MS })],
      ['disconnect', (args) => this.#disconnect(args)],
      ...UNSUPPORTED.map((name): [string, Handler] => [name, () => Promise.reject(unsupported(name))]),
      ...Object.entries(CUSTOM).map(([name, method]): [string, Handler] => [
        name,
        (args) => this.#custom(name as CustomRequestName, method, args),
      ]),
    ]);
  }

  dispose(): void {
    this.#dataBreakpoints.dispose();
    this.#connected?.dispose();
    this.#connected = undefined;
  }

  get processes(): SessionStatus['processes'] {
    return this.#progress.ended ? [] : (this.#status?.processes ?? []);
  }

  get stopped(): boolean {
    return this.#progress.stopped;
  }

  /** Without rows each process still stands for its first thread: better a short list than none while agents are busy. */
  async threadRows(): Promise<readonly TableRow[]> {
    try {
      return (await this.#request('session/table', { kind: 'thread' })).rows;
    } catch (error) {
      this.#output(`Threads cannot be listed: ${describeFailure(error).text}\n`, 'console');
      return [];
    }
  }

  notified(name: string, notice: unknown): void {
    if (name === 'session/changed') this.#changed(notice as Notice<'session/changed'>);
    else if (name === 'session/snapshot') this.#snapshot(notice as Notice<'session/snapshot'>);
    else if (name === 'session/log') this.#log(notice as Notice<'session/log'>);
    else if (name === 'terminal/data') this.#event('cairnTerminalData', notice as Notice<'terminal/data'>);
  }

  lost(reason: string): void {
    if (this.#progress.ended) return;
    if (reason !== '') this.#output(`${reason}\n`, 'important');
    this.#send(this.#progress.end(this.#status?.exitStatus ?? null));
  }

  async #launch(args: unknown): Promise<undefined> {
    const configuration = parseArguments(LaunchConfiguration, 'launch', args);
    this.#event('initialized');
    const breakpoints = this.#configured.promise.then(() => this.#breakpoints);
    try {
      await this.#begin(await this.#computations.launch(configuration, this, breakpoints));
    } catch (error) {
      // What there was of processes has ended.
      if (!this.#connected) this.#status = undefined;
      throw error;
    }
  }

  #configurationDone(): undefined {
    this.#configured.resolve();
  }

  async #attach(args: unknown): Promise<undefined> {
    const configuration = parseArguments(AttachConfiguration, 'attach', args);
    this.#event('initialized');
    await this.#begin(await this.#computations.attach(configuration, this));
  }

  async #begin(computation: Computation): Promise<void> {
    this.#connected = computation;
    // It may have ended already, and its coordinator with it: the last notification then has the last word.
    const status = this.#status?.state === 'exited' ? this.#status : await computation.request('session/status', {});
    this.#begun = true;
    if (status.runFolder !== null) this.#output(`Files that this run writes go to ${status.runFolder}\n`, 'console');
    this.#changed(status);
    await this.#dataBreakpoints.follow();
    if (this.#breakpoints.length > 0) for (const one of await this.#tellBreakpoints()) this.#breakpointChanged(one);
  }

  #breakpointChanged(breakpoint: DebugProtocol.Breakpoint): void {
    this.#event('breakpoint', { reason: 'changed', breakpoint });
  }

  get #isThere(): boolean {
    return this.#connected !== undefined && !this.#progress.ended;
  }

  async #dataBreakpointInfo(args: unknown): Promise<object> {
    const { name, variablesReference, frameId } = parseArguments(DataBreakpointInfo, 'dataBreakpointInfo', args);
    // A client asks for whatever it shows.
    if (!this.#isThere) return { dataId: null, description: NOT_BEGUN };
    try {
      const { signal, virtualPid } = await this.#inspection.watched(name, variablesReference, frameId);
      if (signal.kind === 'memory') return { dataId: null, description: 'A word of a memory can be watched, not all of it.' };
      const description = virtualPid === undefined ? signal.name : `${signal.name} of process ${virtualPid}`;
      // Another computation has other processes.
      const canPersist = virtualPid === undefined;
      return { dataId: dataIdOf(signal.name, virtualPid), description, accessTypes: ['write'], canPersist };
    } catch (error) {
      return { dataId: null, description: describeFailure(error).text };
    }
  }

  /** Breakpoints on phases and barriers of checkpoints and restarts. Those that are set before the computation is there are told to it then. */
  async #breakAt(args: unknown): Promise<object> {
    this.#breakpoints = parseArguments(FunctionBreakpoints, 'setFunctionBreakpoints', args).breakpoints.map(({ name }) => name);
    return { breakpoints: await this.#tellBreakpoints() };
  }

  async #tellBreakpoints(): Promise<DebugProtocol.Breakpoint[]> {
    const names = this.#breakpoints;
    // By these a client finds those that it was told of before: they go by the place in its list, and none is 0.
    const named = (at: number, verified: boolean, message?: string): DebugProtocol.Breakpoint => ({
      id: at + 1,
      verified,
      ...(message === undefined ? {} : { message }),
    });
    if (!this.#isThere) return names.map((_, at) => named(at, false, NOT_BEGUN));
    const { known } = await this.#request('session/breakpoints', { names });
    const message = 'No phase (save, resume, restart) and no barrier (PLUGIN.BARRIER) of this simulation has this name.';
    return names.map((name, at) => (known.includes(name) ? named(at, true) : named(at, false, message)));
  }

  async #continue(): Promise<object> {
    await this.#ask('session/resume', {});
    return { allThreadsContinued: true };
  }

  async #disconnect(args: unknown): Promise<undefined> {
    const { terminateDebuggee, suspendDebuggee } = parseArguments(DisconnectArguments, 'disconnect', args);
    if (!this.#connected || this.#progress.ended) return;
    if (terminateDebuggee) await this.#ask('session/stop', { graceMs: 0 });
    else if (suspendDebuggee && !this.stopped) await this.#ask('session/hold', {});
  }

  async #ask(method: 'session/hold' | 'session/resume' | 'session/stop', params: { graceMs?: number }): Promise<undefined> {
    this.#changed(await this.#request(method, params));
  }

  #custom(name: CustomRequestName, method: RequestName, args: unknown): Promise<object> {
    const params = parseArguments(customRequests[name].params, name, args);
    return this.#request(method, params);
  }

  async #request<M extends RequestName>(method: M, params: Params<M>): Promise<Result<M>> {
    if (!this.#connected) throw notStarted();
    return this.#connected.request(method, params);
  }

  #changed(status: SessionStatus): void {
    this.#status = status;
    if (!this.#begun) return;
    const { processes: _, operation: __, ...summary } = status;
    const text = JSON.stringify(summary);
    if (text !== this.#summary) this.#event('cairnSession', summary);
    this.#summary = text;
    const wasStopped = this.stopped;
    const events = this.#progress.next(status);
    for (const one of events) {
      const hit = one.event === 'stopped' && status.heldBy !== null ? this.#dataBreakpoints.hit(status.heldBy.what) : [];
      if (one.event === 'stopped' && hit.length > 0) one.body.hitBreakpointIds = hit;
    }
    this.#send(events);
    this.#stillHeld(status, wasStopped && events.length === 0);
    void this.#dataBreakpoints.follow();
  }

  /** A signal that was written while it is held has let the simulation go on to the end of a time step: all values may be others. */
  #stillHeld({ operation, state }: SessionStatus, stillHeld: boolean): void {
    // Of several in a row a status may show only the last, and that one while it is under way.
    if (state !== 'held' || operation === null || !operation.finished) return;
    const moved = stillHeld && operation.kind === 'hold' && operation.id !== this.#heldOperation;
    this.#heldOperation = operation.id;
    if (moved) this.#event('invalidated', { areas: ['variables'] });
  }

  #snapshot(result: Notice<'session/snapshot'>): void {
    this.#event('cairnSnapshot', result);
    const { snapshot, bytes, totalMs, pauseMs } = result;
    this.#output(
      `Snapshot ${snapshot}: ${formatBytes(bytes)} in ${formatDuration(totalMs)}, held for ${formatDuration(pauseMs)}\n`,
      'console',
    );
  }

  #log(entry: Notice<'session/log'>): void {
    if (entry.level === 'debug' || entry.level === 'info') return;
    const from = entry.virtualPid === 0 ? '' : ` ${entry.virtualPid}`;
    this.#output(`${entry.level}${from}: ${entry.text}\n`, entry.level === 'error' ? 'stderr' : 'console');
  }

  #send(events: readonly DapEvent[]): void {
    for (const { event, body } of events) {
      if (event === 'continued') this.#inspection.reset();
      this.#event(event, body);
    }
  }

  #output(output: string, category: 'console' | 'stderr' | 'important'): void {
    this.#event('output', { category, output });
  }

  #event(name: string, body?: object): void {
    this.#server.sendEvent(new Event(name, body));
  }
}

function noBreakpoints(args: unknown): object {
  const { breakpoints } = parseArguments(BreakpointArguments, 'setBreakpoints', args);
  const message =
    'Cairn holds computations as a whole. It has function breakpoints, on phases and barriers of checkpoints and restarts.';
  return { breakpoints: breakpoints.map(() => ({ verified: false, message })) };
}
