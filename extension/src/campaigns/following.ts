/**
 * Looks at results on disk now and whenever they have changed, one look at a time, until it is disposed of. Their folder may not be known yet, not be
 * there yet, or be removed and made again; where nothing can be watched any more it looks now and then. Test: test/unit/campaign-following.test.ts.
 */
import { type FSWatcher, statSync, watch } from 'node:fs';
import { dirname } from 'node:path';

/** Between two looks at results that change all the time: at least, and so many times what a look takes, which is taken from the runs. */
const LOOK_MS = 400;
const LOOK_SHARE = 4;
/** Between two looks at what cannot be watched. */
const UNWATCHED_MS = 5000;

export interface Followed {
  /** Absolute; empty: it is not known yet. */
  folder(): Promise<string>;
  /** Tells of its own failures. */
  look(): Promise<void>;
}

interface Watched {
  readonly watcher: FSWatcher;
  /** Of the folder that was there then. */
  readonly identity: string;
}

export class Following {
  readonly #followed: Followed;
  readonly #watching = new Map<string, Watched>();
  #folder = '';
  #timer: NodeJS.Timeout | undefined;
  #looking = false;
  #again = false;
  #over = false;

  constructor(followed: Followed) {
    this.#followed = followed;
  }

  /** The first look. */
  async start(): Promise<void> {
    this.#folder = await this.#followed.folder();
    await this.#now();
  }

  /** Something has changed. */
  changed(pause = LOOK_MS): void {
    if (this.#over) return;
    if (this.#looking) this.#again = true;
    else this.#timer ??= setTimeout(() => void this.#now(), pause);
  }

  dispose(): void {
    this.#over = true;
    clearTimeout(this.#timer);
    for (const { watcher } of this.#watching.values()) watcher.close();
    this.#watching.clear();
  }

  async #now(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#looking = true;
    let pause = LOOK_MS;
    let watched = true;
    try {
      if (this.#folder === '') this.#folder = await this.#followed.folder();
      watched = this.#watch();
      const began = performance.now();
      await this.#followed.look();
      pause = Math.max(LOOK_MS, LOOK_SHARE * (performance.now() - began));
    } catch {
      // Of the folder: the look has told of it.
    } finally {
      this.#looking = false;
    }
    if (this.#again) this.changed(pause);
    else if (!watched) this.changed(Math.max(pause, UNWATCHED_MS));
    this.#again = false;
  }

  /** The folders above, too, since it may be there only later. False: there is one that cannot be watched. */
  #watch(): boolean {
    if (this.#folder === '' || this.#over) return true;
    const above = dirname(this.#folder);
    return [this.#folder, above, dirname(above)].map((path) => this.#begin(path)).every((done) => done);
  }

  #begin(path: string): boolean {
    const identity = identityOf(path);
    const known = this.#watching.get(path);
    if (known?.identity === identity) return true;
    // It has been removed, and what is there now is another one.
    known?.watcher.close();
    this.#watching.delete(path);
    if (identity === undefined) return true;
    try {
      const watcher = watch(path, () => this.changed());
      this.#watching.set(path, { watcher, identity });
      watcher.on('error', () => {
        if (this.#watching.get(path)?.watcher === watcher) this.#watching.delete(path);
        watcher.close();
        this.changed();
      });
      return true;
    } catch {
      return false;
    }
  }
}

/** undefined: nothing is there. */
function identityOf(path: string): string | undefined {
  const found = statSync(path, { bigint: true, throwIfNoEntry: false });
  return found && `${found.dev} ${found.ino} ${found.birthtimeNs}`;
}
