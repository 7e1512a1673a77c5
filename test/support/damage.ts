/** Damage to a copy of a snapshot: what disks, copies and people do to files. */
import { cpSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Copies a snapshot's folder into another store, under its own id. */
export function copySnapshot(folder: string, store: string): string {
  const id = folder.split('/').at(-1) ?? '';
  const copy = join(store, 'snapshots', id);
  cpSync(folder, copy, { recursive: true });
  return copy;
}

/** All files of a snapshot, relative to its folder. */
export function snapshotFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
}

export function flipByte(file: string, offset: number): void {
  const bytes = readFileSync(file);
  const at = Math.min(offset, bytes.length - 1);
  bytes[at] = (bytes[at] ?? 0) ^ 0xff;
  writeFileSync(file, bytes);
}

export function cutInHalf(file: string): void {
  truncateSync(file, Math.floor(statSync(file).size / 2));
}
