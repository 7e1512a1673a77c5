/**
 * The snapshots of this window's stores, as `cairn ls` lists them, read again when a store changes on disk or a live session
 * has made one. Owns the watchers. What is shown may be older than the disk by the time of one listing, never wrong for good.
 */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { z } from 'zod';
import { Labels, Manifest, SnapshotSummary } from '../../../debug-adapter/src/protocol/snapshot.js';
import type { CairnCommand } from '../platform/cairnCommand.js';
import { messageOf } from '../platform/errors.js';
import type { Stores } from './stores.js';

/** Several files change for one snapshot. */
const SETTLE_MS = 50;

export interface StoreContent {
  readonly store: string;
  readonly snapshots: readonly SnapshotSummary[];
  /** Not empty: the store could not be read, and why. */
  readonly error: string;
}

export class Snapshots implements vscode.Disposable {
  readonly #stores: Stores;
  readonly #cairn: CairnCommand;
  readonly #contents = new Map<string, StoreContent>();
  readonly #watchers = new Map<string, vscode.Disposable>();
  readonly #timers = new Map<string, NodeJS.Timeout>();
  readonly #listings = new Map<string, Promise<void>>();
  /** Listings that have not begun yet: one is enough for all who ask meanwhile. */
  readonly #queued = new Map<string, Promise<void>>();
  readonly #changed = new vscode.EventEmitter<void>();
  readonly onDidChange = this.#changed.event;
  readonly #subscription: vscode.Disposable;

  constructor(stores: Stores, cairn: CairnCommand) {
    this.#stores = stores;
    this.#cairn = cairn;
    this.#subscription = stores.onDidChange(() => void this.refresh());
  }

  get contents(): readonly StoreContent[] {
    return this.#stores.all.map((store) => this.#contents.get(store) ?? { store, snapshots: [], error: '' });
  }

  find(store: string, id: string): SnapshotSummary | undefined {
    return this.#contents.get(store)?.snapshots.find((snapshot) => snapshot.id === id);
  }

  /** Resolves when all stores have been read, from what they hold now. */
  async refresh(): Promise<void> {
    for (const [store, watcher] of this.#watchers) {
      if (this.#stores.includes(store)) continue;
      watcher.dispose();
      this.#watchers.delete(store);
      this.#contents.delete(store);
    }
    await Promise.all(this.#stores.all.map((store) => this.read(store)));
  }

  /** Resolves when `store` has been read by a listing that began after this call. */
  read(store: string): Promise<void> {
    this.#watch(store);
    const queued = this.#queued.get(store);
    if (queued) return queued;
    const before = this.#listings.get(store) ?? Promise.resolve();
    const next = before.then(() => {
      this.#queued.delete(store);
      return this.#list(store);
    });
    this.#listings.set(store, next);
    this.#queued.set(store, next);
    return next;
  }

  /** Shows a snapshot that was just made at once, from its own files; the listing that follows has the last word. */
  async announce(path: string, folder: string): Promise<void> {
    const store = this.#stores.known(path);
    try {
      const made = await readSummary(folder);
      const old = this.#contents.get(store)?.snapshots ?? [];
      if (!old.some(({ id }) => id === made.id)) this.#contents.set(store, { store, snapshots: [...old, made], error: '' });
      this.#changed.fire();
    } catch {
      // The listing says what is wrong with it.
    }
    void this.read(store);
  }

  async #list(store: string): Promise<void> {
    const old = this.#contents.get(store);
    try {
      // A folder that Cairn was never used in costs nothing.
      const snapshots = !existsSync(store) ? [] : await this.#cairn.json(z.array(SnapshotSummary), ['ls', '--store', store]);
      this.#contents.set(store, { store, snapshots, error: '' });
    } catch (error) {
      this.#contents.set(store, { store, snapshots: old?.snapshots ?? [], error: messageOf(error) });
    }
    this.#changed.fire();
  }

  #watch(store: string): void {
    if (this.#watchers.has(store)) return;
    const folder = vscode.Uri.file(join(store, 'snapshots'));
    const watchers = ['*', '*/labels.json'].map((glob) =>
      vscode.workspace.createFileSystemWatcher(new vscode.RelativePattern(folder, glob)),
    );
    const later = () => this.#later(store);
    for (const watcher of watchers) {
      watcher.onDidCreate(later);
      watcher.onDidChange(later);
      watcher.onDidDelete(later);
    }
    this.#watchers.set(store, vscode.Disposable.from(...watchers));
  }

  #later(store: string): void {
    clearTimeout(this.#timers.get(store));
    this.#timers.set(
      store,
      setTimeout(() => void this.read(store), SETTLE_MS),
    );
  }

  dispose(): void {
    this.#subscription.dispose();
    for (const timer of this.#timers.values()) clearTimeout(timer);
    for (const watcher of this.#watchers.values()) watcher.dispose();
    this.#changed.dispose();
  }
}

async function readSummary(folder: string): Promise<SnapshotSummary> {
  const read = async (name: string): Promise<unknown> => JSON.parse(await readFile(join(folder, name), 'utf8'));
  const manifest = Manifest.parse(await read('manifest.json'));
  return SnapshotSummary.parse({ ...manifest, ...Labels.parse(await read('labels.json')), path: folder, problem: '' });
}
