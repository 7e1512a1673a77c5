/**
 * Whether a snapshot's bytes are still those that were written. Sizes are always compared; the checksums of all files only
 * where a file is not the one that was last found right, by inode and time of change: verified.json in the snapshot's folder
 * notes those. It is a note about this copy, no part of the snapshot.
 * Tests: test/unit/store.test.ts.
 */
import { join } from 'node:path';
import * as z from 'zod';
import { readIfThere, replaceFile, statIfThere } from '../platform/files.js';
import { failure } from '../protocol/errors.js';
import type { Manifest } from '../protocol/snapshot.js';
import { fileChecksum } from './checksum.js';
import { wholeProblem } from './snapshot-folder.js';

export const VERIFIED = 'verified.json';

const Verified = z.record(z.string(), z.object({ inode: z.string(), changed: z.string() }));
type Verified = z.infer<typeof Verified>;

function present(folder: string, manifest: Manifest): Verified {
  const now: Verified = {};
  for (const { name } of manifest.files) {
    const found = statIfThere(join(folder, name));
    if (found) now[name] = { inode: String(found.ino), changed: String(found.ctimeNs) };
  }
  return now;
}

/** The content of the note for files that are known to be as the manifest says. */
export function verifiedText(folder: string, manifest: Manifest): string {
  return JSON.stringify(present(folder, manifest));
}

function unchanged(folder: string, manifest: Manifest): boolean {
  try {
    const noted = Verified.parse(JSON.parse(readIfThere(join(folder, VERIFIED)) ?? '{}'));
    const now = present(folder, manifest);
    return manifest.files.every(
      ({ name }) => noted[name]?.inode === now[name]?.inode && noted[name]?.changed === now[name]?.changed,
    );
  } catch {
    return false;
  }
}

/** Throws `snapshotDamaged`, naming the file, unless all files are as they were written. */
export async function verify(folder: string, manifest: Manifest, options: { always?: boolean } = {}): Promise<void> {
  const why = wholeProblem(folder, manifest);
  if (why !== undefined) throw failure('snapshotDamaged', { id: manifest.id, why });
  if (options.always !== true && unchanged(folder, manifest)) return;
  const wrong = await compareChecksums(folder, manifest);
  if (wrong !== undefined) throw failure('snapshotDamaged', { id: manifest.id, why: wrong });
  // A store that we may only read is verified each time.
  await replaceFile(join(folder, VERIFIED), verifiedText(folder, manifest)).catch(() => undefined);
}

async function compareChecksums(folder: string, manifest: Manifest): Promise<string | undefined> {
  for (const file of manifest.files) {
    const found = await fileChecksum(join(folder, file.name));
    if (found !== file.checksum) return `its file ${file.name} has the checksum ${found} instead of ${file.checksum}`;
  }
  return undefined;
}
