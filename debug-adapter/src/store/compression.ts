/**
 * Snapshots whose pages are compressed with zstd: p*.pages.zst instead of p*.pages, packed after the processes go on again,
 * and unpacked into the store's cache before a restart, which maps raw pages. The cache keeps a few, the last used ones.
 * Tests: test/protocol/restart.test.ts.
 */
import {
  createReadStream,
  createWriteStream,
  existsSync,
  mkdirSync,
  readdirSync,
  statSync,
  symlinkSync,
  utimesSync,
} from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { constants, createZstdCompress, createZstdDecompress } from 'node:zlib';
import type { Manifest, SnapshotFile } from '../protocol/snapshot.js';
import { fileChecksum } from './checksum.js';
import type { Store } from './store.js';

const PACKED = '.pages.zst';
/** Unpacked snapshots that are kept. */
const KEPT = 2;

async function flushFile(path: string): Promise<void> {
  const handle = await open(path, 'r+');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Packs all pages in `folder`; gives the list of files as it is then. */
export async function compressPages(folder: string, files: readonly SnapshotFile[]): Promise<SnapshotFile[]> {
  const result: SnapshotFile[] = [];
  for (const file of files) {
    if (!file.name.endsWith('.pages')) {
      result.push(file);
      continue;
    }
    const raw = join(folder, file.name);
    const packed = `${raw}.zst`;
    const pack = createZstdCompress({
      params: { [constants.ZSTD_c_compressionLevel]: 3, [constants.ZSTD_c_checksumFlag]: 1 },
      pledgedSrcSize: file.size,
    });
    await pipeline(createReadStream(raw, { highWaterMark: 1 << 20 }), pack, createWriteStream(packed));
    await flushFile(packed);
    await rm(raw);
    result.push({ name: `${file.name}.zst`, size: statSync(packed).size, checksum: await fileChecksum(packed) });
  }
  return result;
}

/** A folder with raw pages and everything else of the snapshot, for the restorer. */
export async function restorableFolder(store: Store, folder: string, manifest: Manifest): Promise<string> {
  if (manifest.compression === 'none') return folder;
  const target = join(store.cache, manifest.id);
  if (!existsSync(target)) await unpack(folder, manifest, target);
  utimesSync(target, new Date(), new Date());
  await forgetOthers(store, manifest.id);
  return target;
}

async function unpack(folder: string, manifest: Manifest, target: string): Promise<void> {
  // Beside the final name, renamed when whole: two restarts at once may both do it, and either may win.
  const beside = `${target}.${process.pid}.new`;
  await rm(beside, { recursive: true, force: true });
  mkdirSync(beside, { recursive: true });
  try {
    for (const { name } of manifest.files) {
      if (name.endsWith(PACKED)) {
        const raw = join(beside, name.slice(0, -'.zst'.length));
        await pipeline(createReadStream(join(folder, name)), createZstdDecompress(), createWriteStream(raw));
        await flushFile(raw);
      } else {
        mkdirSync(dirname(join(beside, name)), { recursive: true });
        symlinkSync(join(folder, name), join(beside, name));
      }
    }
    symlinkSync(join(folder, 'manifest.json'), join(beside, 'manifest.json'));
    await rename(beside, target).catch((error: unknown) => {
      if (!existsSync(target)) throw error;
    });
  } finally {
    await rm(beside, { recursive: true, force: true });
  }
}

async function forgetOthers(store: Store, id: string): Promise<void> {
  const others = readdirSync(store.cache)
    .filter((name) => name !== id && !name.endsWith('.new'))
    .map((name) => ({ name, used: statSync(join(store.cache, name)).mtimeMs }))
    .sort((a, b) => b.used - a.used);
  for (const { name } of others.slice(KEPT - 1)) await rm(join(store.cache, name), { recursive: true, force: true });
}
