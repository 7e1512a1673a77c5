import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { type TestContext, test } from 'node:test';
import { thisProcess } from '../../debug-adapter/src/platform/processes.js';
import { noRules } from '../../debug-adapter/src/protocol/rules.js';
import type { Manifest } from '../../debug-adapter/src/protocol/snapshot.js';
import { checksum, fileChecksum } from '../../debug-adapter/src/store/checksum.js';
import { newSnapshotId, PartialSnapshot, removeStalePartials } from '../../debug-adapter/src/store/partial.js';
import { isInside } from '../../debug-adapter/src/store/snapshot-folder.js';
import { Store, snapshotTable } from '../../debug-adapter/src/store/store.js';
import { verify } from '../../debug-adapter/src/store/verification.js';

function newStore(t: TestContext): Store {
  const folder = mkdtempSync(join(tmpdir(), 'cairn-u-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return new Store(join(folder, 'store'));
}

let made = 0;

async function add(store: Store, parent: string | null = null, name = ''): Promise<string> {
  const partial = new PartialSnapshot(store, newSnapshotId());
  const content = Buffer.from('content of a file');
  mkdirSync(join(partial.folder, 'p1.files'));
  const files: Manifest['files'] = [];
  for (const file of ['p1.meta', 'p1.pages', 'p1.files/0']) {
    writeFileSync(join(partial.folder, file), content);
    files.push({ name: file, size: content.length, checksum: await checksum(content) });
  }
  const manifest: Manifest = {
    format: 1,
    id: partial.id,
    createdAt: new Date(1e12 + made++ * 1000).toISOString(),
    parent,
    session: 's',
    computation: 'c',
    argv: ['sim'],
    cwd: '/',
    folder: '/',
    host: { name: 'h', kernel: 'k', architecture: 'x86_64', cpuModel: 'm', libc: '2' },
    simulatedTime: null,
    signals: [],
    pauseMs: 1,
    totalMs: 2,
    bytes: 51,
    phases: [],
    rules: noRules,
    plugins: [],
    openFiles: [],
    restartChanges: [],
    compression: 'none',
    processes: [{ parent: 0, virtualPid: 1, executable: '/sim', argv: ['sim'], threads: 1, host: 0 }],
    hosts: [],
    nextHost: 1,
    launchers: [],
    listen: null,
    files,
  };
  await partial.commit(manifest, { name, note: '', pinned: false });
  return partial.id;
}

const manifestOf = (store: Store, id: string): Manifest =>
  JSON.parse(readFileSync(join(store.folderOf(id), 'manifest.json'), 'utf8')) as Manifest;

test('snapshots are listed in the order of their making; an empty store is empty', async (t) => {
  const store = newStore(t);
  assert.deepEqual(store.list(), []);
  assert.ok(!existsSync(store.path));
  const ids = [await add(store), await add(store), await add(store)];
  assert.deepEqual(
    store.list().map((one) => one.id),
    ids,
  );
  assert.ok(store.list().every((one) => one.problem === ''));
});

test('a snapshot is there only when it is whole', async (t) => {
  const store = newStore(t);
  const partial = new PartialSnapshot(store, newSnapshotId());
  writeFileSync(join(partial.folder, 'p1.pages'), 'half');
  assert.deepEqual(store.list(), []);
  await partial.discard();
  assert.ok(!existsSync(partial.folder));
});

const damages: [string, (folder: string) => void, RegExp][] = [
  ['a missing file', (folder) => rmSync(join(folder, 'p1.pages')), /p1\.pages is missing/],
  ['a shorter file', (folder) => writeFileSync(join(folder, 'p1.files/0'), 'x'), /p1\.files\/0 has 1 bytes instead of 17/],
  ['no manifest', (folder) => rmSync(join(folder, 'manifest.json')), /no manifest\.json/],
  ['a torn manifest', (folder) => writeFileSync(join(folder, 'manifest.json'), '{"format": 1,'), /not JSON/],
  ['a manifest without files', (folder) => writeFileSync(join(folder, 'manifest.json'), '{"format": 1}'), /not valid/],
  ['a newer format', (folder) => writeFileSync(join(folder, 'manifest.json'), '{"format": 2}'), /format is 2.*up to 1/],
  [
    'a file that is a folder',
    (folder) => {
      rmSync(join(folder, 'p1.meta'));
      mkdirSync(join(folder, 'p1.meta'));
    },
    /not a file/,
  ],
  [
    'a manifest with another value',
    (folder) => {
      const file = join(folder, 'manifest.json');
      writeFileSync(file, readFileSync(file, 'utf8').replace(/"createdAt": "\d/, '"createdAt": "9'));
    },
    /not as it was written/,
  ],
  [
    'a name that leads outside',
    (folder) => {
      const text = readFileSync(join(folder, 'manifest.json'), 'utf8');
      // As it was before manifests had a checksum.
      const { manifestChecksum: _, ...manifest } = JSON.parse(text) as Manifest & { manifestChecksum: string };
      manifest.files = manifest.files.map((file) => ({ ...file, name: '../../../etc/passwd' }));
      writeFileSync(join(folder, 'manifest.json'), JSON.stringify(manifest));
    },
    /outside/,
  ],
];
for (const [name, damage, message] of damages) {
  test(`${name} is a problem`, async (t) => {
    const store = newStore(t);
    const id = await add(store);
    damage(store.folderOf(id));
    const [found] = store.list();
    assert.match(found?.problem ?? '', message);
    assert.throws(() => store.newest(), { code: 'noSnapshots' });
    // It can still be taken away.
    assert.ok(found);
    await store.remove(found);
    assert.deepEqual(store.list(), []);
  });
}

test('broken labels are no labels', async (t) => {
  const store = newStore(t);
  const id = await add(store, null, 'roi');
  writeFileSync(join(store.folderOf(id), 'labels.json'), '{');
  assert.deepEqual([store.find(id).name, store.find(id).problem], ['', '']);
});

test('a snapshot is found by id, beginning, name, and folder', async (t) => {
  const store = newStore(t);
  const id = await add(store, null, 'roi');
  for (const text of [
    id,
    id.slice(0, 8),
    'roi',
    store.folderOf(id),
    relative(process.cwd(), store.folderOf(id)),
    `${store.folderOf(id)}/`,
  ]) {
    assert.equal(store.find(text).id, id, text);
  }
  assert.throws(() => store.find('nothing'), { code: 'snapshotNotFound' });
  assert.throws(() => store.find('/nowhere/at/all'), { code: 'snapshotNotFound' });
});

test('labels change, and nothing else', async (t) => {
  const store = newStore(t);
  const id = await add(store);
  const before = readFileSync(join(store.folderOf(id), 'manifest.json'), 'utf8');
  await store.label(store.find(id), { name: ' after reset ', note: 'two\nlines' });
  await store.label(store.find(id), { pinned: true });
  const { name, note, pinned } = store.find('after reset');
  assert.deepEqual({ name, note, pinned }, { name: 'after reset', note: 'two\nlines', pinned: true });
  assert.equal(readFileSync(join(store.folderOf(id), 'manifest.json'), 'utf8'), before);
  await assert.rejects(store.label(store.find(id), { name: 'a\nb' }), { code: 'badSnapshotName' });
});

test('a pinned snapshot is not removed; the children of a removed one move up', async (t) => {
  const store = newStore(t);
  const a = await add(store);
  const b = await add(store, a);
  const c = await add(store, b);
  const d = await add(store, c);
  await store.label(store.find(b), { pinned: true });
  await assert.rejects(store.remove(store.find(b)), { code: 'snapshotPinned' });
  await store.label(store.find(b), { pinned: false });
  await store.remove(store.find(b));
  await store.remove(store.find(c));
  assert.equal(store.find(d).parent, a);
  await store.remove(store.find(a));
  assert.equal(store.find(d).parent, null);
  assert.equal(manifestOf(store, d).parent, c);
});

test('what a dead coordinator left is removed, what a living one writes is not', async (t) => {
  const store = newStore(t);
  const living = new PartialSnapshot(store, newSnapshotId());
  const note = (id: string, owner: object): void => {
    mkdirSync(join(store.tmp, id));
    writeFileSync(join(store.tmp, `${id}.owner`), JSON.stringify(owner));
  };
  note('aaaaaaaaaaaa', { pid: process.pid, startTime: 1, host: hostname() });
  note('bbbbbbbbbbbb', { ...thisProcess(), host: 'another-machine' });
  mkdirSync(join(store.tmp, 'cccccccccccc'));
  writeFileSync(join(store.tmp, 'dddddddddddd.owner'), 'torn');
  assert.equal(removeStalePartials(store), 3);
  for (const [id, there] of [
    ['aaaaaaaaaaaa', false],
    ['bbbbbbbbbbbb', true],
    ['cccccccccccc', false],
  ] as const)
    assert.equal(existsSync(join(store.tmp, id)), there, id);
  assert.ok(existsSync(living.folder));
});

test('a store that cannot be used says so', (t) => {
  const store = newStore(t);
  mkdirSync(join(store.path, '..'), { recursive: true });
  writeFileSync(store.path, 'a file');
  assert.throws(() => new PartialSnapshot(store, newSnapshotId()), { code: 'storeUnusable', message: new RegExp(store.path) });
});

test('bytes are compared where a file is not the one that was written', async (t) => {
  const store = newStore(t);
  const id = await add(store);
  const folder = store.folderOf(id);
  const manifest = manifestOf(store, id);
  await verify(folder, manifest);
  const file = join(folder, 'p1.pages');
  const { mtime, atime } = statSync(file);
  writeFileSync(file, 'CONTENT of a file');
  utimesSync(file, atime, mtime);
  await assert.rejects(verify(folder, manifest), { code: 'snapshotDamaged', message: /p1\.pages has the checksum/ });
  writeFileSync(file, 'content of a file');
  await verify(folder, manifest);
  await verify(folder, manifest, { always: true });
});

test('a copy is verified, and then known', async (t) => {
  const store = newStore(t);
  const id = await add(store);
  const folder = store.folderOf(id);
  const verified = readFileSync(join(folder, 'verified.json'), 'utf8');
  const copy = `${folder}.copy`;
  renameSync(join(folder, 'p1.meta'), copy);
  writeFileSync(join(folder, 'p1.meta'), readFileSync(copy));
  await verify(folder, manifestOf(store, id));
  assert.notEqual(readFileSync(join(folder, 'verified.json'), 'utf8'), verified);
});

test('XXH3 as published', async (t) => {
  // XXH3_64bits of nothing and of "a", seed 0: https://github.com/Cyan4973/xxHash, tests/sanity_test_vectors.h and xxhsum -H3.
  assert.equal(await checksum(new Uint8Array(0)), '2d06800538d394c2');
  assert.equal(await checksum(Buffer.from('a')), 'e6c632b61e964e1f');
  const store = newStore(t);
  mkdirSync(store.path, { recursive: true });
  const data = Buffer.alloc(3_000_001, 'cairn');
  writeFileSync(join(store.path, 'big'), data);
  assert.equal(await fileChecksum(join(store.path, 'big')), await checksum(data));
});

test('names of files stay inside', () => {
  for (const name of ['p1.meta', 'p1.files/0', 'a/b/c']) assert.ok(isInside(name), name);
  for (const name of ['', '/a', '../a', 'a/../../b', '..', 'a/../b', './a', 'a//b', 'a\0']) assert.ok(!isInside(name), name);
});

test('tables of a snapshot', async (t) => {
  const store = newStore(t);
  const id = await add(store);
  assert.deepEqual(snapshotTable(store.find(id), 'fd'), []);
  const row = { virtualPid: 1, virtual: '1', real: '2', before: '', owner: 'pid', detail: '', since: '' };
  writeFileSync(join(store.folderOf(id), 'tables.json'), JSON.stringify({ pid: [row] }));
  assert.deepEqual(snapshotTable(store.find(id), 'pid'), [row]);
  writeFileSync(join(store.folderOf(id), 'tables.json'), '{');
  assert.throws(() => snapshotTable(store.find(id), 'pid'), { code: 'snapshotDamaged' });
});

test('a link to a store is the store', async (t) => {
  const store = newStore(t);
  const id = await add(store);
  symlinkSync(store.path, `${store.path}-link`);
  assert.equal(new Store(`${store.path}-link`).find(id).id, id);
});
