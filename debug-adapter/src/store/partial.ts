/**
 * A snapshot while it is written: a folder in the store's tmp/, with a note of the coordinator that writes it. It becomes a
 * snapshot by one rename, after all of it is on disk; what a coordinator left behind when it died is taken away by the next.
 * Tests: test/unit/store.test.ts.
 */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import * as z from 'zod';
import { flushFolder, writeNew } from '../platform/files.js';
import { isAlive, thisProcess } from '../platform/processes.js';
import { failure, reason } from '../protocol/errors.js';
import type { Labels, Manifest } from '../protocol/snapshot.js';
import { manifestText } from './manifest-text.js';
import { LABELS, MANIFEST, wholeProblem } from './snapshot-folder.js';
import type { Store } from './store.js';
import { VERIFIED, verifiedText } from './verification.js';

const Owner = z.object({ pid: z.number(), startTime: z.number(), host: z.string() });

export function newSnapshotId(): string {
  return randomBytes(6).toString('hex');
}

export class PartialSnapshot {
  readonly id: string;
  /** Takes the files of the processes. */
  readonly folder: string;
  readonly #store: Store;

  /** Throws `storeUnusable`. */
  constructor(store: Store, id: string) {
    this.id = id;
    this.folder = join(store.tmp, id);
    this.#store = store;
    store.create();
    try {
      // The note first: a folder without one is nobody's.
      writeFileSync(this.#note, JSON.stringify({ ...thisProcess(), host: hostname() }), { flag: 'wx' });
      mkdirSync(this.folder);
    } catch (cause) {
      throw failure('storeUnusable', { path: store.path, why: reason(cause) }, cause);
    }
  }

  get #note(): string {
    return `${this.folder}.owner`;
  }

  /** Makes it a snapshot; gives its folder. The manifest's files must be in the folder, and flushed, by now. */
  async commit(manifest: Manifest, labels: Labels): Promise<string> {
    const problem = wholeProblem(this.folder, manifest);
    if (problem !== undefined) throw failure('saveIncomplete', { why: problem, store: this.#store.path });
    // At once: a file system that flushes one of them flushes what waits with it. The rename is what makes it a snapshot.
    await Promise.all([
      writeNew(join(this.folder, LABELS), `${JSON.stringify(labels, null, 2)}\n`),
      writeNew(join(this.folder, MANIFEST), manifestText(manifest)),
      // What was just made is known to be right: a restart need not read it all again.
      writeNew(join(this.folder, VERIFIED), verifiedText(this.folder, manifest)),
    ]);
    await flushFolders(this.folder);
    const final = this.#store.folderOf(this.id);
    await rename(this.folder, final);
    await Promise.all([flushFolder(this.#store.snapshots), flushFolder(this.#store.tmp)]);
    await rm(this.#note, { force: true });
    return final;
  }

  async discard(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
    await rm(this.#note, { force: true });
  }
}

async function flushFolders(folder: string): Promise<void> {
  const inner = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  await Promise.all([...inner.map((entry) => flushFolders(join(folder, entry.name))), flushFolder(folder)]);
}

/** Takes away what coordinators that are no more have left in tmp/. Gives how many there were. */
export function removeStalePartials(store: Store): number {
  let names: string[];
  try {
    names = readdirSync(store.tmp);
  } catch {
    return 0;
  }
  const stale = new Set(
    names.map((name) => name.replace(/\.(owner|removed)$/, '')).filter((id) => !ownerLives(join(store.tmp, `${id}.owner`))),
  );
  for (const id of stale) {
    for (const name of [id, `${id}.removed`, `${id}.owner`]) rmSync(join(store.tmp, name), { recursive: true, force: true });
  }
  return stale.size;
}

function ownerLives(note: string): boolean {
  if (!existsSync(note)) return false;
  try {
    const owner = Owner.parse(JSON.parse(readFileSync(note, 'utf8')));
    // Of another machine we cannot tell.
    return owner.host !== hostname() || isAlive(owner);
  } catch {
    return false;
  }
}
