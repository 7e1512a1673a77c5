/**
 * The files that a computation had open or mapped, for the manifest: what becomes of each, and the checksum of those that a restart
 * checks, so that a copy with another time is known to be the same. Checksums are kept as long as the coordinator lives: from one
 * snapshot to the next files that are only read rarely change. Tests: test/unit/open-files.test.ts.
 */
import { join } from 'node:path';
import { statIfThere } from '../platform/files.js';
import { FileHandling } from '../protocol/generated/image_pb.js';
import type { OpenFile } from '../protocol/snapshot.js';
import { fileChecksum } from './checksum.js';
import { metadataName, readImageMetadata } from './image-metadata.js';

/** Reading more than this would make a snapshot slow: such a file has to keep its time. */
const MOST_BYTES = 256 << 20;

const HOW: Readonly<Record<FileHandling, OpenFile['how']>> = {
  [FileHandling.FILE_CHECKED]: 'checked',
  [FileHandling.FILE_SAVED]: 'saved',
  [FileHandling.FILE_IGNORED]: 'ignored',
};

const known = new Map<string, string>();

interface Seen {
  size: bigint;
  mtimeNs: bigint;
}

/** undefined: it is not as the process saw it any more, or too large. */
async function checksumOf(path: string, seen: Seen): Promise<string | undefined> {
  const found = statIfThere(path);
  if (found === undefined || !found.isFile() || found.size !== seen.size || found.mtimeNs !== seen.mtimeNs) return undefined;
  if (found.size > BigInt(MOST_BYTES)) return undefined;
  const key = `${found.dev}:${found.ino}:${found.size}:${found.mtimeNs}:${found.ctimeNs}`;
  const before = known.get(key);
  if (before !== undefined) return before;
  try {
    const sum = await fileChecksum(path);
    known.set(key, sum);
    return sum;
  } catch {
    return undefined;
  }
}

/** Of several uses of a file, what brings most of it back. */
const RANK: Readonly<Record<OpenFile['how'], number>> = { saved: 2, ignored: 0, checked: 1 };

export async function openFiles(folder: string, virtualPids: readonly number[]): Promise<OpenFile[]> {
  const found = new Map<string, OpenFile>();
  const wanted = new Map<string, Seen & { at: string }>();
  const add = (path: string, at: string, how: OpenFile['how'], { size, mtimeNs }: Seen): void => {
    const before = found.get(path);
    if (before === undefined || RANK[how] > RANK[before.how])
      found.set(path, { path, how, ...(at === path ? {} : { real: at }), size: Number(size) });
    if (how === 'checked') wanted.set(path, { at, size, mtimeNs });
  };
  for (const virtualPid of virtualPids) {
    const { mappedFiles, neededFiles } = readImageMetadata(join(folder, metadataName(virtualPid)));
    for (const file of mappedFiles) add(file.path, file.path, 'checked', file);
    for (const file of neededFiles) add(file.path, file.real === '' ? file.path : file.real, HOW[file.handling], file);
  }
  for (const [path, { at, ...seen }] of wanted) {
    const checksum = await checksumOf(at, seen);
    const file = found.get(path);
    if (checksum !== undefined && file !== undefined) file.checksum = checksum;
  }
  return [...found.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}
