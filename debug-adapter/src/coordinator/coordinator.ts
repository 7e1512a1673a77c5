/**
 * The coordinator of one session: what can be asked of it, and what it tells. The control server puts this on a socket.
 *
 * Invariants: operations run strictly one after another (`#strand`); only `cancel` and `stop` reach past that. The session's
 * end is told once. Nothing here ends the computation unless asked.
 * Tests: test/protocol/.
 */

import { hash } from 'node:crypto';
import type { Clock } from '../platform/clock.js';
import { makeNames, type RuntimePaths } from '../platform/runtime.js';
import type {
  AttachParams,
  CheckpointParams,
  CheckpointResult,
  LaunchParams,
  Plugin,
  PluginSetting,
  RestartParams,
  SessionStatus,
  StartResult,
  TableKind,
  TableRow,
  TerminalState,
  WrapperCalls,
} from '../protocol/control.js';
import { failure } from '../protocol/errors.js';
import type { OperationKind } from '../protocol/operation.js';
import type {
  ChooseSignalsParams,
  InstancesParams,
  InstancesResult,
  ReadSignalsParams,
  ReadSignalsResult,
  ScopeParams,
  ScopeResult,
  SignalsParams,
  SignalsResult,
  SignalWritesParams,
  SignalWritesResult,
  WatchSignalsParams,
  WatchSignalsResult,
} from '../protocol/signals.js';
import type { OperationTimeline } from '../protocol/timeline.js';
import { removeStalePartials } from '../store/partial.js';
import { removeRunFolder } from '../store/runs.js';
import type { Store } from '../store/store.js';
import type { AgentConnection } from './agent-connection.js';
import { Agents } from './agents.js';
import { attachFamily, prepareAttach } from './attach.js';
import { knownBreakpoints } from './breakpoints.js';
import { callbacksOf } from './callbacks.js';
import { checkpoint } from './checkpoint.js';
import type { Context, Deadlines } from './context.js';
import { HeldWrite } from './held-write.js';
import { Joining } from './joining.js';
import { StoppedProcesses } from './keep-running.js';
import type { Log } from './log.js';
import { letGo, members, suspend } from './members.js';
import { Operation } from './operation.js';
import { changeLiveSettings, givePlugins } from './plugin-settings.js';
import { computationLives, readRecord, recordText, writeRecord } from './record.js';
import { findObstacles } from './refusals.js';
import { type Examined, finishRestart, restart, restartError, watchRestorers } from './restart.js';
import { Session } from './session.js';
import { type SettingInit, withProcessEnvironment } from './settings.js';
import { beginHeldWrite, listInstances, listScope, listSignals, readSignals, watchSignals, writeSignals } from './signals.js';
import { launch, type Started } from './start.js';
import { stopComputation } from './stop.js';
import { bounded, type Deferred, deferred, Strand } from './strand.js';
import { table } from './tables.js';
import { TerminalHost } from './terminal-host.js';
import { Timelines } from './timelines.js';
import { WrapperCallTrace } from './wrapper-calls.js';

export interface CoordinatorOptions {
  session: string;
  store: Store;
  paths: RuntimePaths;
  clock: Clock;
  log: Log;
  deadlines: Deadlines;
  compression: 'none' | 'zstd';
  /** What is in the way of a checkpoint; default: as /proc shows it (refusals.ts). */
  obstacles?: Context['obstacles'];
  /** Nobody looks for it by its name or on, and it goes with this process: it has no record, and its time lines are not kept. */
  passing?: boolean;
  /** For the restorer and for programs in terminals of ours. */
  env: Readonly<Record<string, string>>;
}

export class Coordinator {
  readonly session: Session;
  readonly #options: CoordinatorOptions;
  readonly #context: Context;
  readonly #agents: Agents;
  readonly #joining: Joining;
  readonly #strand = new Strand();
  readonly #snapshotListeners = new Set<(result: CheckpointResult) => void>();
  readonly #terminalListeners = new Set<(data: string) => void>();
  readonly #callListeners = new Set<(calls: WrapperCalls) => void>();
  readonly #trace: WrapperCallTrace;
  readonly #begun = deferred<void>();
  readonly #ended = deferred<void>();
  /** The processes of a restart, once all have come; rejects where it ends before. */
  readonly #restored = deferred<AgentConnection[]>();
  /** The phases of a restart, while they are under way; does not reject. */
  #finishing: Promise<void> | undefined;
  /** Checkpoints that have not begun. */
  readonly #waiting = new Set<Deferred<never>>();
  readonly #stopped: StoppedProcesses;
  readonly #heldWrite = new HeldWrite();
  #started: Started | undefined;
  #starting = false;
  #detached = false;
  #terminal: TerminalHost | undefined;
  #operations = 0;
  readonly #timelines = new Timelines();
  #startTimer: NodeJS.Timeout | undefined;
  /** Of the record's text, which is long where there are many processes. */
  #recordedDigest = '';

  constructor(options: CoordinatorOptions) {
    const { store, paths, clock, log, deadlines, compression } = options;
    this.#options = options;
    this.session = new Session(options.session, store.path, clock.now());
    this.session.onChange((lasting) => {
      if (lasting) this.#record();
      // Who waits for a restarted program would give it up: it is there, and can be looked at.
      if (this.session.operation?.status.heldAt) this.#begun.resolve();
    });
    this.#agents = new Agents(this.session, log, {
      settings: (one) => this.#settings(one),
      ready: (one) => this.#ready(one),
      join: (one, request) => this.#joining.join(one, request),
      invite: (one) => this.#joining.invite(one),
      checkpoint: async (_, { name }) => (await this.checkpoint({ name, then: 'resume' })).snapshot,
      hold: (_, { what, why }) => this.#heldWrite.asked(what === '' ? null : { what, why }) ?? this.#holdFor({ what, why }),
      restartCancelled: (signal) => {
        if (this.session.state === 'restarting') this.session.operation?.cancel(128 + signal);
      },
      ended: () => this.#end(),
    });
    this.#stopped = new StoppedProcesses(this.session, log);
    this.#trace = new WrapperCallTrace(this.session, (calls) => {
      for (const listener of this.#callListeners) listener(calls);
    });
    this.#context = {
      session: this.session,
      store,
      paths,
      clock,
      log,
      deadlines,
      compression,
      obstacles: options.obstacles ?? findObstacles,
      begin: (kind) => this.#begin(kind),
      announce: (result) => {
        for (const listener of this.#snapshotListeners) listener(result);
      },
    };
    this.#joining = new Joining(this.#context, this.#agents);
  }

  /** Begins to take agents; with `takeOver`, those of the coordinator that was here before. */
  async open(takeOver: boolean): Promise<void> {
    const { paths, store, log } = this.#options;
    const stale = removeStalePartials(store);
    if (stale > 0) log.add('info', `removed ${stale} unfinished snapshot(s) of coordinators that are no more`);
    const record = takeOver ? readRecord(paths.record) : undefined;
    if (record !== undefined && computationLives(record)) {
      this.session.takeOver(record);
      this.#starting = true;
    }
    if (!this.#starting) makeNames(paths.names);
    await this.#agents.listen(paths.agentSocket);
    // Agents of other hosts look for the new coordinator where the old one was.
    if (this.#starting && record?.network) await this.#joining.listen(record.network);
    if (this.#starting) this.#agents.expect();
    this.#record();
  }

  /** Of its last operations, the oldest first; one that goes on, as far as it has come. */
  get timelines(): OperationTimeline[] {
    return this.#timelines.all;
  }
  get status(): SessionStatus {
    return this.session.status;
  }
  /** The computation has ended, or none was ever started. */
  get isIdle(): boolean {
    return this.session.state === 'exited' || !this.#starting || this.#detached;
  }
  get ownsTerminal(): boolean {
    return this.#agents.childLives;
  }
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  onSnapshot(listener: (result: CheckpointResult) => void): void {
    this.#snapshotListeners.add(listener);
  }
  onTerminalData(listener: (data: string) => void): void {
    this.#terminalListeners.add(listener);
  }

  onWrapperCalls(listener: (calls: WrapperCalls) => void): void {
    this.#callListeners.add(listener);
  }

  launch(params: LaunchParams): Promise<StartResult> {
    return this.#start(params, async () => {
      this.session.launchers = params.launchers ?? [];
      if (params.listen) await this.#joining.listen(params.listen);
      this.#joining.addOwn();
      return launch(this.#context, params);
    });
  }

  /** `examined`: what is known of the snapshot by an earlier restart that asked for the same of it. */
  restart(params: RestartParams, examined?: Examined): Promise<StartResult> {
    return this.#start(params, () => restart(this.#context, this.#joining, params, this.#options.env, examined));
  }

  /**
   * From whoever has started the processes, and sees their end: that they live until `status`. By then their last words are on the way, and
   * are heard first.
   */
  supervise(status: Promise<number>): void {
    this.#agents.childLives = true;
    this.#agents.expect();
    const end = (ended: number): void => {
      if (this.session.processes.length > 0) setImmediate(end, ended);
      else this.#rootEnded(ended);
    };
    status.then(
      (ended) => setImmediate(end, ended),
      () => setImmediate(end, 1),
    );
  }

  /** Resolves when the process and its descendants are in the computation. */
  attach(params: AttachParams): Promise<SessionStatus> {
    return this.#strand.run(async () => {
      if (this.#starting) throw failure('sessionBusy', { name: this.session.name });
      this.#starting = true;
      try {
        const settings = await prepareAttach(this.#context, params);
        this.#joining.addOwn();
        this.#started = { command: [], env: {}, cwd: this.session.cwd, runFolder: null, warnings: [], settings, restart: null };
        this.session.settings = settings;
        await attachFamily(this.#context, params);
        await bounded(this.#begun.promise, this.#options.deadlines.phase, () =>
          failure('noProcess', { name: this.session.name }),
        );
        return this.status;
      } catch (error) {
        this.#end(error);
        throw error;
      }
    });
  }

  /** Leaves the computation to itself, as far as there is one that can be left. */
  detach(): Promise<SessionStatus> {
    return this.#queued(async () => {
      if (this.ownsTerminal) throw failure('cannotDetach', { name: this.session.name });
      if (this.session.state === 'held') {
        await this.#operate('resume', async (operation) => {
          await letGo(this.#context, operation, this.session.processes);
          this.session.become('running');
        });
      }
      this.#detached = true;
      this.session.changed();
      return this.status;
    });
  }

  /**
   * Resolves when the first process is there, or the restarted one runs again or is held at a breakpoint; also when a launched program
   * ended at once.
   */
  async started(timeoutMs: number): Promise<SessionStatus> {
    const { paths } = this.#options;
    const program = this.session.argv[0] ?? 'the program';
    await bounded(this.#begun.promise, timeoutMs, () =>
      failure('notStarted', { program, seconds: timeoutMs / 1000, log: paths.log }),
    );
    return this.status;
  }

  checkpoint(params: CheckpointParams): Promise<CheckpointResult> {
    const givenUp = deferred<never>();
    this.#waiting.add(givenUp);
    const made = this.#queued(async () => {
      if (!this.#waiting.delete(givenUp)) return givenUp.promise;
      const result = await this.#stopped.during(() => checkpoint(this.#context, params));
      if (params.then === 'kill')
        await bounded(this.#ended.promise, 10_000, () =>
          failure('wrongState', {
            name: this.session.name,
            state: 'killed, but has not ended',
            what: 'going on',
            remedy: 'See cairn status.',
          }),
        );
      return result;
    });
    return Promise.race([made, givenUp.promise]).finally(() => this.#waiting.delete(givenUp));
  }

  /** `only`: who has asked for a checkpoint may not end what is under way instead while it waits, which may be a restart. */
  cancel(only?: 'checkpoint'): void {
    const { operation } = this.session;
    if (only === undefined || (operation?.status.kind === only && !operation.status.finished)) operation?.cancel();
    else {
      for (const one of this.#waiting) one.reject(failure('cancelled', { kind: only, detail: 'It had not begun.' }));
      this.#waiting.clear();
    }
  }

  /** Holds checkpoints and restarts before these phases and barriers; gives those that there are. */
  breakAt(labels: readonly string[]): string[] {
    this.session.breakpoints = labels;
    return knownBreakpoints(labels, this.session.processes);
  }

  hold(): Promise<SessionStatus> {
    return this.#queued(() => this.#holdNow(null));
  }

  /** The program, or a plugin in it, has asked for it. */
  async #holdFor(heldBy: SessionStatus['heldBy']): Promise<void> {
    await this.#strand.run(() => this.#holdNow(heldBy));
  }

  async #holdNow(heldBy: SessionStatus['heldBy']): Promise<SessionStatus> {
    await this.#stopped.during(() => members(this.#context));
    if (this.session.state === 'held') return this.status;
    return this.#operate('hold', async (operation) => {
      await suspend(this.#context, operation);
      this.session.heldBy = heldBy;
      this.session.become('held');
    });
  }

  resume(): Promise<SessionStatus> {
    // It is in the strand itself.
    if (this.session.operation?.goOn()) return Promise.resolve(this.status);
    return this.#strand.run(async () => {
      const all = await members(this.#context);
      if (this.session.state !== 'held') return this.status;
      return this.#operate('resume', async (operation) => {
        await letGo(this.#context, operation, all);
        this.session.become('running');
      });
    });
  }

  async stop(graceMs: number): Promise<SessionStatus> {
    if (this.session.state !== 'exited') {
      const heldOperation = this.session.state === 'held' ? this.#begin('resume') : undefined;
      this.cancel();
      await stopComputation(
        { ...this.#context, agents: this.#agents, terminal: this.#terminal, ended: this.#ended.promise, release: heldOperation },
        graceMs,
      );
      // Nothing had begun, so nothing tells its end.
      if (!this.#agents.begun) this.#end();
    }
    return this.status;
  }

  /** Of plugins, while the program runs or is held. */
  changeSettings(changes: readonly PluginSetting[]): Promise<Plugin[]> {
    return this.#queued(() => this.#stopped.during(() => changeLiveSettings(this.#context, changes)));
  }

  /** While it is held. */
  givePlugins(plugins: readonly Plugin[]): Promise<Plugin[]> {
    return this.#queued(() => this.#stopped.during(() => givePlugins(this.#context, plugins)));
  }

  /** Design signals of the simulation; after what is under way. */
  signals(params: SignalsParams): Promise<SignalsResult> {
    return this.#queued(() => this.#stopped.during(() => listSignals(this.session, params)));
  }

  scope(params: ScopeParams): Promise<ScopeResult> {
    return this.#queued(() => this.#stopped.during(() => listScope(this.session, params)));
  }

  instances(params: InstancesParams): Promise<InstancesResult> {
    return this.#queued(() => this.#stopped.during(() => listInstances(this.session, params)));
  }

  readSignals(params: ReadSignalsParams): Promise<ReadSignalsResult> {
    return this.#queued(() => this.#stopped.during(() => readSignals(this.session, params)));
  }

  watchSignals(params: WatchSignalsParams): Promise<WatchSignalsResult> {
    return this.#queued(() => this.#stopped.during(() => watchSignals(this.session, params)));
  }

  writeSignals(params: SignalWritesParams): Promise<SignalWritesResult> {
    return this.#queued(async () => {
      if (this.session.state !== 'held') return this.#stopped.during(() => writeSignals(this.session, params));
      const all = await members(this.#context);
      const { result } = await beginHeldWrite(this.session, params);
      const outcomes: PromiseSettledResult<SignalWritesResult>[] = [];
      await this.#operate('hold', async (operation) => {
        outcomes.push(await this.#heldWrite.during(this.#context, operation, all, result));
      });
      for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
      return result;
    });
  }

  /** Whose values are noted with each snapshot; without names, as they are. */
  chooseSignals({ names }: ChooseSignalsParams): { names: string[] } {
    if (names !== undefined) {
      this.session.chosenSignals = [...new Set(names)];
      this.session.changed();
    }
    return { names: [...this.session.chosenSignals] };
  }

  async table(kind: TableKind, virtualPid?: number): Promise<TableRow[]> {
    const { processes, name } = this.session;
    const chosen = virtualPid === undefined ? [...processes] : processes.filter((one) => one.virtualPid === virtualPid);
    if (chosen.length === 0)
      throw virtualPid === undefined ? failure('noProcess', { name }) : failure('unknownProcess', { name, pid: virtualPid });
    const parts = await this.#stopped.during(() => Promise.allSettled(chosen.map((one) => table(one, kind, this.session.hosts))));
    // Of several, one that ends meanwhile has no names any more, and takes nothing from the others.
    const found = parts.flatMap((part) => (part.status === 'fulfilled' ? [part.value] : []));
    const [first] = parts;
    if (found.length === 0 && first?.status === 'rejected') throw first.reason;
    return found.flat();
  }

  /** Whether calls of plugins' wrappers are told, one by one. */
  trace(on: boolean): Promise<void> {
    return this.#trace.set(on);
  }

  get terminal(): TerminalHost {
    if (this.#terminal === undefined) throw failure('noTerminal', { name: this.session.name });
    return this.#terminal;
  }
  openTerminal(): TerminalState {
    return this.terminal.state;
  }

  /** Leaves the computation as it is. */
  close(): void {
    clearTimeout(this.#startTimer);
    this.#stopped.close();
    this.#trace.close();
    this.session.close();
    this.#record();
    this.#joining.close();
    this.#agents.close();
  }

  /** After what is under way; but one that is held at a breakpoint may be held for hours, and who waits for it would not know. */
  async #queued<T>(work: () => Promise<T>): Promise<T> {
    const { operation, name } = this.session;
    if (operation !== null && operation.status.heldAt !== '')
      throw failure('wrongState', {
        name,
        state: `held before ${operation.status.heldAt}`,
        what: 'this',
        remedy: 'Resume it first.',
      });
    return this.#strand.run(work);
  }

  async #start(params: LaunchParams | RestartParams, make: () => Promise<Started>): Promise<StartResult> {
    if (this.#starting) throw failure('sessionBusy', { name: this.session.name });
    this.#starting = true;
    try {
      const started = await make();
      this.#started = started;
      this.session.settings = started.settings;
      if (started.restart !== null) {
        watchRestorers(this.#context, this.#begun.promise);
        this.#finish(started.restart);
      }
      if (params.owner === 'coordinator') await this.#openTerminal(started, params);
      else if (this.session.launchProblem === '')
        this.#startTimer = setTimeout(() => this.#neverStarted(), this.#options.deadlines.start);
      const { command, env, cwd, runFolder, warnings } = started;
      return { command, env, cwd, runFolder, warnings };
    } catch (error) {
      // A session that could not start stays empty; its coordinator leaves.
      this.session.operation?.finish(error);
      this.#end(error);
      throw error;
    }
  }

  async #openTerminal(started: Started, { columns = 80, rows = 24 }: LaunchParams | RestartParams): Promise<void> {
    const { paths } = this.#options;
    this.#terminal = await TerminalHost.open({ ...started, columns, rows }, paths.terminalLog, (status) =>
      this.#rootEnded(status),
    );
    this.#agents.childLives = true;
    this.#agents.expect();
    this.session.terminal = true;
    this.#terminal.onData((data) => {
      for (const listener of this.#terminalListeners) listener(data);
    });
    this.session.changed();
  }

  #rootEnded(status: number): void {
    this.#agents.childLives = false;
    this.session.exitStatus ??= status;
    this.#agents.look();
  }

  #neverStarted(): void {
    if (this.#agents.begun) return;
    this.#options.log.add(
      'error',
      'nothing has connected in time: the start was not executed, or the program does not load libcairn.so',
    );
    this.#end(
      failure('notStarted', {
        program: this.session.argv[0] ?? '',
        seconds: this.#options.deadlines.start / 1000,
        log: this.#options.paths.log,
      }),
    );
  }

  #settings(one: AgentConnection): SettingInit[] {
    if (one.hello.reconnected) return [];
    const { settings, processEnv } = this.session;
    const restarted = this.#started?.restart;
    const { executable, virtualPid } = one.hello;
    const all = restarted?.name === one.hello.snapshot ? [...restarted.settings(one.host), ...settings] : settings;
    return withProcessEnvironment(all, { executable, virtualPid, argv: one.argv }, processEnv);
  }

  #ready(one: AgentConnection): void {
    const { session } = this;
    const pending = this.#started?.restart;
    if (session.state === 'restarting' && pending && !one.hello.reconnected && one.hello.snapshot === pending.name) {
      // Looked at anew for each that comes: before there are enough, nothing more than how many there are.
      if (session.processes.length < pending.processes.length) return;
      const ready = new Map(session.processes.filter((other) => other.isReady).map((other) => [other.virtualPid, other]));
      const there = pending.processes.flatMap((pid) => ready.get(pid) ?? []);
      if (there.length < pending.processes.length) return;
      this.#restored.resolve(there);
      return;
    }
    if (session.state === 'starting') session.become('running');
    this.#begun.resolve();
  }

  /**
   * A restart is one operation from its beginning on: what is asked for while its processes come would take them for all that there are, and comes
   * when they run again.
   */
  #finish(pending: NonNullable<Started['restart']>): void {
    const finish = async (): Promise<void> => {
      const there = await this.#restored.promise;
      this.#finishing = finishRestart(this.#context, this.#joining, pending, there, this.#options.passing === true)
        .then(
          () => this.#begun.resolve(),
          (error: unknown) => this.#begun.reject(error),
        )
        .finally(() => {
          this.#finishing = undefined;
        });
      await this.#finishing;
    };
    this.#strand.run(finish).catch(() => undefined);
  }

  #begin(kind: OperationKind): Operation {
    const { clock, paths, store, log } = this.#options;
    const callbacks = callbacksOf(this.session.hosts, paths);
    const operation = new Operation(++this.#operations, kind, clock, this.session, callbacks, (one) => {
      if (!this.#options.passing) this.#timelines.keep(store, one, log);
    });
    this.#timelines.add(operation);
    this.session.operation = operation;
    this.session.changed();
    this.#stopped.begin();
    return operation;
  }

  async #operate(kind: OperationKind, work: (operation: Operation) => Promise<void>): Promise<SessionStatus> {
    const operation = this.#begin(kind);
    try {
      await work(operation);
      operation.finish();
    } catch (error) {
      this.#options.log.failure(kind, error);
      await operation.abort(this.session.processes);
      if (this.session.state === 'held') this.session.become('running');
      operation.finish(error);
      throw error;
    }
    return this.status;
  }

  #end(error?: unknown): void {
    const { session } = this;
    if (session.state === 'exited') return;
    const restarting = session.state === 'restarting';
    if (restarting && error === undefined && this.#finishing !== undefined) {
      // It sees that too, and knows better why.
      if ((session.operation?.status.heldAt ?? '') !== '') session.operation?.cancel();
      void this.#finishing.then(() => this.#end());
      return;
    }
    if (restarting && error === undefined) {
      const { operation } = session;
      const failed = operation?.isCancelled ? operation.cancelledError : restartError(this.#context);
      operation?.finish(failed);
      this.#begun.reject(failed);
    } else if (error !== undefined) this.#begun.reject(error);
    else this.#begun.resolve();
    // Where it is held at a breakpoint there is nobody left whom it could go on with. A snapshot that is being committed is made all the same.
    if ((session.operation?.status.heldAt ?? '') !== '') session.operation?.cancel();
    if (restarting && this.#started?.restart?.newRunFolder && session.runFolder !== null) {
      removeRunFolder(session.runFolder);
      session.runFolder = null;
    }
    session.become('exited');
    this.#restored.reject(failure('sessionEnded', { name: session.name, status: '' }));
    session.hosts.close('the computation has ended');
    this.#joining.removeFolders();
    session.flush();
    this.#ended.resolve();
  }

  #record(): void {
    if (this.#options.passing) return;
    const text = recordText(this.session.record);
    const digest = hash('sha256', text);
    if (digest === this.#recordedDigest) return;
    this.#recordedDigest = digest;
    writeRecord(this.#options.paths.record, text);
  }
}
