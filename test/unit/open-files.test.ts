import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { FileHandling } from '../../debug-adapter/src/protocol/generated/image_pb.js';
import { checksum } from '../../debug-adapter/src/store/checksum.js';
import { openFiles } from '../../debug-adapter/src/store/open-files.js';
import { imageMetadata } from '../protocol/agent-peer.js';

test('each file once, with what becomes of it, and the checksum of what is checked', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'cairn-u-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = (name: string) => {
    const path = join(folder, name);
    writeFileSync(path, name);
    const { size, mtimeNs } = statSync(path, { bigint: true });
    return { path, size, mtimeNs };
  };
  const [read, moved, saved, ignored, lib, changed] = ['read', 'moved', 'saved', 'ignored', 'lib', 'changed'].map(file);
  assert.ok(read && moved && saved && ignored && lib && changed);
  const first = await imageMetadata({
    virtualPid: 1,
    snapshot: 'x',
    pages: 0,
    mapped: [
      { ...lib, buildId: '' },
      { ...changed, mtimeNs: 1n, buildId: '' },
    ],
    needed: [
      { ...read, real: '' },
      { ...moved, path: '/virtual', real: moved.path },
      { ...ignored, real: '', handling: FileHandling.FILE_IGNORED },
    ],
  });
  // Another process has it open for writing.
  const second = await imageMetadata({
    virtualPid: 2,
    snapshot: 'x',
    pages: 0,
    needed: [
      { ...saved, real: '', handling: FileHandling.FILE_SAVED },
      { ...read, real: '' },
    ],
  });
  writeFileSync(join(folder, 'p1.meta'), first);
  writeFileSync(join(folder, 'p2.meta'), second);
  const found = await openFiles(folder, [1, 2]);
  const sum = (text: string) => checksum(Buffer.from(text));
  assert.deepEqual(
    found,
    [
      { path: read.path, how: 'checked', size: 4, checksum: await sum('read') },
      { path: '/virtual', how: 'checked', real: moved.path, size: 5, checksum: await sum('moved') },
      { path: saved.path, how: 'saved', size: 5 },
      { path: ignored.path, how: 'ignored', size: 7 },
      { path: lib.path, how: 'checked', size: 3, checksum: await sum('lib') },
      { path: changed.path, how: 'checked', size: 7 },
    ].sort((a, b) => (a.path < b.path ? -1 : 1)),
  );
});
