/**
 * Every error that a user of Cairn can meet, in one numbered place: number (stable, never used again), who is to blame,
 * what is said, what to do. Coordinator, command line and debug adapter all raise and show these. Pure.
 *
 * Blame decides how it is shown: `user` and `program` are shown as they are, `environment` with the remedy first in mind,
 * `cairn` also goes to the log with its cause.
 * Tests: test/unit/errors.test.ts.
 */

export type Blame = 'user' | 'program' | 'environment' | 'cairn';

interface Entry {
  number: number;
  blame: Blame;
  message: string;
  remedy: string;
}

const define = <T extends Record<string, Entry>>(table: T): T => table;

/** `{word}` is replaced by the parameter of that name. */
export const errorTable = define({
  // 1xx: what was asked for
  usage: { number: 100, blame: 'user', message: '{what}', remedy: '{remedy}' },
  badSessionName: {
    number: 101,
    blame: 'user',
    message: '"{name}" cannot be the name of a session',
    remedy: 'Use 1 to 48 letters, digits, ".", "_" or "-", and begin with a letter or digit.',
  },
  badSnapshotName: {
    number: 102,
    blame: 'user',
    message: '"{name}" cannot be the name of a snapshot: {why}',
    remedy: 'Use up to 120 printable characters in one line.',
  },
  programNotFound: {
    number: 103,
    blame: 'user',
    message: 'The program {program} cannot be run: {why}',
    remedy: 'Check the name, PATH, and that the file is executable.',
  },
  fileNotReadable: {
    number: 104,
    blame: 'user',
    message: 'The {what} {path} cannot be read: {why}',
    remedy: 'Check the path and its permissions.',
  },
  folderNotUsable: {
    number: 105,
    blame: 'environment',
    message: 'The folder {path} cannot be used: {why}',
    remedy: 'Check the path and its permissions.',
  },
  invalidParameters: {
    number: 106,
    blame: 'user',
    message: '{method}: invalid parameters: {why}',
    remedy: 'Both ends must be of the same version of Cairn; restart the session if it was started by an older one.',
  },
  unknownMethod: {
    number: 107,
    blame: 'user',
    message: 'This coordinator does not know the request {method}',
    remedy: 'Use the same version of Cairn at both ends.',
  },

  unknownPlugin: {
    number: 108,
    blame: 'user',
    message: 'There is no plugin "{name}", or more than one of that name',
    remedy: 'Name one by its name, its library or the name of that file; there are: {known}',
  },
  badPluginOrder: {
    number: 109,
    blame: 'user',
    message: 'The order of plugins "{order}" does not name each of them once',
    remedy: 'Name all that are from outside, the lowest layer first; now: {all}',
  },
  badPluginSettings: {
    number: 110,
    blame: 'user',
    message: 'The settings of plugin {name} are not what it takes: {why}',
    remedy: 'Nothing has been started or changed. What it takes is said in {path}',
  },
  pluginThere: {
    number: 910,
    blame: 'user',
    message: 'The computation has the plugin {library} already',
    remedy: 'Its settings change by cairn plugins set PLUGIN.KEY=VALUE where its schema says so, else at a restart',
  },
  pluginNotGiven: {
    number: 911,
    blame: 'user',
    message: 'The plugin {library} could not be added: {why}',
    remedy: 'No process has it now. See cairn plugin check {library}',
  },
  settingNotLive: {
    number: 111,
    blame: 'user',
    message: 'The setting "{key}" of plugin {name} cannot change while the program runs: {why}',
    remedy: 'Change it at a restart: cairn restart SNAPSHOT --set {name}.{key}=VALUE',
  },
  unknownSetting: {
    number: 112,
    blame: 'user',
    message:
      'Nothing says that plugin {name} has a setting "{key}": it has none now, and no schema of its settings is beside its library',
    remedy: 'Nothing has been started. It has: {known}. Others are given to it as a whole: --plugin {library}=SETTINGS.json',
  },

  // 2xx: sessions
  noSession: { number: 200, blame: 'user', message: 'No session is running', remedy: 'Start one: cairn run -- PROGRAM' },
  sessionNotFound: {
    number: 201,
    blame: 'user',
    message: 'There is no session "{name}"',
    remedy: 'Running sessions: {sessions}.',
  },
  sessionAmbiguous: {
    number: 202,
    blame: 'user',
    message: 'Several sessions are running: {sessions}',
    remedy: 'Name one: --session NAME, or set CAIRN_SESSION.',
  },
  sessionExists: {
    number: 203,
    blame: 'user',
    message: 'A session "{name}" is already running',
    remedy: 'Choose another name (--session NAME), or stop it: cairn stop --session {name}',
  },
  sessionEnded: {
    number: 204,
    blame: 'user',
    message: 'The session "{name}" has ended{status}',
    remedy: 'Restart one of its snapshots: cairn ls, then cairn restart SNAPSHOT',
  },
  sessionBusy: {
    number: 205,
    blame: 'user',
    message: 'The session "{name}" already runs a computation',
    remedy: 'Use a new session for it.',
  },
  wrongState: {
    number: 206,
    blame: 'user',
    message: 'The session "{name}" is {state}: {what} is not possible now',
    remedy: '{remedy}',
  },
  noTerminal: {
    number: 207,
    blame: 'user',
    message: 'The session "{name}" has no terminal of its own: its output goes where it was started',
    remedy: 'Start it with --detach to give it one.',
  },
  notStarted: {
    number: 208,
    blame: 'program',
    message: '{program} did not connect within {seconds} s',
    remedy: 'Cairn needs a dynamically linked program that keeps LD_PRELOAD; see cairn doctor and {log}',
  },
  endedBeforeStart: {
    number: 209,
    blame: 'program',
    message: '{program} ended (status {status}) before it could be used',
    remedy: '{detail}',
  },
  coordinatorLost: {
    number: 210,
    blame: 'cairn',
    message: 'The coordinator of the session "{name}" went away during {method}',
    remedy: 'The computation goes on. Ask again; a new coordinator is started by itself. Log: {log}',
  },
  coordinatorStart: {
    number: 211,
    blame: 'environment',
    message: 'The coordinator of the session "{name}" did not start: {why}',
    remedy: 'Log: {log}',
  },
  coordinatorVersion: {
    number: 212,
    blame: 'environment',
    message: 'The session "{name}" was started by another version of Cairn (protocol {theirs}, this one is {ours})',
    remedy: 'Use that version, or stop the session and start it again.',
  },
  coordinatorUnreachable: {
    number: 214,
    blame: 'environment',
    message: 'The coordinator at {where} cannot be reached: {why}',
    remedy: 'Check that the session was started with --listen at this address, and that the secret is that of the session.',
  },
  cannotListen: {
    number: 215,
    blame: 'environment',
    message: 'The coordinator cannot listen at {where}: {why}',
    remedy: 'Give --listen an address that this host has, and a port that is free (none: any).',
  },
  cannotJoin: {
    number: 216,
    blame: 'environment',
    message: 'This host cannot join the session: {why}',
    remedy: '{remedy}',
  },
  unknownProcess: {
    number: 213,
    blame: 'user',
    message: 'The session "{name}" has no process {pid}',
    remedy: 'See cairn status.',
  },
  cannotAttach: {
    number: 217,
    blame: 'program',
    message: 'Process {pid} cannot be attached:\n{why}',
    remedy: 'It runs on as before.',
  },
  cannotDetach: {
    number: 218,
    blame: 'user',
    message: 'The session "{name}" owns the terminal of its computation, which would be closed',
    remedy: 'Leave it as it is: it needs no window and no client. To end it: cairn stop --session {name}',
  },

  // 3xx: runtime folder and installation
  runtimeUnsafe: {
    number: 300,
    blame: 'environment',
    message: 'The runtime folder {path} is not safe: {why}',
    remedy: 'It must be a folder of yours with mode 0700; remove it, or set CAIRN_RUNTIME_DIR to another one.',
  },
  socketPathTooLong: {
    number: 301,
    blame: 'environment',
    message: 'The socket path {path} is {length} bytes long; the system allows 107',
    remedy: 'Set CAIRN_RUNTIME_DIR to a shorter folder, or give the session a shorter name.',
  },
  notInstalled: {
    number: 302,
    blame: 'environment',
    message: 'Cairn is not complete: {path} is missing or cannot be used',
    remedy: 'Build it (npm run build), or install the extension again.',
  },
  terminalUnavailable: {
    number: 303,
    blame: 'environment',
    message: 'No pseudo-terminal can be opened: {why}',
    remedy: 'Check /dev/pts and the number of open terminals; npm run build builds what is needed for it.',
  },
  notPreloadable: {
    number: 304,
    blame: 'environment',
    message:
      'The dynamic linker cannot load {path}: a space, ":" or "$" is in that path, and in {sessions}, where Cairn would put a link to it',
    remedy: 'Set CAIRN_RUNTIME_DIR to a folder without these characters, or install Cairn in one.',
  },

  // 4xx: checkpoint, hold, resume
  noProcess: {
    number: 400,
    blame: 'program',
    message: 'The session "{name}" has no process that can be checkpointed',
    remedy:
      'Wait until the program has started; see cairn status. One that has ended, runs as another user or is statically linked has none.',
  },
  noAgent: {
    number: 420,
    blame: 'program',
    message: 'The session "{name}" cannot be checkpointed: {why}, so that Cairn cannot get into it. The program runs on',
    remedy: 'Give Cairn a dynamically linked x86 program of your own user.',
  },
  cannotCheckpoint: {
    number: 401,
    blame: 'program',
    message: 'Process {pid} ({program}) cannot be checkpointed: {why}',
    remedy: 'See cairn status for all of its plugins.',
  },
  childWithoutAgent: {
    number: 402,
    blame: 'program',
    message:
      'The computation has processes that Cairn is not in (pid {pids}): a statically linked program, one of another user, or one that unloads what is preloaded',
    remedy: 'The computation runs on. Checkpoint it when they have ended, or start dynamically linked x86 programs instead.',
  },
  heldByDebugger: {
    number: 436,
    blame: 'program',
    message: 'A process stays where it cannot be checkpointed: {why}',
    remedy: 'The computation runs on. Try again; what a debugger of the computation holds, let go on there first.',
  },
  phaseFailed: {
    number: 403,
    blame: 'cairn',
    message: 'Process {pid} ({program}) failed in phase {phase}: {why}',
    remedy: 'The computation runs on. {detail}',
  },
  phaseDeadline: {
    number: 404,
    blame: 'program',
    message: 'Phase {phase} took longer than {seconds} s; not arrived: {waiting}',
    remedy: 'The computation runs on. Try again, or set CAIRN_PHASE_TIMEOUT (seconds) for the session.',
  },
  processLost: {
    number: 405,
    blame: 'program',
    message: 'Process {pid} ({program}) {how} during phase {phase}{where}',
    remedy: '{detail}',
  },
  cancelled: { number: 406, blame: 'user', message: 'The {kind} was cancelled', remedy: '{detail}' },
  saveFailed: {
    number: 407,
    blame: 'environment',
    message: 'Process {pid} ({program}) could not write its snapshot: {why}',
    remedy: 'The computation runs on, and nothing was kept. Check space and permissions of {store}',
  },
  saveIncomplete: {
    number: 408,
    blame: 'environment',
    message: 'The snapshot is not whole: {why}',
    remedy: 'The computation runs on, and nothing was kept. Check the disk of {store}',
  },
  refused: {
    number: 409,
    blame: 'cairn',
    message: 'Process {pid} ({program}) refused: {why}',
    remedy: 'Use the same version of Cairn for the coordinator and the program.',
  },
  memoryNotInherited: {
    number: 410,
    blame: 'program',
    message: 'Process {pid} ({program}) has memory that cannot be saved: {why}',
    remedy:
      'The computation runs on, and nothing was kept. Let the program take its advice back before a checkpoint: madvise with MADV_DOFORK or MADV_KEEPONFORK.',
  },
  notCheckpointable: {
    number: 411,
    blame: 'program',
    message: 'The session "{name}" cannot be checkpointed now:\n{reasons}',
    remedy: 'The computation runs on.',
  },
  notStrict: {
    number: 412,
    blame: 'program',
    message: 'The program cannot be checkpointed: {why}',
    remedy: 'Nothing was started. Without --strict it runs all the same.',
  },
  noOperation: {
    number: 413,
    blame: 'user',
    message: 'The session "{name}" has not been checkpointed, held or restarted yet',
    remedy: 'Make a checkpoint with cairn checkpoint, or watch what comes with cairn barriers --follow.',
  },
  noTimeline: {
    number: 414,
    blame: 'user',
    message: 'Nothing is kept with the snapshot {id} of how it was made or restarted',
    remedy: 'The last ten operations are kept from this version of Cairn on: restart it once.',
  },
  nothingUnderWay: {
    number: 415,
    blame: 'user',
    message: 'In the session "{name}" nothing is under way that could be cancelled',
    remedy: 'cairn stop ends the program.',
  },

  // 5xx: snapshots and the store
  snapshotNotFound: {
    number: 500,
    blame: 'user',
    message: 'No snapshot "{text}" in {store}',
    remedy: 'See cairn ls; choose another store with --store DIR or CAIRN_STORE.',
  },
  snapshotAmbiguous: {
    number: 501,
    blame: 'user',
    message: '"{text}" is not unique: {candidates}',
    remedy: 'Give more of the id.',
  },
  snapshotDamaged: {
    number: 502,
    blame: 'environment',
    message: 'The snapshot {id} is damaged: {why}',
    remedy: 'It cannot be restarted; use another one, or remove it: cairn rm {id}',
  },
  snapshotPinned: {
    number: 503,
    blame: 'user',
    message: 'The snapshot {id} is pinned',
    remedy: 'Unpin it first: cairn unpin {id}',
  },
  storeUnusable: {
    number: 504,
    blame: 'environment',
    message: 'The store {path} cannot be used: {why}',
    remedy: 'Choose another with --store DIR or CAIRN_STORE, or correct its permissions.',
  },
  noSnapshots: { number: 505, blame: 'user', message: 'There are no snapshots in {store}', remedy: 'Make one: cairn checkpoint' },

  // 6xx: restart
  preflight: {
    number: 600,
    blame: 'environment',
    message: 'The snapshot {id} cannot be restarted here:\n{findings}',
    remedy: 'Nothing was started.',
  },
  restartFailed: { number: 601, blame: 'environment', message: 'The restart of {id} failed: {why}', remedy: '{detail}' },

  // 7xx: debug adapter
  dapUnknownRequest: {
    number: 700,
    blame: 'user',
    message: 'The debug adapter does not know the request {request}',
    remedy: 'Use the same version of Cairn in the editor and in the adapter.',
  },
  dapUnsupported: {
    number: 701,
    blame: 'user',
    message: '{request} is not possible: Cairn holds and restarts computations as a whole, it does not step through code',
    remedy: 'Attach a source-level debugger to the real process id (scope "Virtual ids").',
  },
  dapBadArguments: { number: 702, blame: 'user', message: '{request}: {why}', remedy: 'Correct the launch configuration.' },
  dapNotStarted: {
    number: 703,
    blame: 'user',
    message: 'This debug session follows no computation',
    remedy: 'Launch a program, restart a snapshot, or attach to a live session first.',
  },
  dapStaleReference: {
    number: 704,
    blame: 'user',
    message: 'There is no {what} {id} any more',
    remedy: 'Ask for the threads again.',
  },

  // 8xx: design signals
  noSignals: {
    number: 800,
    blame: 'program',
    message: 'Design signals of process {pid} ({program}) cannot be reached: {why}',
    remedy: 'What is needed of each simulator is in README.md, "Design signals".',
  },
  simulationAway: {
    number: 801,
    blame: 'program',
    message: 'Process {pid} ({program}) has not answered for its design signals: {why}',
    remedy: 'See what it does by cairn status, and try again.',
  },
  severalSimulations: {
    number: 802,
    blame: 'user',
    message: 'Several processes are simulations: {all}',
    remedy: 'Name one by its id: --pid PID.',
  },
  signalNotWritten: {
    number: 880,
    blame: 'user',
    message: '{name} was not written: {why}',
    remedy: 'What each simulator can do is in README.md, "Design signals".',
  },
  noSuchSignal: {
    number: 881,
    blame: 'user',
    message: 'The design has no signal {name}',
    remedy: 'Write its name with all scopes, as the Variables view and `cairn signals PATTERN` show it.',
  },
  // 81x: campaigns
  campaignFile: {
    number: 810,
    blame: 'user',
    message: '{path}: {why}',
    remedy: 'schemas/campaign.schema.json says what a campaign can have; an editor that knows it completes and checks the file.',
  },
  campaignUnusable: {
    number: 811,
    blame: 'environment',
    message: 'The results {path} cannot be used: {why}',
    remedy: 'Move the folder away to begin anew.',
  },
  campaignOther: {
    number: 812,
    blame: 'user',
    message: 'The results in {path} are of another campaign: {what} differ',
    remedy: 'Give this one another name (--name), or move that folder away.',
  },
  residentLost: {
    number: 870,
    blame: 'cairn',
    message: 'The resident copy of the snapshot cannot be used: {why}',
    remedy: 'A campaign goes on with restarts from disk; "start: disk" in its file asks for these.',
  },
  slurmFailed: {
    number: 930,
    blame: 'environment',
    message: 'The campaign cannot go on by Slurm: {why}',
    remedy:
      'Nodes must see the store, the simulation and Cairn by the same paths. See sinfo and squeue, and "runner" in the file; what has been counted stays, and running it again goes on.',
  },
  campaignRuns: {
    number: 813,
    blame: 'user',
    message: 'The campaign {name} is being run already',
    remedy: 'cairn campaign status shows how far it is.',
  },
  goldenFailed: {
    number: 814,
    blame: 'program',
    message: 'The run without a fault failed: {why}',
    remedy: 'Restart the snapshot by itself, by cairn restart, and see what it says.',
  },
  snapshotNotMade: {
    number: 850,
    blame: 'user',
    message: 'The snapshot {name} of the campaign could not be made: {why}',
    remedy: 'See "prepare" in the campaign\'s file; or make the snapshot yourself: cairn run, cairn checkpoint --name {name}',
  },
  goldenVaries: {
    number: 815,
    blame: 'program',
    message: 'Two runs without a fault differ: {deviation}',
    remedy: 'Let observe.ignore leave out lines that are never the same, or observe fewer files.',
  },
  designUnknown: {
    number: 940,
    blame: 'environment',
    message: "The signals of snapshot {id}'s design cannot be read: {why}",
    remedy:
      'See cairn signals in a session that was restarted from it, which says what it takes; docs/signals.md has it for each simulator.',
  },
  noWaveform: {
    number: 941,
    blame: 'user',
    message: 'Run {number} of campaign {name} writes no waveform',
    remedy: 'Let the simulation write a VCD file (NAME.vcd) before the snapshot is made; of the sample: without +novcd.',
  },
  noCampaign: {
    number: 816,
    blame: 'user',
    message: 'There are no results of a campaign {name} in {store}',
    remedy: 'Begin it: cairn campaign run FILE',
  },
  noSuchRun: {
    number: 817,
    blame: 'user',
    message: 'The campaign {name} has no run {number}',
    remedy: 'Runs are numbered from 0 to {last}; cairn campaign show lists those that have been made.',
  },

  internal: { number: 900, blame: 'cairn', message: '{what}', remedy: 'This is an error in Cairn. Log: {log}' },
});

export type ErrorCode = keyof typeof errorTable;

/** What crosses a wire about an error, beside its message (`data` of a JSON-RPC error). */
export interface ErrorData {
  code: ErrorCode;
  number: number;
  blame: Blame;
  remedy: string;
  /** Where several things of several processes are in the way: each of them. */
  reasons?: readonly Reason[] | undefined;
}

/** Why a process cannot be checkpointed or attached, and what to do. */
export interface Reason {
  pid: number;
  program: string;
  what: string;
  remedy: string;
}

/** The exit status of what Ctrl-C has ended, as shells give it. */
export const INTERRUPTED = 130;

export class CairnError extends Error {
  readonly code: ErrorCode;
  readonly number: number;
  readonly blame: Blame;
  readonly remedy: string;
  readonly reasons: readonly Reason[];

  constructor(data: ErrorData, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'CairnError';
    this.code = data.code;
    this.number = data.number;
    this.blame = data.blame;
    this.remedy = data.remedy;
    this.reasons = data.reasons ?? [];
  }

  get data(): ErrorData {
    const { code, number, blame, remedy, reasons } = this;
    return { code, number, blame, remedy, ...(reasons.length > 0 ? { reasons } : {}) };
  }
}

function fill(template: string, parameters: Readonly<Record<string, string | number>>): string {
  return template.replace(/\{(\w+)\}/g, (_, name: string) => String(parameters[name] ?? '')).trim();
}

/** Makes the error `code`; `cause` is kept for the log. */
export function failure(
  code: ErrorCode,
  parameters: Readonly<Record<string, string | number>> = {},
  cause?: unknown,
): CairnError {
  const entry: Entry = errorTable[code];
  const data = { code, number: entry.number, blame: entry.blame, remedy: fill(entry.remedy, parameters) };
  return new CairnError(data, fill(entry.message, parameters), cause);
}

/** The error `code` whose parameter `reasons` lists all that is in the way, a line each. */
export function refusal(
  code: ErrorCode,
  reasons: readonly Reason[],
  parameters: Readonly<Record<string, string | number>> = {},
): CairnError {
  const lines = reasons.map(({ pid, program, what, remedy }) => `process ${pid} (${program}): ${what}; ${remedy}`);
  const plain = failure(code, { ...parameters, reasons: lines.join('\n') });
  return new CairnError({ ...plain.data, reasons }, plain.message);
}

/** The words of any thrown thing, with the system call where there was one. */
export function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Any thrown thing as an error of the table. */
export function asCairnError(error: unknown, log = ''): CairnError {
  return error instanceof CairnError ? error : failure('internal', { what: reason(error), log }, error);
}

/** Two lines: what failed, what to do. */
export function describe(error: CairnError): string {
  return error.remedy === '' ? error.message : `${error.message}\n${error.remedy}`;
}
