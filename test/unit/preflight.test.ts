import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { hostIdentity } from '../../debug-adapter/src/platform/host.js';
import { noRules } from '../../debug-adapter/src/protocol/rules.js';
import type { Manifest, PreflightFinding } from '../../debug-adapter/src/protocol/snapshot.js';
import { checksum } from '../../debug-adapter/src/store/checksum.js';
import { buildId } from '../../debug-adapter/src/store/elf.js';
import { readImageHeader, readImageMetadata } from '../../debug-adapter/src/store/image-metadata.js';
import { newSnapshotId, PartialSnapshot } from '../../debug-adapter/src/store/partial.js';
import { isFatal, preflight, realPath } from '../../debug-adapter/src/store/preflight.js';
import { missingFeatures, missingXfeatures, spaceFindings } from '../../debug-adapter/src/store/preflight-host.js';
import { Store } from '../../debug-adapter/src/store/store.js';
import { imageMetadata, type MetadataOptions } from '../protocol/agent-peer.js';

type Mapped = NonNullable<MetadataOptions['mapped']>[number];

type Needed = NonNullable<MetadataOptions['needed']>[number];

function scratch(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'cairn-u-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function mapped(path: string, id = ''): Mapped {
  const { size, mtimeNs } = statSync(path, { bigint: true });
  return { path, size, mtimeNs, buildId: id };
}

async function check(
  folder: string,
  image: Partial<MetadataOptions>,
  change: Partial<Manifest> = {},
  paths: { from: string; to: string }[] = [],
): Promise<PreflightFinding[]> {
  const store = new Store(join(folder, 'store'));
  const partial = new PartialSnapshot(store, newSnapshotId());
  const content = await imageMetadata({ virtualPid: 7, snapshot: partial.id, pages: 4096, ...image });
  writeFileSync(join(partial.folder, 'p7.meta'), content);
  const pages = Buffer.alloc(4096, 1);
  writeFileSync(join(partial.folder, 'p7.pages'), pages);
  const manifest: Manifest = {
    format: 1,
    id: partial.id,
    createdAt: new Date().toISOString(),
    parent: null,
    session: 's',
    computation: 'c',
    argv: ['sim'],
    cwd: '/',
    folder: '/',
    host: { ...hostIdentity(), cpuModel: 'm', libc: '' },
    simulatedTime: null,
    signals: [],
    pauseMs: 1,
    totalMs: 2,
    bytes: content.length,
    phases: [],
    rules: noRules,
    plugins: [],
    openFiles: [],
    restartChanges: [],
    compression: 'none',
    processes: [{ parent: 0, virtualPid: 7, executable: '/sim', argv: ['sim'], threads: 1, host: 0 }],
    hosts: [],
    nextHost: 1,
    launchers: [],
    listen: null,
    files: [
      { name: 'p7.meta', size: content.length, checksum: await checksum(content) },
      { name: 'p7.pages', size: pages.length, checksum: await checksum(pages) },
    ],
    ...change,
  };
  await partial.commit(manifest, { name: '', note: '', pinned: false });
  const all = await preflight(store.find(partial.id), { paths, outputs: store.runs, cache: store.cache });
  // Whether the native parts are built is not what is tested here.
  return all.filter((one) => one.code !== 'installation');
}

const codes = (findings: readonly PreflightFinding[]): string[] => findings.map((one) => `${one.severity} ${one.code}`);

test('a snapshot of this machine has no findings', async (t) => {
  const folder = scratch(t);
  const file = join(folder, 'lib.so');
  writeFileSync(file, 'a library');
  const findings = await check(folder, { features: ['fpu'], mapped: [mapped(file)] });
  assert.deepEqual(findings, []);
});

test('a missing and a changed file are named, with the option that helps', async (t) => {
  const folder = scratch(t);
  const [gone, changed, touched] = ['gone.so', 'changed.so', 'touched.so'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  for (const file of [gone, changed, touched]) writeFileSync(file, 'a library');
  const files = [gone, changed, touched].map((file) => mapped(file));
  rmSync(gone);
  writeFileSync(changed, 'another one');
  utimesSync(touched, 1, 1);
  const findings = await check(folder, { mapped: files });
  assert.deepEqual(codes(findings), ['error missing-file', 'error changed-file', 'error changed-file']);
  assert.ok(findings[0]?.message.includes(gone) && findings[0].remedy.includes(`--path ${gone}=`));
  assert.ok(isFatal(findings));
});

test('a file that was open for reading is looked for where it was, and where --path says', async (t) => {
  const folder = scratch(t);
  for (const name of ['gone', 'changed', 'same', 'moved', 'run']) writeFileSync(join(folder, name), 'data');
  const needed = (name: string, path = join(folder, name), real = ''): Needed => {
    const { size, mtimeNs } = statSync(join(folder, name), { bigint: true });
    return { path, real, size, mtimeNs };
  };
  const files = [
    needed('gone'),
    needed('changed'),
    needed('same'),
    needed('moved', '/old/moved'),
    needed('run', '/old/written', join(folder, 'run')),
  ];
  rmSync(join(folder, 'gone'));
  utimesSync(join(folder, 'changed'), 1, 1);
  const findings = await check(folder, { needed: files }, {}, [{ from: '/old', to: folder }]);
  assert.deepEqual(codes(findings), ['error missing-file', 'error changed-file']);
  assert.match(findings[0]?.message ?? '', /gone, which the program has open for reading, is missing/);
  assert.deepEqual(codes(await check(folder, { needed: files.slice(3) })), ['error missing-file']);
});

test('an equal build id makes up for another time, not for another size', async (t) => {
  const folder = scratch(t);
  const copy = join(folder, 'sh');
  copyFileSync(process.execPath, copy);
  const id = buildId(copy);
  assert.match(id, /^[0-9a-f]{16,}$/);
  const found = mapped(copy, id);
  assert.deepEqual(await check(folder, { mapped: [{ ...found, mtimeNs: 1n }] }), []);
  assert.deepEqual(codes(await check(folder, { mapped: [{ ...found, mtimeNs: 1n, buildId: `00${id.slice(2)}x` }] })), [
    'error changed-file',
  ]);
  assert.deepEqual(codes(await check(folder, { mapped: [{ ...found, size: found.size + 1n }] })), ['error changed-file']);
});

test('--path says where files are now', async (t) => {
  const folder = scratch(t);
  mkdirSync(join(folder, 'new'));
  writeFileSync(join(folder, 'new/lib.so'), 'a library');
  const file = { ...mapped(join(folder, 'new/lib.so')), path: '/old/tools/lib.so' };
  assert.deepEqual(codes(await check(folder, { mapped: [file] })), ['error missing-file']);
  assert.deepEqual(await check(folder, { mapped: [file] }, {}, [{ from: '/old/tools', to: join(folder, 'new') }]), []);
});

test('the longest prefix decides, at whole names only', () => {
  const paths = [
    { from: '/a', to: '/x' },
    { from: '/a/b', to: '/y' },
  ];
  const cases = { '/a/c': '/x/c', '/a/b/c': '/y/c', '/a/b': '/y', '/a/bc': '/x/bc', '/ab': '/ab', '/': '/' };
  for (const [from, to] of Object.entries(cases)) assert.equal(realPath(from, paths), to);
  assert.equal(realPath('/etc/x', [{ from: '/', to: '/root' }]), '/root/etc/x');
});

test('what the processor lacks is named', async (t) => {
  const findings = await check(scratch(t), { features: ['fpu', 'warp_drive'] });
  assert.deepEqual(codes(findings), ['error cpu-features']);
  assert.match(findings[0]?.message ?? '', /warp_drive/);
  assert.deepEqual(missingFeatures(['a', 'b'], new Set(['b'])), ['a']);
  assert.deepEqual(missingXfeatures(0b11100111n, new Set(['avx'])), ['avx512f']);
  assert.deepEqual(missingXfeatures(0b11100111n, new Set(['avx', 'avx512f'])), []);
  assert.deepEqual(missingXfeatures(1n << 17n, new Set()), ['amx_tile']);
});

test('another kernel or libc is a warning, another architecture an error', async (t) => {
  const host = { ...hostIdentity(), cpuModel: 'm', libc: '' };
  assert.deepEqual(codes(await check(scratch(t), {}, { host: { ...host, kernel: '2.4.0' } })), ['warning kernel']);
  assert.deepEqual(codes(await check(scratch(t), {}, { host: { ...host, libc: '1.0' } })), ['warning libc']);
  const other = await check(scratch(t), {}, { host: { ...host, architecture: 'aarch64' } });
  assert.deepEqual(codes(other), ['error architecture']);
});

test('memory, address space and room on disk', () => {
  const manifest = { compression: 'zstd', files: [{ name: 'p7.files/0', size: 2 ** 60, checksum: '' }] } as unknown as Manifest;
  const image = { header: { pagesBytes: 2n ** 60n, memoryBytes: 2n ** 50n }, mappedFiles: [] } as unknown as Parameters<
    typeof spaceFindings
  >[1][number];
  const findings = spaceFindings(manifest, [image], { paths: [], outputs: '/tmp/not/there/yet', cache: '/tmp/cache' });
  assert.deepEqual(codes(findings).slice(0, 3), ['error disk', 'error disk', 'error memory']);
  assert.match(findings[0]?.message ?? '', /1024\.0 PiB|1048576\.0 TiB/);
  assert.deepEqual(
    spaceFindings({ compression: 'none', files: [] } as unknown as Manifest, [], { paths: [], outputs: '/tmp', cache: '/tmp' }),
    [],
  );
});

test('metadata that is cut, foreign or newer is refused in words', async (t) => {
  const folder = scratch(t);
  const file = join(folder, 'p1.meta');
  const good = Buffer.from(
    await imageMetadata({
      virtualPid: 1,
      snapshot: 'x',
      pages: 4096,
      mapped: [{ path: '/a', size: 1n, mtimeNs: 2n, buildId: 'ff' }],
    }),
  );
  writeFileSync(file, good);
  assert.equal(readImageMetadata(file).mappedFiles[0]?.path, '/a');
  assert.equal(readImageHeader(file).libc, '2.36');
  for (let length = 0; length < good.length; length += 7) {
    writeFileSync(file, good.subarray(0, length));
    assert.throws(() => readImageMetadata(file), /no image|ends/, String(length));
  }
  const newer = Buffer.from(good);
  newer.writeUInt32LE(2, 8);
  writeFileSync(file, newer);
  assert.throws(() => readImageMetadata(file), /format is 2/);
  assert.throws(() => readImageHeader(file), /format is 2/);
});
