/**
 * Files that must be whole or not there: written beside their final name, flushed, renamed. Sizes, and folders that are ours.
 */
import { randomBytes } from 'node:crypto';
import { accessSync, type BigIntStats, constants, lstatSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';

export function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

/** Throws where `folder`, or the nearest one above it that is there, takes no new entries. */
export function checkWritable(folder: string): void {
  try {
    // The slash: a file is no folder.
    accessSync(join(folder, '/'), constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    if (errorCode(error) !== 'ENOENT' || folder === dirname(folder)) throw error;
    checkWritable(dirname(folder));
  }
}

/** Flushes a folder's entries: what was created, renamed or removed in it. */
export async function flushFolder(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function writeAndFlush(path: string, data: string | Uint8Array, mode: number): Promise<void> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, 'wx', mode);
    await handle.writeFile(data);
    await handle.sync();
  } finally {
    await handle?.close();
  }
}

/** A new file, flushed; fails where there is one. The folder's entry is not flushed: see flushFolder. */
export function writeNew(path: string, data: string | Uint8Array, mode = 0o644): Promise<void> {
  return writeAndFlush(path, data, mode);
}

/** Replaces `path` at once: a reader sees the old content or the new, also after a crash. */
export async function replaceFile(path: string, data: string | Uint8Array, mode = 0o644): Promise<void> {
  const beside = `${path}.${randomBytes(4).toString('hex')}.new`;
  try {
    await writeAndFlush(beside, data, mode);
    await rename(beside, path);
  } catch (error) {
    await rm(beside, { force: true });
    throw error;
  }
  await flushFolder(dirname(path));
}

/** undefined where there is no such file; any other failure is thrown. */
export function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}

/** undefined where there is nothing, or nothing that we may see. Follows links. */
export function statIfThere(path: string): BigIntStats | undefined {
  try {
    return statSync(path, { bigint: true });
  } catch {
    return undefined;
  }
}

/** Makes `path` (and its parents) if missing; says why it cannot be used by this user alone, or undefined. */
export function ensurePrivateFolder(path: string): string | undefined {
  mkdirSync(dirname(path), { recursive: true });
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error;
  }
  const found = lstatSync(path);
  if (!found.isDirectory()) return 'it is not a folder';
  if (found.uid !== process.getuid?.()) return `it belongs to user ${found.uid}`;
  if ((found.mode & 0o077) !== 0) return `its mode is ${(found.mode & 0o777).toString(8).padStart(4, '0')}`;
  return undefined;
}
