/**
 * One snapshot's folder, read: its manifest and labels, and whether it is whole. A folder without a valid manifest, or whose
 * files do not have the sizes that the manifest gives, has a `problem` and is never offered for a restart.
 * Tests: test/unit/store.test.ts.
 */
import { statSync } from 'node:fs';
import { basename, dirname, join, normalize } from 'node:path';
import { readIfThere, statIfThere } from '../platform/files.js';
import { failure, reason } from '../protocol/errors.js';
import { Labels, Manifest, SNAPSHOT_FORMAT, type SnapshotSummary } from '../protocol/snapshot.js';
import { isAsWritten } from './manifest-text.js';

export const MANIFEST = 'manifest.json';
export const LABELS = 'labels.json';
/** What cairn-restore makes, see model/process-tree.ts. */
export const PROCESSES = 'processes';
export const TABLES = 'tables.json';

export const noLabels: Labels = { name: '', note: '', pinned: false };

/** The manifest, or why there is none that can be used. */
export function readManifest(folder: string): Manifest | string {
  let text: string | undefined;
  try {
    text = readIfThere(join(folder, MANIFEST));
  } catch (error) {
    return `its ${MANIFEST} cannot be read: ${reason(error)}`;
  }
  if (text === undefined) return `it has no ${MANIFEST}`;
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return `its ${MANIFEST} is not JSON`;
  }
  const format = typeof json === 'object' && json !== null && 'format' in json ? json.format : undefined;
  if (typeof format === 'number' && format > SNAPSHOT_FORMAT) {
    return `its format is ${format}; this version of Cairn reads up to ${SNAPSHOT_FORMAT}`;
  }
  const parsed = Manifest.safeParse(json);
  if (parsed.success && !isAsWritten(json as object)) return `its ${MANIFEST} is not as it was written: its checksum differs`;
  if (parsed.success) {
    // A copy elsewhere may have any name; in a store two folders with one id could not be told apart.
    const inStore = basename(dirname(folder)) === 'snapshots';
    const { id } = parsed.data;
    return inStore && id !== basename(folder) ? `its ${MANIFEST} is that of the snapshot ${id}` : parsed.data;
  }
  const issue = parsed.error.issues[0];
  return `its ${MANIFEST} is not valid: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`;
}

/** Labels are the user's and never make a snapshot unusable: broken ones count as none. */
export function readLabels(folder: string): Labels {
  try {
    const parsed = Labels.safeParse(JSON.parse(readIfThere(join(folder, LABELS)) ?? '{}'));
    return parsed.success ? parsed.data : noLabels;
  } catch {
    return noLabels;
  }
}

/** Whether a file of a manifest stays inside the snapshot's folder. */
export function isInside(name: string): boolean {
  return (
    name !== '' &&
    !name.startsWith('/') &&
    !name.includes('\0') &&
    normalize(name) === name &&
    name !== '..' &&
    !name.startsWith('../')
  );
}

/** Why a snapshot is not whole: a process without its image, a file that is missing or has another size than the manifest says. */
export function wholeProblem(folder: string, { processes, files, compression }: Manifest): string | undefined {
  const outside = files.find((file) => !isInside(file.name));
  if (outside) return `its manifest names a file outside of it: ${outside.name}`;
  const names = new Set(files.map((file) => file.name));
  for (const { virtualPid } of processes) {
    const pages = `p${virtualPid}.pages${compression === 'zstd' ? '.zst' : ''}`;
    for (const name of [`p${virtualPid}.meta`, pages]) {
      if (!names.has(name)) return `its manifest does not name ${name}`;
    }
  }
  for (const file of files) {
    const found = statIfThere(join(folder, file.name));
    if (found === undefined) return `its file ${file.name} is missing`;
    if (!found.isFile()) return `${file.name} is not a file`;
    if (found.size !== BigInt(file.size)) return `its file ${file.name} has ${found.size} bytes instead of ${file.size}`;
  }
  return undefined;
}

export function summarize(folder: string): SnapshotSummary {
  const manifest = readManifest(folder);
  const labels = readLabels(folder);
  if (typeof manifest === 'string') {
    return {
      id: basename(folder),
      path: folder,
      parent: null,
      ...labels,
      createdAt: changedAt(folder),
      session: '',
      simulatedTime: null,
      bytes: 0,
      pauseMs: 0,
      totalMs: 0,
      argv: [],
      cwd: '',
      processes: [],
      problem: manifest,
    };
  }
  return {
    id: manifest.id,
    path: folder,
    parent: manifest.parent,
    ...labels,
    createdAt: manifest.createdAt,
    session: manifest.session,
    simulatedTime: manifest.simulatedTime,
    bytes: manifest.bytes,
    pauseMs: manifest.pauseMs,
    totalMs: manifest.totalMs,
    argv: manifest.argv,
    cwd: manifest.cwd,
    processes: manifest.processes.map(({ virtualPid, executable }) => ({ virtualPid, executable })),
    savedFiles: manifest.openFiles.filter(({ how }) => how === 'saved').map(({ path }) => path),
    ignoredFiles: manifest.openFiles.filter(({ how }) => how === 'ignored').map(({ path }) => path),
    rules: manifest.rules,
    plugins: manifest.plugins,
    restartChanges: manifest.restartChanges,
    problem: wholeProblem(folder, manifest) ?? '',
  };
}

function changedAt(folder: string): string {
  try {
    return statSync(folder).mtime.toISOString();
  } catch {
    return new Date(0).toISOString();
  }
}

/** The manifest of a snapshot that can be restarted; throws `snapshotDamaged`. */
export function wholeManifest(folder: string): Manifest {
  const manifest = readManifest(folder);
  const why = typeof manifest === 'string' ? manifest : wholeProblem(folder, manifest);
  if (why !== undefined) throw failure('snapshotDamaged', { id: basename(folder), why });
  return manifest as Manifest;
}
