/**
 * A store: the folder that holds a project's snapshots.
 *
 *   snapshots/<id>/        whole snapshots, immutable but for labels.json
 *   tmp/<id>/              snapshots being written; tmp/<id>.owner says by which coordinator
 *   cache/<id>/            pages of compressed snapshots, unpacked for a restart
 *   runs/<session>-<time>/ what restarted runs wrote
 *   timelines/<id>/        how the checkpoint of that snapshot, and restarts from it, went
 *   designs/<id>/          the signals of its simulated design, once somebody has asked for them
 *   removed.json           parents of removed snapshots, so that their children keep their place in the tree
 *
 * The folders are the truth; nothing else is kept. Tests: test/unit/store.test.ts.
 */
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import * as z from 'zod';
import { checkSnapshotName } from '../model/names.js';
import { chooseSnapshot } from '../model/snapshot-choice.js';
import { livingParent } from '../model/snapshot-tree.js';
import { checkWritable, errorCode, flushFolder, readIfThere, replaceFile } from '../platform/files.js';
import { type TableKind, TableRow } from '../protocol/control.js';
import { failure, reason } from '../protocol/errors.js';
import type { Labels, SnapshotSummary } from '../protocol/snapshot.js';
import { LABELS, MANIFEST, readLabels, summarize, TABLES } from './snapshot-folder.js';

const Removed = z.record(z.string(), z.string().nullable());

export class Store {
  /** Absolute. */
  readonly path: string;

  constructor(path: string) {
    this.path = resolve(path);
  }

  get snapshots(): string {
    return join(this.path, 'snapshots');
  }
  get tmp(): string {
    return join(this.path, 'tmp');
  }
  get cache(): string {
    return join(this.path, 'cache');
  }
  get timelines(): string {
    return join(this.path, 'timelines');
  }
  get designs(): string {
    return join(this.path, 'designs');
  }
  get runs(): string {
    return join(this.path, 'runs');
  }

  /** Makes the store's folders where they are missing. */
  create(): void {
    try {
      const fresh = !existsSync(this.path);
      for (const folder of [this.snapshots, this.tmp]) mkdirSync(folder, { recursive: true });
      // Snapshots do not belong into a project's history.
      if (fresh) writeFileSync(join(this.path, '.gitignore'), '*\n', { flag: 'wx' });
    } catch (cause) {
      throw failure('storeUnusable', { path: this.path, why: reason(cause) }, cause);
    }
  }

  /** Throws `storeUnusable` where nothing could be written to it; makes nothing. */
  checkWritable(): void {
    for (const folder of [this.snapshots, this.tmp, this.runs]) {
      try {
        checkWritable(folder);
      } catch (cause) {
        throw failure('storeUnusable', { path: this.path, why: reason(cause) }, cause);
      }
    }
  }

  /** All snapshots, the oldest first; damaged ones too, with their problem. */
  list(): SnapshotSummary[] {
    let names: string[];
    try {
      names = readdirSync(this.snapshots, { withFileTypes: true })
        .filter((entry) => entry.isDirectory())
        .map((entry) => entry.name);
    } catch (cause) {
      if (errorCode(cause) === 'ENOENT') return [];
      throw failure('storeUnusable', { path: this.path, why: reason(cause) }, cause);
    }
    const removed = this.#removed();
    const there = new Set(names);
    return names
      .map((name) => summarize(join(this.snapshots, name)))
      .map((one) => ({ ...one, parent: livingParent(one.parent, (id) => there.has(id), removed) }))
      .sort((a, b) => (a.createdAt < b.createdAt ? -1 : a.createdAt > b.createdAt ? 1 : a.id < b.id ? -1 : 1));
  }

  folderOf(id: string): string {
    return join(this.snapshots, id);
  }

  /** The snapshot that `text` means: id, name, folder, or unique beginning of an id. */
  find(text: string): SnapshotSummary {
    const snapshots = this.list();
    if (text.includes('/') || text === '.' || existsSync(join(text, MANIFEST))) {
      const folder = resolve(text);
      if (existsSync(join(folder, MANIFEST))) return snapshots.find((one) => one.path === folder) ?? summarize(folder);
    }
    const found = chooseSnapshot(text, snapshots);
    if (found === undefined) throw failure('snapshotNotFound', { text, store: this.path });
    return found;
  }

  newest(): SnapshotSummary {
    const found = this.list().findLast((one) => one.problem === '');
    if (found === undefined) throw failure('noSnapshots', { store: this.path });
    return found;
  }

  async label(snapshot: SnapshotSummary, change: Partial<Labels>): Promise<SnapshotSummary> {
    const labels: Labels = { ...readLabels(snapshot.path), ...change };
    labels.name = checkSnapshotName(labels.name);
    await replaceFile(join(snapshot.path, LABELS), `${JSON.stringify(labels, null, 2)}\n`);
    return { ...snapshot, ...labels };
  }

  /** Takes the snapshot away; its children move to its parent. Throws `snapshotPinned`. */
  async remove(snapshot: SnapshotSummary): Promise<void> {
    if (snapshot.pinned) throw failure('snapshotPinned', { id: snapshot.id });
    try {
      if (snapshot.problem === '') {
        const removed = Object.fromEntries(this.#removed());
        removed[snapshot.id] = snapshot.parent;
        await replaceFile(join(this.path, 'removed.json'), `${JSON.stringify(removed)}\n`);
      }
      // Out of sight at once: a removal that is cut short leaves no half snapshot among the whole ones.
      mkdirSync(this.tmp, { recursive: true });
      const grave = join(this.tmp, `${basename(snapshot.path)}.removed`);
      await rm(grave, { recursive: true, force: true });
      await rename(snapshot.path, grave);
      await flushFolder(this.snapshots);
      await rm(grave, { recursive: true, force: true });
      for (const folder of [this.cache, this.timelines, this.designs])
        await rm(join(folder, snapshot.id), { recursive: true, force: true });
    } catch (cause) {
      throw failure('storeUnusable', { path: this.path, why: reason(cause) }, cause);
    }
  }

  #removed(): Map<string, string | null> {
    try {
      const parsed = Removed.safeParse(JSON.parse(readIfThere(join(this.path, 'removed.json')) ?? '{}'));
      return new Map(Object.entries(parsed.success ? parsed.data : {}));
    } catch {
      return new Map();
    }
  }
}

export const Tables = z.record(z.string(), z.array(TableRow));

/** One table of virtual names as it was when the snapshot was made. */
export function snapshotTable(snapshot: { id: string; path: string }, kind: TableKind): TableRow[] {
  try {
    return Tables.parse(JSON.parse(readIfThere(join(snapshot.path, TABLES)) ?? '{}'))[kind] ?? [];
  } catch (cause) {
    throw failure('snapshotDamaged', { id: snapshot.id, why: `its ${TABLES} is not valid` }, cause);
  }
}
