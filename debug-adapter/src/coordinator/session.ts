/**
 * What one session is: its state, its processes, its newest operation. Changes of state go through here, and every change is
 * told, gathered over a few milliseconds so that the phases of a checkpoint do not wait for those who watch.
 *
 * Invariant: `state` follows model/session-state.ts.
 */
import type { ProcessChanges } from '../model/environment.js';
import { changeState } from '../model/session-state.js';
import { machineIdentity } from '../platform/host.js';
import { addressText } from '../platform/proof.js';
import {
  CONTROL_PROTOCOL,
  type NetworkAddress,
  type Plugin,
  type ProcessStatus,
  type SessionState,
  type SessionStatus,
} from '../protocol/control.js';
import { noRules, type Rules } from '../protocol/rules.js';
import type { RestartChange } from '../protocol/snapshot.js';
import type { AgentConnection } from './agent-connection.js';
import { Hosts, type PlacedProcess } from './hosts.js';
import type { Operation } from './operation.js';
import type { SessionRecord } from './record.js';
import type { SettingInit } from './settings.js';

/** At least; and ten times as long as the telling took, so that a large computation is not slowed down by those who watch. */
const GATHER_MS = 10;
const GATHER_SHARE = 10;
/** Nobody who looks on waits for longer, whatever telling costs. */
const MOST_GATHER_MS = 1000;

export class Session {
  readonly name: string;
  readonly store: string;
  computation = '';
  argv: string[] = [];
  /** Why the agent cannot get into the program; empty: nothing is known against it. */
  launchProblem = '';
  /** What a process of a restart said before it ended, since it could not take part. */
  restartProblem = '';
  cwd = '';
  restartedFrom: string | null = null;
  restartChanges: RestartChange[] = [];
  runFolder: string | null = null;
  lastSnapshot: string | null = null;
  rules: Rules = noRules;
  /** Changes of the environment that count for some processes only, also for those that come later. */
  processEnv: ProcessChanges[] = [];
  /** The last snapshot had rules for files of its own. */
  hasOwnFileRules = false;
  plugins: readonly Plugin[] = [];
  /** What every process is told that begins under this coordinator. */
  settings: SettingInit[] = [];
  /** Virtual pid of the first process; 0: none has come yet. */
  root = 0;
  /** The host that it is on. */
  rootHost = 0;
  readonly hosts: Hosts;
  /** Where agents of other hosts find the coordinator; null: it does not listen on a network. */
  listen: NetworkAddress | null = null;
  /** How programs are started on other hosts, besides the usual ways; see native-agent/src/remote/patterns.h. */
  launchers: string[] = [];
  exitStatus: number | null = null;
  terminal = false;
  operation: Operation | null = null;
  /** Phases and barriers before which checkpoints and restarts are held, by their labels. */
  breakpoints: readonly string[] = [];
  /** Who of the computation has asked to hold it. */
  heldBy: SessionStatus['heldBy'] = null;
  chosenSignals: readonly string[] = [];
  /** Processes whose agent is connected, in the order of their coming. */
  readonly processes: AgentConnection[] = [];
  /** Processes that lost their connection, and may still live: within exec, or with an agent that connects again. */
  readonly lingering: (PlacedProcess & { virtualPid: number })[] = [];

  #state: SessionState = 'starting';
  #startedAt: string;
  #timer: NodeJS.Timeout | undefined;
  #gatherMs = GATHER_MS;
  /** What the telling before took. */
  #tellingMs = 0;
  #lasting = false;
  #isClosed = false;
  readonly #listeners = new Set<(lasting: boolean) => void>();

  constructor(name: string, store: string, startedAt: string) {
    this.name = name;
    this.store = store;
    this.#startedAt = startedAt;
    this.hosts = new Hosts(this.changed);
  }

  get state(): SessionState {
    return this.#state;
  }

  become(state: SessionState): void {
    this.#state = changeState(this.#state, state);
    if (state === 'running') this.heldBy = null;
    this.changed();
  }

  /** `lasting`: more than the progress of an operation. */
  onChange(listener: (lasting: boolean) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  changed = (): void => {
    this.#lasting = true;
    this.progressed();
  };

  /** Only the newest operation has: nothing that a coordinator after this one would have to know. */
  progressed = (): void => {
    if (!this.#isClosed) this.#timer ??= setTimeout(() => this.flush(), this.#gatherMs);
  };

  /** Tells the listeners now, if there is anything to tell. */
  flush(): void {
    if (this.#timer === undefined) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const began = performance.now();
    const lasting = this.#lasting;
    this.#lasting = false;
    for (const listener of this.#listeners) listener(lasting);
    const wanted = (performance.now() - began + this.#tellingMs) * GATHER_SHARE;
    this.#gatherMs = Math.min(Math.max(GATHER_MS, wanted), MOST_GATHER_MS);
    this.#tellingMs = 0;
  }

  /** Part of the telling that a listener has done later. */
  tellingTook(ms: number): void {
    this.#tellingMs += ms;
  }

  /** Nothing is told any more. */
  close(): void {
    this.flush();
    this.#isClosed = true;
  }

  get status(): SessionStatus {
    return { ...this.#own, operation: this.operation?.told ?? null };
  }

  /** All but what is under way. */
  get #own(): Omit<SessionStatus, 'operation'> {
    return {
      protocol: CONTROL_PROTOCOL,
      session: this.name,
      computation: this.computation,
      state: this.#state,
      store: this.store,
      argv: this.argv,
      cwd: this.cwd,
      coordinator: process.pid,
      startedAt: this.#startedAt,
      restartedFrom: this.restartedFrom,
      restartChanges: this.restartChanges,
      runFolder: this.runFolder,
      lastSnapshot: this.lastSnapshot,
      plugins: this.namedPlugins,
      processes: this.processes.map((one) => processStatus(one, this.hosts.nameOf(one.host))),
      hosts: this.hosts.status,
      listen: this.listen === null ? null : addressText(this.listen),
      heldBy: this.heldBy,
      chosenSignals: [...this.chosenSignals],
      exitStatus: this.exitStatus,
      terminal: this.terminal,
    };
  }

  /** Those from outside, with the names that its processes know. */
  get namedPlugins(): Plugin[] {
    return this.plugins.map((one) => {
      const name = this.#nameOf(one) ?? one.name;
      return name === undefined ? one : { ...one, name };
    });
  }

  #nameOf({ library }: Plugin): string | undefined {
    for (const { plugins } of this.processes) {
      const one = plugins.find((plugin) => plugin.library === library && plugin.error === '');
      if (one !== undefined) return one.name;
    }
    return undefined;
  }

  get record(): SessionRecord {
    const connected = this.processes.map((one) => ({ ...one.process, virtualPid: one.virtualPid }));
    const { root, rootHost, launchers, hosts } = this;
    return {
      ...this.#own,
      operation: null,
      root,
      rootHost,
      launchers,
      nextHost: hosts.next,
      network: this.listen,
      rules: this.rules,
      processEnv: this.processEnv,
      settings: this.settings,
      live: [...connected, ...this.lingering],
    };
  }

  /** Continues what the coordinator before this one has left. */
  takeOver(record: SessionRecord): void {
    const { computation, argv, cwd, restartedFrom, restartChanges, runFolder, lastSnapshot, startedAt, root } = record;
    const { rules, processEnv, settings, plugins, rootHost, launchers, chosenSignals } = record;
    Object.assign(this, {
      computation,
      argv,
      cwd,
      restartedFrom,
      restartChanges,
      runFolder,
      lastSnapshot,
      root,
      rules,
      processEnv,
      settings,
      plugins,
      rootHost,
      launchers,
      chosenSignals,
    });
    this.#startedAt = startedAt;
    const own = machineIdentity();
    for (const one of record.hosts) this.hosts.add({ ...one, local: one.identity === own });
    this.hosts.next = Math.max(this.hosts.next, record.nextHost);
    this.lingering.push(...record.live.filter((one) => this.hosts.lives(one)));
  }
}

function processStatus(one: AgentConnection, host: string): ProcessStatus {
  const { hello } = one;
  return {
    virtualPid: hello.virtualPid,
    realPid: hello.realPid,
    virtualParent: hello.virtualPpid,
    host,
    executable: hello.executable,
    argv: one.argv,
    plugins: [...one.plugins],
    problem: one.problem,
  };
}
