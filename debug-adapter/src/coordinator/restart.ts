/**
 * Restarting a snapshot: the command for it, and the phases through which the processes go once all have connected.
 * Tests: test/protocol/restart.test.ts.
 */

import { rmSync } from 'node:fs';
import { basename, isAbsolute } from 'node:path';
import { restartSteps } from '../model/phases.js';
import { readIfThere } from '../platform/files.js';
import type { Plugin, RestartParams, TableRow } from '../protocol/control.js';
import { failure, reason } from '../protocol/errors.js';
import { SettingKind } from '../protocol/generated/agent_pb.js';
import type { Manifest, PreflightFinding, SnapshotSummary } from '../protocol/snapshot.js';
import { restorableFolder } from '../store/compression.js';
import { newSnapshotId, PartialSnapshot } from '../store/partial.js';
import { isFatal, preflightText } from '../store/preflight.js';
import { checkRestart, planRestart, type RestartPlan } from '../store/restart-plan.js';
import { newRunFolder } from '../store/runs.js';
import { slotFolder } from '../store/slots.js';
import { summarize, wholeManifest } from '../store/snapshot-folder.js';
import { type Store, snapshotTable } from '../store/store.js';
import type { AgentConnection } from './agent-connection.js';
import { checkBreakpoints } from './breakpoints.js';
import type { Context } from './context.js';
import type { Joining } from './joining.js';
import { agentLibrary, identityVariables, restoreCommand } from './launch.js';
import type { Operation } from './operation.js';
import { placeHosts } from './placement.js';
import type { Session } from './session.js';
import { changedFileSettings, environmentSettings, option, pluginSettings, ruleSettings, type SettingInit } from './settings.js';
import { identity, type Started } from './start.js';

/** How often is looked whether a restorer has failed. */
const LOOK_MS = 100;

/** A snapshot that can be restarted here, as far as can be seen before; of several restarts that ask for the same it is seen once. */
export interface Examined {
  summary: SnapshotSummary;
  manifest: Manifest;
  environment: TableRow[];
  /** Of its images as they are mapped. */
  folder: string;
  findings: PreflightFinding[];
  /** Open files that may be used although their time is another. */
  accepted: string[];
}

/** Throws where it cannot. */
export async function examine(store: Store, params: RestartParams): Promise<Examined> {
  if (!isAbsolute(params.snapshot))
    throw failure('folderNotUsable', { path: params.snapshot, why: 'it is not an absolute path' });
  if (!params.inPlace) store.checkWritable();
  const summary = summarize(params.snapshot);
  const accepted: string[] = [];
  const findings = await checkRestart(store, summary, params, (path) => void accepted.push(path));
  if (isFatal(findings))
    throw failure('preflight', { id: summary.id, findings: preflightText(findings.filter((one) => one.severity === 'error')) });
  const manifest = wholeManifest(params.snapshot);
  const folder = await restorableFolder(store, params.snapshot, manifest);
  return { summary, manifest, environment: snapshotTable(summary, 'env'), folder, findings, accepted };
}

export async function restart(
  context: Context,
  joining: Joining,
  params: RestartParams,
  env: Readonly<Record<string, string>>,
  examined?: Examined,
): Promise<Started> {
  const { session, store, paths, log } = context;
  const { summary, manifest, environment, folder, findings, accepted } = examined ?? (await examine(store, params));
  for (const one of findings) log.add(one.severity, `preflight: ${one.code}: ${one.message}`);
  const plan = planRestart(params, { ...summary, manifest, environment }, store.path);
  const { plugins } = plan;
  session.launchers = params.launchers ?? manifest.launchers;
  await listenAgain(context, joining, params, manifest);
  // Whoever asked may have given up meanwhile. From here on nothing is waited for.
  if (session.state === 'exited') throw failure('cancelled', { kind: 'restart', detail: 'Nothing had been started.' });
  const runFolder = runFolderFor(context, params, plan.folder);
  rmSync(paths.restoreError, { force: true });

  const { computation, argv, cwd } = manifest;
  Object.assign(session, { computation, argv, cwd, restartedFrom: manifest.id, lastSnapshot: manifest.id, runFolder });
  Object.assign(session, { rules: plan.rules, processEnv: plan.processEnv, plugins, restartChanges: plan.changes });
  const operation = context.begin('restart');
  operation.snapshot = manifest.id;
  operation.breakpoints = params.holdAt ?? [];
  session.become('restarting');

  const placed = placeHosts(context, joining, params, manifest, folder);
  for (const one of placed.findings) log.add(one.severity, one.message);
  const processes = manifest.processes.map((one) => one.virtualPid);
  session.root = processes[0] ?? 0;
  const { LD_PRELOAD: _, ...plain } = env;
  const own = { ...plain, ...identityVariables(identity(context)) };
  placed.start(own);
  return {
    command: restoreCommand(
      session.name,
      { host: session.rootHost, socket: paths.agentSocket, restoreError: paths.restoreError },
      placed.first,
    ),
    env: own,
    cwd: '/',
    runFolder,
    warnings: [...findings, ...placed.findings],
    settings: [...pluginSettings(plugins, env), ...ruleSettings(plan.rules)],
    restart: {
      settings: (host) => [
        ...restartSettings(context, plan, folder, manifest, host),
        ...changedFileSettings(params.changedFiles, accepted),
      ],
      name: basename(folder),
      operation,
      processes,
      without: plan.without,
      newRunFolder: plan.folder === undefined,
    },
  };
}

/** Where the user says; else where the session that the snapshot is of did, if that can be here. */
async function listenAgain({ log }: Context, joining: Joining, params: RestartParams, manifest: Manifest): Promise<void> {
  if (params.listen !== undefined) return joining.listen(params.listen);
  if (manifest.listen === null) return;
  await joining.listen({ address: manifest.listen, port: 0 }).catch((error: unknown) => log.add('warning', reason(error)));
}

function runFolderFor({ store, session, clock }: Context, { inPlace }: RestartParams, slot: string | undefined): string | null {
  if (inPlace) return null;
  return slot === undefined ? newRunFolder(store, session.name, clock.now()) : slotFolder(slot);
}

function restartSettings(context: Context, plan: RestartPlan, folder: string, manifest: Manifest, number: number): SettingInit[] {
  const { session } = context;
  const host = session.hosts.byNumber(number);
  const root = manifest.processes.find((one) => one.host === number)?.virtualPid ?? session.root;
  const settings: SettingInit[] = [
    { kind: SettingKind.SETTING_SNAPSHOT_FOLDER, key: '', value: folder },
    // The image knows the installation that it was started with, which may be elsewhere now, or gone.
    option('library', host?.library || agentLibrary(identity(context))),
    option('root', String(root)),
  ];
  // No other host ever joins: what is told by this one's shared names is told to all.
  if (session.listen === null && manifest.processes.every((one) => one.host === 0)) settings.push(option('hosts', 'one'));
  settings.push(...plan.without.map((library) => option('plugins.without', library)));
  // One process knows best itself where it is, unless that was removed.
  settings.push(option(manifest.processes.length > 1 ? 'folder' : 'folder.else', manifest.folder));
  if (session.runFolder !== null) settings.push({ kind: SettingKind.SETTING_RUN_FOLDER, key: '', value: session.runFolder });
  for (const { from, to } of plan.paths) settings.push({ kind: SettingKind.SETTING_PATH, key: from, value: to });
  const own = identityVariables(identity(context));
  if (host !== undefined && host.socket !== '') own['CAIRN_AGENT_SOCKET'] = host.socket;
  // Programs of a session that does not listen any more start others as if Cairn were not there.
  if (manifest.listen !== null) own['CAIRN_LAUNCHERS'] ??= '';
  settings.push(...environmentSettings({ ...own, ...plan.env }));
  return settings;
}

/**
 * Takes the restarted processes through their phases; where nobody watches, in one go if that can be. A computation that cannot be
 * brought back whole is ended: it must not run on with half of what it had.
 */
export async function finishRestart(
  context: Context,
  joining: Joining,
  { operation, without }: Pick<NonNullable<Started['restart']>, 'operation' | 'without'>,
  all: readonly AgentConnection[],
  unwatched: boolean,
): Promise<void> {
  const { session, log, store } = context;
  const exchange = session.hosts.several ? new PartialSnapshot(store, newSnapshotId()) : undefined;
  if (exchange !== undefined) operation.exchangeFolder = exchange.folder;
  operation.movedAddresses = session.hosts.movedAddresses(joining.ownAddress);
  try {
    for (const one of all) {
      if (one.problem !== '') throw failure('cannotCheckpoint', { pid: one.virtualPid, program: one.program, why: one.problem });
    }
    for (const one of all) checkPlugins(session.plugins, without, one);
    checkBreakpoints(operation.breakpoints, all);
    const steps = restartSteps(all);
    if (unwatched && canGoInOne(session, operation, all))
      await goInOne(steps.map((step) => operation.step(step, all, context.deadlines)));
    else for (const step of steps) await operation.step(step, all, context.deadlines);
    if (session.state === 'restarting') session.become('running');
    operation.finish();
    log.add('info', `restarted from ${session.restartedFrom ?? ''}: ${all.length} process(es)`, {
      operation: operation.status.id,
    });
  } catch (error) {
    const failed = operation.isCancelled
      ? error
      : failure(
          'restartFailed',
          { id: session.restartedFrom ?? '', why: whyOf(error, without), detail: 'What had been restarted was ended.' },
          error,
        );
    log.failure('restart', failed);
    // They say on their standard error what failed, and end.
    await operation.abort(all);
    operation.finish(failed);
    for (const one of all) session.hosts.signal(one.process, 'SIGKILL');
    throw failed;
  } finally {
    await exchange?.discard();
  }
}

/** Nobody waits for anybody: all phases are sent ahead, and after a failure the process refuses the later ones. */
function canGoInOne({ hosts }: Session, operation: Operation, all: readonly AgentConnection[]): boolean {
  const foreign = all.flatMap((one) => one.plugins).some((plugin) => plugin.library !== '' && plugin.restartBarriers.length > 0);
  return all.length === 1 && !hosts.several && !operation.mayBeHeld && !foreign;
}

/** The first that fails is the reason; all have answered by then. */
async function goInOne(steps: readonly Promise<unknown>[]): Promise<void> {
  const failed = (await Promise.allSettled(steps)).find((outcome) => outcome.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}

/** An agent that the image has may be older than this coordinator, and know nothing of this. */
function checkPlugins(plugins: readonly Plugin[], without: readonly string[], one: AgentConnection): void {
  const wanted = plugins.map(({ library }) => library);
  const there = one.plugins.map(({ library }) => library).filter((library) => library !== '');
  const known = there.filter((library) => wanted.includes(library));
  const stays = there.some((library) => without.includes(library) && !wanted.includes(library));
  const ordered = known.every(
    (library, index) => index === 0 || wanted.indexOf(library) > wanted.indexOf(known[index - 1] ?? ''),
  );
  if (stays || !ordered)
    throw failure('refused', {
      pid: one.virtualPid,
      program: one.program,
      why: 'its agent is of an older version of Cairn, which takes no plugin out and changes no order',
    });
}

/** Others' plugins may miss one that was taken out. */
function whyOf(error: unknown, without: readonly string[]): string {
  const names = without.map((library) => library.slice(library.lastIndexOf('/') + 1));
  return names.length === 0 ? reason(error) : `${reason(error)} (it was restarted without ${names.join(', ')})`;
}

/** Until all processes are there: where one of several cannot be made, or the user gives up, the others, which wait for it, are ended. */
export function watchRestorers({ session, paths, deadlines, log }: Context, begun: Promise<void>): void {
  const since = performance.now();
  const why = (): string => {
    if (session.restartProblem !== '' || (readIfThere(paths.restoreError) ?? '') !== '')
      return 'a process could not be restored; the others are ended';
    if (session.operation?.isCancelled) return 'cancelled before all processes were restored';
    if (session.exitStatus !== null) return 'the first process has ended before all were restored; the others are ended';
    return performance.now() - since > deadlines.start ? 'not all processes were restored in time' : '';
  };
  let given = '';
  let ending = false;
  // Again and again: some may connect while the others are ended.
  const look = async (): Promise<void> => {
    if (ending || session.state !== 'restarting') return;
    if (given === '') {
      given = session.operation?.status.phases.length ? '' : why(); // when all are there the phases have deadlines of their own
      if (given === '') return;
      log.add('error', given);
    }
    ending = true;
    const all = [...session.processes];
    if (all.length > 0 && session.operation?.isCancelled) await session.operation.abort(all);
    for (const one of all) session.hosts.signal(one.process, 'SIGKILL');
    ending = false;
  };
  const timer = setInterval(() => void look(), LOOK_MS);
  const stop = (): void => clearInterval(timer);
  begun.then(stop, stop);
}

/** Why a restart came to nothing, from what a process said or the restorer left behind. */
export function restartError(context: Context): Error {
  const { session, paths } = context;
  const text = session.restartProblem || (readIfThere(paths.restoreError)?.trim() ?? '');
  const status = session.exitStatus === null ? '' : ` with status ${session.exitStatus}`;
  return failure('restartFailed', {
    id: session.restartedFrom ?? '',
    why: text || `the process ended${status} before it ran again`,
    detail: `Log: ${basename(paths.folder)}/${basename(paths.log)} in the runtime folder.`,
  });
}
