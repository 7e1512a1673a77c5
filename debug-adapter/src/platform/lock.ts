/**
 * A lock that exactly one process holds, and that goes with it however it ends: SQLite's lock on a file of its own, which is
 * the kernel's. (A file with a pid in it would have to be judged stale, and two could judge at once.)
 */
import { failure, reason } from '../protocol/errors.js';

export interface Lock {
  release(): void;
}

/** Whether a process holds it; takes nothing that another one would have to wait for long. */
export async function isLocked(path: string): Promise<boolean> {
  const { DatabaseSync } = await import('node:sqlite');
  let database: InstanceType<typeof DatabaseSync> | undefined;
  try {
    database = new DatabaseSync(path, { readOnly: true });
    database.prepare('SELECT count(*) FROM sqlite_master').get();
    return false;
  } catch (error) {
    return error instanceof Error && 'errcode' in error && error.errcode === 5; // SQLITE_BUSY
  } finally {
    database?.close();
  }
}

/** undefined: another process holds it. */
export async function takeLock(path: string): Promise<Lock | undefined> {
  const { DatabaseSync } = await import('node:sqlite');
  const database = new DatabaseSync(path);
  try {
    // Two that try at once see each other's first step: without patience both could be refused.
    database.exec('PRAGMA busy_timeout = 200; PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE;');
  } catch (error) {
    database.close();
    if (error instanceof Error && 'errcode' in error && error.errcode === 5) return undefined; // SQLITE_BUSY
    throw failure('folderNotUsable', { path, why: reason(error) }, error);
  }
  return { release: () => database.close() };
}
