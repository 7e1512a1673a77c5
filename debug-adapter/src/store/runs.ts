/**
 * Run folders: each restart gets one, for what the restarted run writes, so that no earlier run's files are touched.
 */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { errorCode } from '../platform/files.js';
import { failure, reason } from '../protocol/errors.js';
import type { Store } from './store.js';

/** Makes <store>/runs/<session>-<time>/; `time` is ISO 8601. */
export function newRunFolder(store: Store, session: string, time: string): string {
  const stamp = time.replace(/[-:]/g, '').replace(/\.\d+/, '');
  try {
    mkdirSync(store.runs, { recursive: true });
    for (let count = 1; ; count++) {
      const folder = join(store.runs, `${session}-${stamp}${count === 1 ? '' : `-${count}`}`);
      try {
        mkdirSync(folder);
        return folder;
      } catch (error) {
        if (errorCode(error) !== 'EEXIST') throw error;
      }
    }
  } catch (cause) {
    throw failure('storeUnusable', { path: store.path, why: reason(cause) }, cause);
  }
}

/** That of a restart that came to nothing: what is in it, if anything, are copies of what the snapshot has. */
export function removeRunFolder(folder: string): void {
  try {
    rmSync(folder, { recursive: true, force: true });
  } catch {
    // What cannot be removed does no harm.
  }
}
