/**
 * A node's own folder for the tasks of a campaign that run there: its copy of the snapshot, made by the first of them, and a place for what each task's
 * runs write. What tasks have left that were killed is cleared by the next one; the whole goes with the campaign. Tests: test/faults/slurm.test.ts.
 */
import { createHash, randomBytes } from 'node:crypto';
import { constants, existsSync, mkdirSync, readdirSync, rmdirSync, rmSync } from 'node:fs';
import { cp, rename } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ensurePrivateFolder, flushFolder } from '../platform/files.js';
import { type Lock, takeLock } from '../platform/lock.js';
import { userId } from '../platform/runtime.js';
import { failure, reason } from '../protocol/errors.js';
import { clearRuns } from './campaign.js';

const LOCK = '.lock';
const LOOK_MS = 100;

export interface Place {
  folder: string;
  /** Nothing of it stays. */
  leave(): void;
}

export class NodeStage {
  readonly #base: string;
  readonly #folder: string;
  readonly #tasks: string;
  readonly #snapshots: string;

  constructor(stage: string, node: string, campaignFolder: string) {
    this.#base = join(stage, `cairn-runs-${userId()}`);
    const campaign = createHash('sha256').update(campaignFolder).digest('hex').slice(0, 12);
    // Nodes may be on one machine.
    this.#folder = join(this.#base, node, campaign);
    this.#tasks = join(this.#folder, 'tasks');
    this.#snapshots = join(this.#folder, 'snapshots');
  }

  async enter(task: string): Promise<Place> {
    let why: string | undefined;
    try {
      mkdirSync(dirname(this.#base), { recursive: true });
      why = ensurePrivateFolder(this.#base);
      for (const folder of [this.#tasks, this.#snapshots]) mkdirSync(folder, { recursive: true });
    } catch (cause) {
      why = reason(cause);
    }
    if (why !== undefined) throw failure('folderNotUsable', { path: this.#base, why });
    const folder = join(this.#tasks, task);
    const own = await this.#locked('enter', async () => {
      await this.#clear();
      mkdirSync(folder, { recursive: true });
      return takeLock(`${folder}${LOCK}`);
    });
    return {
      folder,
      leave: () => {
        rmSync(folder, { recursive: true, force: true });
        rmSync(`${folder}${LOCK}`, { force: true });
        own?.release();
      },
    };
  }

  /** The node's copy of a snapshot. `copied`: it was made now. */
  async snapshot(from: string): Promise<{ path: string; copied: boolean }> {
    const path = join(this.#snapshots, basename(from));
    return this.#locked('stage', async () => {
      if (existsSync(path)) return { path, copied: false };
      // What one that was killed has begun.
      for (const name of readdirSync(this.#snapshots)) rmSync(join(this.#snapshots, name), { recursive: true });
      const beside = `${path}.${randomBytes(4).toString('hex')}.new`;
      await cp(from, beside, { recursive: true, mode: constants.COPYFILE_FICLONE });
      await rename(beside, path);
      await flushFolder(this.#snapshots);
      return { path, copied: true };
    });
  }

  /** Nothing stays, unless a task still runs here. */
  async remove(): Promise<void> {
    if (!existsSync(this.#tasks)) return;
    const empty = await this.#locked('enter', async () => {
      await this.#clear();
      return readdirSync(this.#tasks).length === 0;
    });
    if (!empty) throw failure('folderNotUsable', { path: this.#tasks, why: 'a task of the campaign still runs there' });
    rmSync(this.#folder, { recursive: true, force: true });
    // Those of other campaigns.
    for (const folder of [dirname(this.#folder), this.#base]) if (readdirSync(folder).length === 0) rmdirSync(folder);
  }

  /** Of tasks that are there no more. */
  async #clear(): Promise<void> {
    for (const name of readdirSync(this.#tasks).filter((one) => one.endsWith(LOCK))) {
      const lock = await takeLock(join(this.#tasks, name));
      if (lock === undefined) continue;
      const folder = join(this.#tasks, name.slice(0, -LOCK.length));
      await clearRuns(folder);
      rmSync(folder, { recursive: true, force: true });
      rmSync(join(this.#tasks, name), { force: true });
      lock.release();
    }
  }

  /** One task after the other. */
  async #locked<T>(what: string, work: () => Promise<T>): Promise<T> {
    let lock: Lock | undefined;
    while (lock === undefined) {
      lock = await takeLock(join(this.#folder, `${what}${LOCK}`));
      if (lock === undefined) await sleep(LOOK_MS);
    }
    try {
      return await work();
    } finally {
      lock.release();
    }
  }
}
