/**
 * A checkpoint, from the first phase to a snapshot on disk:
 *
 *   presuspend → suspend → plugins' barriers → save → resume → running, while the image is written → write → commit
 *
 * `then` says what becomes of the computation afterwards; one that was held stays held, unless it is killed. Whatever fails before the
 * commit takes the abort edge and leaves nothing behind. Tests: test/protocol/checkpoint.test.ts.
 */
import { join } from 'node:path';
import { checkSnapshotName } from '../model/names.js';
import { holdSteps, resumeSteps, saveSteps, withoutRest } from '../model/phases.js';
import { sleep } from '../platform/clock.js';
import { hostIdentity, processor } from '../platform/host.js';
import type { CheckpointParams, CheckpointResult, TableKind, TableRow } from '../protocol/control.js';
import { type CairnError, failure, reason } from '../protocol/errors.js';
import { Phase, type SaveDone } from '../protocol/generated/agent_pb.js';
import type { PhaseName } from '../protocol/operation.js';
import type { Rules } from '../protocol/rules.js';
import { type Manifest, SNAPSHOT_FORMAT, type SnapshotFile } from '../protocol/snapshot.js';
import { checksumText } from '../store/checksum.js';
import { compressPages } from '../store/compression.js';
import { metadataName, readImageHeader } from '../store/image-metadata.js';
import { openFiles } from '../store/open-files.js';
import { newSnapshotId, PartialSnapshot } from '../store/partial.js';
import { isInside, noLabels } from '../store/snapshot-folder.js';
import type { AgentConnection } from './agent-connection.js';
import { checkBreakpoints } from './breakpoints.js';
import type { Context } from './context.js';
import { type Described, describe } from './described.js';
import { letGo, members, note, suspend } from './members.js';
import { type NotedSignals, noteSignals } from './noted-signals.js';
import { HeldOff, NotAlone, NotNow, type Operation, type RequestFields } from './operation.js';
import { refuseObstacles } from './refusals.js';
import type { Session } from './session.js';
import { fileRules } from './settings.js';
import { collectTables } from './tables.js';

/** Of what writes an image, which is a fork: the program keeps memory from its forks. */
const ENOTSUP = -95;

/** For how long a checkpoint is tried again, and the longest pause between. */
const NOT_NOW_MS = 4000;
const NOT_NOW_LOOK_MS = 150;

const savedTables: readonly TableKind[] = ['pid', 'path', 'env', 'fd', 'connection', 'thread'];
const othersTables: readonly TableKind[] = ['plugin'];

export async function checkpoint(context: Context, params: CheckpointParams): Promise<CheckpointResult> {
  const { session, log } = context;
  const name = checkSnapshotName(params.name);
  let all = await members(context);
  const wasHeld = session.state === 'held';
  // Who holds a computation lets it go; a snapshot in between changes nothing about that.
  const then = wasHeld && params.then === 'resume' ? 'hold' : params.then;
  checkBreakpoints(params.holdAt ?? [], all);
  const operation = context.begin('checkpoint');
  operation.breakpoints = params.holdAt ?? [];
  let partial: PartialSnapshot | undefined;
  let described: Promise<Described> | undefined;
  let goesOn = false;
  try {
    partial = new PartialSnapshot(context.store, newSnapshotId());
    operation.exchangeFolder = partial.folder;
    session.become('checkpointing');
    refuseObstacles(context);
    tellFileRules(session, all, params.files ?? []);
    // Before the threads stop: nobody waits for tables.
    const tables = await collectTables(all, [...savedTables, ...(hasOthers(all) ? othersTables : [])], session.hosts);
    const stopped = operation.elapsedMs;
    let pauseMs = 0;
    let noted: NotedSignals | undefined;
    const quick =
      canGoInOne(session, all) && !wasHeld && !operation.mayBeHeld && then === 'resume' && session.chosenSignals.length === 0
        ? await saveInOneGo(context, operation, all, partial)
        : undefined;
    if (quick !== undefined) {
      pauseMs = quick;
      goesOn = true;
    } else {
      all = await suspendAndSave(context, operation, all, partial, {
        wasHeld,
        goesOn: then === 'resume' && !operation.mayBeHeld,
        suspended: async () => {
          noted = await noteSignals(session, log);
        },
      });
      pauseMs = operation.elapsedMs - stopped;
    }
    if (then === 'resume') {
      if (!goesOn) pauseMs = await letGo(context, operation, all);
      goesOn = true;
      if (session.state === 'checkpointing') session.become('running');
    }
    // While the images are written. What fails is told when it is needed.
    described = describe(session, all, partial.folder, tables);
    described.catch(() => undefined);
    const written = await operation.during('write', '', all, context.deadlines.write, context.deadlines.write, (one) =>
      saved(context, operation, one),
    );
    const files = written.flatMap((one) =>
      one.files.map(({ name: file, size, checksum: sum }) => ({ name: file, size: Number(size), checksum: checksumText(sum) })),
    );
    operation.checkCancelled();
    const result = await finish(context, operation, {
      all,
      partial,
      files,
      written,
      described: await described,
      tables,
      pauseMs,
      name,
      noted,
    });
    session.lastSnapshot = result.snapshot;
    operation.snapshot = result.snapshot;
    session.changed();
    log.add(
      'info',
      `snapshot ${result.snapshot}: ${result.bytes} bytes, held ${result.pauseMs.toFixed(2)} ms, ${result.totalMs.toFixed(0)} ms in all`,
      { operation: operation.status.id },
    );
    if (then === 'kill') for (const one of all) session.hosts.signal(one.process, 'SIGKILL');
    else if (then === 'hold' && session.state === 'checkpointing') session.become('held');
    operation.finish();
    context.announce(result);
    return result;
  } catch (error) {
    log.failure('checkpoint', error);
    await operation.abort(session.processes);
    await described?.catch(() => undefined);
    await partial?.discard();
    if (!goesOn && session.state !== 'exited') session.become('running');
    operation.finish(error);
    throw error;
  }
}

/** Rules that were given for one snapshot only are taken back by the next. */
function tellFileRules(session: Session, all: readonly AgentConnection[], own: Rules['files']): void {
  if (own.length === 0 && !session.hasOwnFileRules) return;
  session.hasOwnFileRules = own.length > 0;
  for (const one of all) one.set(fileRules([...own, ...session.rules.files]));
}

/** Plugins from outside. */
const hasOthers = (all: readonly AgentConnection[]): boolean =>
  all.some(({ plugins }) => plugins.some(({ library }) => library !== ''));

/** With one process, and only barriers of our own, nobody has to be waited for between the phases. */
function canGoInOne({ lingering }: Session, all: readonly AgentConnection[]): boolean {
  const foreign = all.flatMap((one) => one.plugins).some((plugin) => plugin.library !== '' && plugin.barriers.length > 0);
  return all.length === 1 && lingering.length === 0 && !foreign;
}

/**
 * All phases are sent at once; a failure in one makes the process refuse the later ones. Gives for how long it was stopped;
 * undefined: it has children that have to be stopped, too, or is in a critical section or a state that it will soon have left; it runs on.
 */
async function saveInOneGo(
  context: Context,
  operation: Operation,
  all: readonly AgentConnection[],
  partial: PartialSnapshot,
): Promise<number | undefined> {
  const fields: Partial<Record<PhaseName, RequestFields>> = {
    suspend: { alone: true },
    barrier: { snapshot: partial.id },
    save: { folder: partial.folder, snapshot: partial.id, goesOn: true },
  };
  const steps = [...holdSteps(all), ...saveSteps(all), ...resumeSteps(all)];
  const mark = operation.status.phases.length;
  const outcomes = await Promise.allSettled(
    steps.map((step) => operation.step(step, all, context.deadlines, fields[step.phase] ?? {})),
  );
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  if ([NotAlone, HeldOff, NotNow].some((passing) => failed?.reason instanceof passing)) {
    await operation.abort(all);
    operation.forgetFrom(mark);
    return undefined;
  }
  if (failed) throw failed.reason;
  const replies = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? outcome.value : []));
  const [one] = all;
  const suspended = replies.find((reply) => reply.phase === Phase.SUSPEND);
  if (one && suspended) note(one, suspended);
  return Math.max(...replies.map((reply) => Number(reply.heldNs))) / 1e6;
}

/** Gives the processes. Where some are in a state that cannot be saved and will soon have left it, all go on for a moment, some times. */
async function suspendAndSave(
  context: Context,
  operation: Operation,
  members: readonly AgentConnection[],
  partial: PartialSnapshot,
  { wasHeld, goesOn, suspended }: { wasHeld: boolean; goesOn: boolean; suspended: () => Promise<void> },
): Promise<AgentConnection[]> {
  const mark = operation.status.phases.length;
  const began = context.clock.monotonicMs();
  for (let attempt = 1; ; attempt++) {
    try {
      const all = wasHeld ? [...members] : await suspend(context, operation);
      await suspended();
      await save(context, operation, all, partial, goesOn);
      return all;
    } catch (error) {
      // What processes of several hosts have left for each other by then would be taken for the next attempt's.
      const once = wasHeld || context.session.hosts.list.length > 1;
      if (!(error instanceof NotNow) || once || context.clock.monotonicMs() - began > NOT_NOW_MS) throw error;
      await operation.abort(context.session.processes);
      operation.forgetFrom(mark);
      if (attempt === 1) context.log.add('info', `tried again in a moment: ${error.message}`, { operation: operation.status.id });
      operation.checkCancelled();
      await sleep(Math.min(10 * attempt, NOT_NOW_LOOK_MS));
    }
  }
}

async function save(
  context: Context,
  operation: Operation,
  all: readonly AgentConnection[],
  partial: PartialSnapshot,
  goesOn: boolean,
): Promise<void> {
  const barrier = { snapshot: partial.id };
  for (let steps = saveSteps(all), step = steps.shift(); step !== undefined; step = steps.shift()) {
    const fields = step.phase === 'save' ? { ...barrier, folder: partial.folder, goesOn } : barrier;
    const replies = await operation.step(step, all, context.deadlines, fields);
    // Who wants to hold it at a barrier finds each at its place.
    if (!operation.mayBeHeld && replies.every(({ last }) => last)) steps = withoutRest(steps, step);
  }
}

async function saved(context: Context, operation: Operation, one: AgentConnection): Promise<SaveDone> {
  const done = await one.saved(operation.number);
  const fails = (why: string): CairnError =>
    failure('saveFailed', { pid: one.virtualPid, program: one.program, why, store: context.store.path });
  if (done.errorNumber === ENOTSUP)
    throw failure('memoryNotInherited', { pid: one.virtualPid, program: one.program, why: done.error });
  if (done.error !== '') throw fails(done.error);
  const own = `p${one.virtualPid}.`;
  for (const file of done.files) {
    if (!isInside(file.name) || !file.name.startsWith(own)) throw fails(`it names the file "${file.name}", which is not its own`);
  }
  if (!done.files.some((file) => file.name === metadataName(one.virtualPid)))
    throw fails(`it did not write ${metadataName(one.virtualPid)}`);
  return done;
}

interface Written {
  all: readonly AgentConnection[];
  partial: PartialSnapshot;
  files: SnapshotFile[];
  written: readonly SaveDone[];
  described: Described;
  tables: Partial<Record<TableKind, TableRow[]>>;
  pauseMs: number;
  name: string;
  noted: NotedSignals | undefined;
}

async function finish(context: Context, operation: Operation, made: Written): Promise<CheckpointResult> {
  const { session, store, clock } = context;
  const { partial, written, pauseMs } = made;
  const { trees } = made.described;
  const [first] = trees;
  const images = context.compression === 'zstd' ? await compressPages(partial.folder, made.files) : made.files;
  const files = [...images, ...made.described.files];
  const byId = new Map(made.all.map((one) => [one.virtualPid, one]));
  const timed = written.find((one) => one.simulatedTime !== '');
  const manifest: Manifest = {
    format: SNAPSHOT_FORMAT,
    id: partial.id,
    createdAt: clock.now(),
    parent: session.lastSnapshot,
    session: session.name,
    computation: session.computation,
    argv: session.argv,
    cwd: session.cwd,
    folder: workingFolder(made.tables.path ?? [], first?.tree[0]?.virtualPid ?? 0) ?? session.cwd,
    host: host(made),
    // A model of Verilator's tells it to the plugin of design signals alone.
    simulatedTime: timed ? { ticks: timed.simulatedTime, unit: timed.timeUnit } : (made.noted?.time ?? null),
    signals: made.noted?.signals ?? [],
    pauseMs,
    totalMs: operation.elapsedMs,
    bytes: files.reduce((sum, file) => sum + file.size, 0),
    phases: operation.timings,
    compression: context.compression,
    processes: trees.flatMap(({ number, tree }) =>
      tree.flatMap(({ virtualPid, parent }) => {
        const one = byId.get(virtualPid);
        const { executable, architecture } = one?.hello ?? { executable: '', architecture: '' };
        if (!one) return [];
        const { argv, threads } = one;
        return [{ virtualPid, parent, executable, argv, threads, host: number, architecture: architecture || 'x86_64' }];
      }),
    ),
    hosts: trees.length > 1 ? trees.map(({ number, name, addresses }) => ({ number, name, addresses })) : [],
    nextHost: session.hosts.next,
    launchers: session.launchers,
    listen: session.listen?.address ?? null,
    files,
    rules: session.rules,
    plugins: session.namedPlugins,
    restartChanges: session.restartChanges,
    openFiles: await openFiles(
      partial.folder,
      made.all.map((one) => one.virtualPid),
    ),
  };
  const path = await partial.commit(manifest, { ...noLabels, name: made.name }).catch((error: unknown) => {
    throw error instanceof Error && error.name === 'CairnError'
      ? error
      : failure('saveIncomplete', { why: reason(error), store: store.path }, error);
  });
  return {
    snapshot: manifest.id,
    path,
    bytes: manifest.bytes,
    pauseMs,
    totalMs: operation.elapsedMs,
    simulatedTime: manifest.simulatedTime,
  };
}

function workingFolder(paths: readonly TableRow[], root: number): string | undefined {
  return paths.find((row) => row.virtualPid === root && row.detail === 'working directory')?.virtual;
}

function host(made: Written): Manifest['host'] {
  const identity = hostIdentity();
  const [first] = made.all;
  const file = join(made.partial.folder, metadataName(first?.virtualPid ?? 0));
  try {
    const header = readImageHeader(file);
    return { ...identity, cpuModel: header.cpuModel || processor().model, libc: header.libc };
  } catch (cause) {
    throw failure('saveIncomplete', { why: `${metadataName(first?.virtualPid ?? 0)}: ${reason(cause)}` }, cause);
  }
}
