/**
 * The control protocol: what the command line, the debug adapter and scripts ask of a session's coordinator. JSON-RPC 2.0
 * (vscode-jsonrpc) over the Unix socket `control.sock` in the session's runtime folder. Each request is named here with the
 * schema of its parameters and of its result; both ends validate by these, and `schemas/control.schema.json` is made from them.
 */
import * as z from 'zod';
import { OperationStatus, PhaseStatus } from './operation.js';
import { ChangedFile, ClockRule, ConnectionRule, FileRule } from './rules.js';
import {
  ChooseSignalsParams,
  ChooseSignalsResult,
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
} from './signals.js';
import { PreflightFinding, RestartChange, SimulatedTime } from './snapshot.js';
import { OperationTimeline } from './timeline.js';

export const CONTROL_PROTOCOL = 2;

/** What the computation is doing. Transitions are made by the coordinator alone. */
export const SessionState = z.enum([
  'starting', // no process has connected yet
  'running',
  'checkpointing',
  'held', // all threads are stopped; from here: resume, checkpoint, stop
  'restarting', // memory is being mapped, plugins reopen their resources
  'exited', // the computation has ended; the coordinator leaves soon
]);
export type SessionState = z.infer<typeof SessionState>;

export const PluginStatus = z.object({
  name: z.string(),
  version: z.string(),
  author: z.string(),
  library: z.string(),
  layer: z.number(),
  barriers: z.array(z.string()),
  restartBarriers: z.array(z.string()),
  error: z.string(),
});
export type PluginStatus = z.infer<typeof PluginStatus>;

export const ProcessStatus = z.object({
  virtualPid: z.number(),
  realPid: z.number(),
  virtualParent: z.number(),
  host: z.string(),
  executable: z.string(),
  argv: z.array(z.string()),
  plugins: z.array(PluginStatus),
  /** Not empty: why this process cannot be checkpointed. */
  problem: z.string(),
});
export type ProcessStatus = z.infer<typeof ProcessStatus>;

/** A host of the computation. */
export const HostStatus = z.object({
  /** 0: the first; kept through restarts. */
  number: z.number(),
  name: z.string(),
  /** Equal for hosts that are on one machine now, as after a restart of several on one. */
  machine: z.number(),
  identity: z.string(),
  /** As the coordinator sees it; empty: its own machine. */
  address: z.string(),
  /** false: nobody answers for it just now. */
  connected: z.boolean(),
  /** As the application knows it: of its network interfaces, when it came into the computation. */
  addresses: z.array(z.string()),
});
export type HostStatus = z.infer<typeof HostStatus>;

export const Plugin = z.object({
  library: z.string(),
  /** JSON text. */
  settings: z.string(),
  /** As the library says; absent: nobody has seen it yet. */
  name: z.string().optional(),
});
export type Plugin = z.infer<typeof Plugin>;

export const SessionStatus = z.object({
  protocol: z.number(),
  session: z.string(),
  computation: z.string(),
  state: SessionState,
  /** Absolute path of the store. */
  store: z.string(),
  argv: z.array(z.string()),
  cwd: z.string(),
  /** Coordinator's process id. */
  coordinator: z.number(),
  startedAt: z.string(),
  /** Snapshot that this session was restarted from, null: it was launched. */
  restartedFrom: z.string().nullable(),
  /** Over what that snapshot has. */
  restartChanges: z.array(RestartChange).default([]),
  /** Folder that takes what this run writes; null: files are written in place. */
  runFolder: z.string().nullable(),
  /** Newest snapshot of this session, or the one that it came from: the parent of the next. */
  lastSnapshot: z.string().nullable(),
  /** From outside, the lowest layer first, with the settings that they have by now. */
  plugins: z.array(Plugin).default([]),
  processes: z.array(ProcessStatus),
  hosts: z.array(HostStatus),
  /** ADDRESS:PORT at which hosts can join; null: none can. */
  listen: z.string().nullable(),
  operation: OperationStatus.nullable(),
  /** It is held, and the program itself, or a plugin in it, has asked for that: what it is about (a signal's name; may be empty), and why. */
  heldBy: z.object({ what: z.string(), why: z.string() }).nullable().default(null),
  /** Names of design signals whose values are noted with each snapshot. */
  chosenSignals: z.array(z.string()).default([]),
  /** As a shell gives it (128+n for signal n); null while it runs, or where nobody could see it. */
  exitStatus: z.number().nullable(),
  /** true: the coordinator owns the computation's terminal, see terminal/open. */
  terminal: z.boolean(),
});
export type SessionStatus = z.infer<typeof SessionStatus>;

/** What is other in an operation, or all of one that has begun. */
export const OperationChange = OperationStatus.omit({ phases: true, heldAt: true }).extend({
  heldAt: z.string(),
  /** How many there are by now: what was tried and given up is forgotten. */
  phaseCount: z.number(),
  /** Those that are other, or new, by their places in the list. */
  phases: z.array(z.object({ index: z.number(), phase: PhaseStatus })),
});

/**
 * What is other in a session's status than when this client was told last; the first time it is told all. There may be thousands of
 * processes, and at most changes one phase of one operation is another. See session-change.ts.
 */
export const SessionChange = z.object({
  /** Members of SessionStatus that have these values now. */
  members: SessionStatus.omit({
    processes: true,
    operation: true,
    plugins: true,
    restartChanges: true,
    heldBy: true,
    chosenSignals: true,
  })
    .partial()
    .extend({
      plugins: z.array(Plugin).optional(),
      restartChanges: z.array(RestartChange).optional(),
      heldBy: z.object({ what: z.string(), why: z.string() }).nullable().optional(),
      chosenSignals: z.array(z.string()).optional(),
    }),
  /** Processes that are there no more, by their places in the list as it was. */
  gone: z.array(z.number()),
  /** Those that are other, or new, by their places in the list without those that have gone. */
  processes: z.array(z.object({ index: z.number(), process: ProcessStatus })),
  /** Absent: nothing is other in it. */
  operation: OperationChange.nullable().optional(),
});
export type SessionChange = z.infer<typeof SessionChange>;

export const PluginSetting = z.object({
  /** Its name, or its library. */
  plugin: z.string().min(1),
  /** Names of objects in objects are joined by dots. */
  key: z.string().min(1),
  /** JSON, or the text itself where that is none or the plugin's schema wants text. */
  value: z.string(),
});
export type PluginSetting = z.infer<typeof PluginSetting>;

export const NetworkAddress = z.object({ address: z.string(), port: z.number().int().min(0).max(65535) });
export type NetworkAddress = z.infer<typeof NetworkAddress>;
/** Changes of the environment of one program's processes, see model/environment.ts; null removes a variable. */
export const ProcessEnvironment = z.object({ process: z.string().min(1), env: z.record(z.string(), z.string().nullable()) });

export const LaunchParams = z.object({
  argv: z.array(z.string()).min(1),
  cwd: z.string(),
  /** The whole environment of the program; what Cairn needs is added by the coordinator. */
  env: z.record(z.string(), z.string()),
  plugins: z.array(Plugin),
  /** Nothing that cannot be checkpointed may begin: such programs are not executed, such resources not made. */
  strict: z.boolean().optional(),
  processEnv: z.array(ProcessEnvironment).optional(),
  /** The first that fits decides. */
  files: z.array(FileRule).optional(),
  clock: ClockRule.optional(),
  /** The first that fits decides. */
  connections: z.array(ConnectionRule).optional(),
  /** `caller`: only prepare, the caller executes the command that the result names. `coordinator`: start it in a new
   * pseudo-terminal of the coordinator. */
  owner: z.enum(['caller', 'coordinator']),
  columns: z.number().int().positive().optional(),
  rows: z.number().int().positive().optional(),
  /** Where other hosts may join; absent: none may. Port 0: any. */
  listen: NetworkAddress.optional(),
  /** Commands by which programs are started on other hosts, besides the usual ones. */
  launchers: z.array(z.string()).optional(),
});
export type LaunchParams = z.infer<typeof LaunchParams>;

export const RestartParams = z.object({
  /** Absolute path of the snapshot's folder. */
  snapshot: z.string(),
  /** Changes over the snapshot's environment; null removes a variable. */
  env: z.record(z.string(), z.string().nullable()),
  /** Virtual prefix → real prefix. */
  paths: z.array(z.object({ from: z.string(), to: z.string() })),
  /** New ones, and those of the snapshot that get other settings. */
  plugins: z.array(Plugin),
  /** Names or libraries of those of the snapshot that are taken out. */
  withoutPlugins: z.array(z.string()).optional(),
  /** All from outside, the lowest layer first. */
  pluginOrder: z.array(z.string()).optional(),
  /** Over the settings that they would have. */
  pluginSettings: z.array(PluginSetting).optional(),
  inPlace: z.boolean(),
  processEnv: z.array(ProcessEnvironment).optional(),
  /** Before the snapshot's own. */
  files: z.array(FileRule).optional(),
  changedFiles: ChangedFile.optional(),
  /** Without it, the snapshot's. */
  clock: ClockRule.optional(),
  /** Before the snapshot's own. */
  connections: z.array(ConnectionRule).optional(),
  /** Name of a run slot in the store's slots.json, or an absolute folder. */
  slot: z.string().min(1).optional(),
  owner: z.enum(['caller', 'coordinator']),
  columns: z.number().int().positive().optional(),
  rows: z.number().int().positive().optional(),
  listen: NetworkAddress.optional(),
  launchers: z.array(z.string()).optional(),
  /** Where a host's processes are restarted: name → what the launcher takes for a host; those that are not named, here. */
  hosts: z.array(z.object({ name: z.string(), to: z.string() })).optional(),
  /** Phases or barriers before which it is held, until `session/resume`. */
  holdAt: z.array(z.string()).optional(),
});
export type RestartParams = z.infer<typeof RestartParams>;

export const AttachParams = z.object({
  /** A process that was started without Cairn; its descendants come with it. */
  pid: z.number().int().positive(),
  plugins: z.array(Plugin),
});
export type AttachParams = z.infer<typeof AttachParams>;

/** What the caller has to execute (owner `caller`), with exactly this environment and folder. */
export const StartResult = z.object({
  command: z.array(z.string()),
  env: z.record(z.string(), z.string()),
  cwd: z.string(),
  runFolder: z.string().nullable(),
  /** What the preflight of a restart found, none of it an error. */
  warnings: z.array(PreflightFinding),
});
export type StartResult = z.infer<typeof StartResult>;

export const CheckpointParams = z.object({
  name: z.string(),
  then: z.enum(['resume', 'hold', 'kill']),
  /** For this snapshot only, before the computation's own. */
  files: z.array(FileRule).optional(),
  /** Phases or barriers before which it is held, until `session/resume`. */
  holdAt: z.array(z.string()).optional(),
});
export type CheckpointParams = z.infer<typeof CheckpointParams>;

export const CheckpointResult = z.object({
  snapshot: z.string(),
  /** Absolute path of its folder. */
  path: z.string(),
  bytes: z.number(),
  pauseMs: z.number(),
  totalMs: z.number(),
  simulatedTime: SimulatedTime.nullable(),
});
export type CheckpointResult = z.infer<typeof CheckpointResult>;

/** `plugin`: what plugins from outside show of their own, names of other kinds and counters. */
export const TableKind = z.enum(['pid', 'path', 'env', 'fd', 'connection', 'plugin', 'thread', 'mapping', 'wrap']);
export type TableKind = z.infer<typeof TableKind>;

export const TableRow = z.object({
  virtualPid: z.number(),
  /** Where the computation is on several hosts: which one. */
  host: z.string().optional(),
  virtual: z.string(),
  real: z.string(),
  /** Real name before the last restart; empty: none. */
  before: z.string(),
  owner: z.string(),
  detail: z.string(),
  /** ISO 8601; since when the real name is this one; empty: unknown. */
  since: z.string(),
});
export type TableRow = z.infer<typeof TableRow>;

export const TableParams = z.object({ kind: TableKind, virtualPid: z.number().optional() });
export const TableResult = z.object({ rows: z.array(TableRow) });

export const TimelinesResult = z.object({ timelines: z.array(OperationTimeline) });

/** One call of a plugin's wrapper of a function. */
export const WrapperCall = z.object({
  virtualPid: z.number(),
  program: z.string(),
  /** Virtual. */
  thread: z.number(),
  plugin: z.string(),
  function: z.string(),
  /** Microseconds since 1970. */
  atUs: z.number(),
  ms: z.number(),
});
export type WrapperCall = z.infer<typeof WrapperCall>;

/** What was seen since the notification before. */
export const WrapperCalls = z.object({
  /** In the order of their times. */
  calls: z.array(WrapperCall),
  /** That a process had no place for, since they came faster than they are read. */
  dropped: z.number(),
  /** Processes with wrappers whose calls cannot be seen, or only of some: virtual pids. */
  untraced: z.array(z.number()),
});
export type WrapperCalls = z.infer<typeof WrapperCalls>;

export const TerminalState = z.object({
  columns: z.number(),
  rows: z.number(),
  /** What was printed so far (the last part of it). */ scrollback: z.string(),
});
export type TerminalState = z.infer<typeof TerminalState>;

const Nothing = z.object({});

/** Requests by method. Errors are JSON-RPC errors whose message says what failed and what to do. */
export const requests = {
  'session/status': { params: Nothing, result: SessionStatus },
  'session/launch': { params: LaunchParams, result: StartResult },
  'session/restart': { params: RestartParams, result: StartResult },
  /** Resolves when the process and its descendants are in the computation. */
  'session/attach': { params: AttachParams, result: SessionStatus },
  /** The coordinator leaves; the computation runs on, and whoever names the session again brings a coordinator back. */
  'session/detach': { params: Nothing, result: SessionStatus },
  /** Resolves when the computation's first process has connected (launch), or runs again or is held at a breakpoint (restart). */
  'session/started': { params: z.object({ timeoutMs: z.number() }), result: SessionStatus },
  'session/checkpoint': { params: CheckpointParams, result: CheckpointResult },
  /**
   * Phases (`save`, `resume`, `restart`) and barriers (`PLUGIN.BARRIER`) before which checkpoints and restarts are held from now on,
   * instead of those of before.
   * `known`: those that the processes have now.
   */
  'session/breakpoints': { params: z.object({ names: z.array(z.string()) }), result: z.object({ known: z.array(z.string()) }) },
  /** Takes the abort edge of the operation in progress; `only` where it is a checkpoint, else those that wait for it are given up. */
  'session/cancel': { params: z.object({ only: z.literal('checkpoint').optional() }), result: Nothing },
  'session/hold': { params: Nothing, result: SessionStatus },
  /** Also of a checkpoint or restart that a breakpoint holds: it goes on. */
  'session/resume': { params: Nothing, result: SessionStatus },
  /** SIGTERM to every process, SIGKILL after `graceMs`. Resolves when the computation has ended. */
  'session/stop': { params: z.object({ graceMs: z.number().optional() }), result: SessionStatus },
  /** Of plugins, by the schemas beside their libraries, in all processes; where one does not take them, all keep those of before. */
  'session/settings': {
    params: z.object({ changes: z.array(PluginSetting).min(1) }),
    result: z.object({ plugins: z.array(Plugin) }),
  },
  /** To a computation that is held: in the layers above those that it has, in all processes or in none. Gives all that it has then. */
  'session/givePlugins': {
    params: z.object({ plugins: z.array(Plugin).min(1) }),
    result: z.object({ plugins: z.array(Plugin) }),
  },
  /**
   * Design signals of the simulation in the computation, which runs on, or is held: then a copy of it is asked, and the values are those of
   * where it stands.
   */
  'session/signals': { params: SignalsParams, result: SignalsResult },
  'session/scope': { params: ScopeParams, result: ScopeResult },
  'session/instances': { params: InstancesParams, result: InstancesResult },
  'session/readSignals': { params: ReadSignalsParams, result: ReadSignalsResult },
  /** In one time step; each is read back at its end. One that is held goes on to the end of its time step, or of the next one, and is held there. */
  'session/writeSignals': { params: SignalWritesParams, result: SignalWritesResult },
  'session/watchSignals': { params: WatchSignalsParams, result: WatchSignalsResult },
  'session/chooseSignals': { params: ChooseSignalsParams, result: ChooseSignalsResult },
  'session/table': { params: TableParams, result: TableResult },
  /** How the last operations of the session went, the oldest first. */
  'session/timelines': { params: Nothing, result: TimelinesResult },
  /** Subscribes this client to session/calls, until it asks otherwise or leaves. Calls cost time as long as there is such a client. */
  'session/trace': { params: z.object({ on: z.boolean() }), result: Nothing },
  /** Subscribes this client to terminal/data. */
  'terminal/open': { params: Nothing, result: TerminalState },
  'terminal/input': { params: z.object({ data: z.string() }), result: Nothing },
  'terminal/resize': {
    params: z.object({ columns: z.number().int().positive(), rows: z.number().int().positive() }),
    result: Nothing,
  },
} as const;
export type RequestName = keyof typeof requests;

/** Notifications from the coordinator to every client. */
export const notifications = {
  /** The session's state, processes, operation or exit status changed. */
  'session/changed': SessionChange,
  /** A snapshot is whole and on disk. */
  'session/snapshot': CheckpointResult,
  'session/log': z.object({
    time: z.string(),
    level: z.enum(['debug', 'info', 'warning', 'error']),
    virtualPid: z.number(),
    text: z.string(),
  }),
  'session/calls': WrapperCalls,
  'terminal/data': z.object({ data: z.string() }),
} as const;
export type NotificationName = keyof typeof notifications;
/** What a client's listener is given: of the status all of it, whatever of it was told. */
export type Notice<N extends NotificationName> = N extends 'session/changed'
  ? SessionStatus
  : z.output<(typeof notifications)[N]>;
