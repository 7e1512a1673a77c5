/**
 * What a restart comes to, from what was asked for, the slot, and the snapshot: paths and environment together. Folders that the
 * environment names (TMPDIR, HOME) move with their variable: what the program had below the old one is found below the new one.
 * The same for `cairn restart --check`, the coordinator and the editor. Tests: test/unit/slots.test.ts.
 */
import { existsSync } from 'node:fs';
import { expandPatterns, isMeant, type ProcessChanges, splitChanges } from '../model/environment.js';
import { changePlugins, type NamedPlugin, type PluginChanges } from '../model/plugin-changes.js';
import { restartChanges } from '../model/restart-changes.js';
import { settingsSchema } from '../platform/plugin-schema.js';
import type { RestartParams, TableRow } from '../protocol/control.js';
import type { Rules } from '../protocol/rules.js';
import type { Manifest, PreflightFinding, RestartChange, SnapshotSummary } from '../protocol/snapshot.js';
import { preflight } from './preflight.js';
import { findSlot, type Slot } from './slots.js';
import { wholeManifest } from './snapshot-folder.js';
import { type Store, snapshotTable } from './store.js';

export interface RestartPlan {
  env: Record<string, string | null>;
  processEnv: ProcessChanges[];
  paths: RestartParams['paths'];
  /** Of the slot. */
  folder: string | undefined;
  rules: Rules;
  plugins: NamedPlugin[];
  /** Libraries of plugins of the snapshot that are taken out. */
  without: string[];
  /** Over what the snapshot has. */
  changes: RestartChange[];
  warnings: PreflightFinding[];
}

export type Asked = Pick<RestartParams, 'env' | 'processEnv' | 'paths' | 'files' | 'clock' | 'connections' | 'slot'> &
  PluginChanges &
  Partial<Pick<RestartParams, 'inPlace' | 'changedFiles'>>;

/** Folders that many programs share are never moved as a whole. */
const SHARED: ReadonlySet<string> = new Set(['/', '/tmp', '/var/tmp', '/dev/shm', '/home']);
const FOLDERS = ['TMPDIR', 'HOME'];

const plain = (path: string): string => (path.length > 1 ? path.replace(/\/+$/, '') : path);

export function planRestart(
  asked: Asked,
  snapshot: { id: string; path: string; manifest: Manifest; environment?: readonly TableRow[] },
  store: string,
): RestartPlan {
  const slot: Slot = asked.slot === undefined ? { paths: {}, env: {} } : findSlot(store, asked.slot, '/');
  const ofSlot = splitChanges(slot.env);
  const rows = snapshot.environment ?? snapshotTable(snapshot, 'env');
  const names = rows.map(({ virtual }) => virtual);
  const env = expandPatterns({ ...ofSlot.env, ...asked.env }, names);
  const processEnv = [...ofSlot.processEnv, ...(asked.processEnv ?? [])];
  const { manifest } = snapshot;
  const paths = [...asked.paths];
  const add = (from: string, to: string): void => {
    if (!paths.some((one) => plain(one.from) === plain(from))) paths.push({ from: plain(from), to });
  };
  for (const [from, to] of Object.entries(slot.paths)) add(from, to);
  for (const { from, to } of movedFolders(env, rows, manifest)) add(from, to);
  const warnings = processEnv
    .filter(({ process }) => !manifest.processes.some((one) => isMeant(process, one)))
    .map(
      ({ process }): PreflightFinding => ({
        severity: 'warning',
        code: 'no-such-process',
        message: `No process of the snapshot is "${process}", for which environment variables are given.`,
        remedy: `They count for programs of that name that it starts. It has: ${manifest.processes.map((one) => `${one.virtualPid} ${one.executable}`).join(', ')}.`,
      }),
    );
  const rules = {
    files: [...(asked.files ?? []), ...manifest.rules.files],
    clock: asked.clock ?? manifest.rules.clock,
    connections: [...(asked.connections ?? []), ...manifest.rules.connections],
  };
  const changed = changePlugins(manifest.plugins, asked, settingsSchema);
  const root = manifest.processes[0]?.virtualPid;
  const variables = rows.filter(({ virtualPid }) => virtualPid === root).map(({ virtual, real }) => [virtual, real] as const);
  const before = { env: new Map(variables), plugins: manifest.plugins, clock: manifest.rules.clock };
  const changes = restartChanges({ env, processEnv, paths, plugins: changed.plugins }, before, asked);
  return { env, processEnv, paths, folder: slot.folder, rules, ...changed, changes, warnings };
}

/** What `cairn restart --check` says that a restart would change. */
export function plannedChanges(store: Store, summary: SnapshotSummary, asked: Asked): RestartChange[] {
  return summary.problem === ''
    ? planRestart(asked, { ...summary, manifest: wholeManifest(summary.path) }, store.path).changes
    : [];
}

/** The findings of the check before a restart, with what is told of open files that may be used although their time is another. */
export async function checkRestart(
  store: Store,
  summary: SnapshotSummary,
  asked: Asked & Pick<RestartParams, 'inPlace' | 'changedFiles'>,
  accept?: (virtualPath: string) => void,
): Promise<PreflightFinding[]> {
  const plan =
    summary.problem === '' ? planRestart(asked, { ...summary, manifest: wholeManifest(summary.path) }, store.path) : undefined;
  const findings = await preflight(summary, {
    paths: plan?.paths ?? asked.paths,
    outputs: asked.inPlace ? null : (plan?.folder ?? store.runs),
    cache: store.cache,
    rules: plan?.rules.files ?? [],
    changedFiles: asked.changedFiles ?? 'refuse',
    ...(accept === undefined ? {} : { accept }),
  });
  return [...findings, ...(plan?.warnings ?? [])];
}

function movedFolders(
  env: Readonly<Record<string, string | null>>,
  rows: readonly TableRow[],
  { folder, processes }: Manifest,
): RestartParams['paths'] {
  const root = processes[0]?.virtualPid;
  const moved: RestartParams['paths'] = [];
  for (const name of FOLDERS) {
    const to = env[name];
    const before = rows.find((row) => row.virtualPid === root && row.virtual === name)?.real;
    if (!to?.startsWith('/') || !before?.startsWith('/') || SHARED.has(plain(before)) || plain(before) === plain(to)) continue;
    if (!existsSync(to)) continue;
    moved.push({ from: plain(before), to });
    // The working folder of a program need not move with its user's home.
    const inside = folder === plain(before) || folder.startsWith(`${plain(before)}/`);
    if (inside && !existsSync(plain(to) + folder.slice(plain(before).length))) moved.push({ from: folder, to: folder });
  }
  return moved;
}
