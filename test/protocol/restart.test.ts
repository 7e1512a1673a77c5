/** A restart as the agent sees it: what it is told, the order of phases, and what becomes of one that fails. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { SettingKind } from '../../debug-adapter/src/protocol/generated/agent_pb.js';
import { wholeManifest } from '../../debug-adapter/src/store/snapshot-folder.js';
import { waitFor } from '../support/processes.js';
import { atEnd, type Fixture, launchParams, openCoordinator, restartParams, running } from './fixture.js';

const plugins = [
  { name: 'file', layer: 0, barriers: ['flush'], restartBarriers: ['open'] },
  { name: 'vendor', layer: 1, restartBarriers: ['connect'] },
];

async function snapshot(t: TestContext, compression: 'none' | 'zstd' = 'none') {
  const first = await running(t, { compression });
  const made = await first.coordinator.checkpoint({ name: 'roi', then: 'resume' });
  return { ...first, made };
}

const second = (t: TestContext, folder: string): Promise<Fixture> => openCoordinator(t, { folder, session: 'again' });

test('the restarted process is told all that has changed, comes back from the bottom up, and runs', async (t) => {
  const { folder, made, coordinator: first } = await snapshot(t);
  const { coordinator, join: joinPeer, paths, store } = await second(t, folder);
  const params = { ...restartParams(made.path), env: { SEED: '7', OLD: null }, paths: [{ from: '/old', to: '/new' }] };
  const started = await coordinator.restart(params);
  assert.equal(coordinator.status.state, 'restarting');
  assert.ok(started.runFolder?.startsWith(`${store.runs}/again-`));
  assert.ok(existsSync(started.runFolder ?? ''));
  const words = started.command.slice(started.command.indexOf('--') + 1);
  assert.equal(basename(words[0] ?? ''), 'cairn-restore');
  assert.deepEqual(words.slice(1), [
    '--folder',
    made.path,
    '--path',
    '/old=/new',
    '--socket',
    paths.agentSocket,
    '--error-file',
    paths.restoreError,
  ]);

  const peer = await joinPeer({ snapshot: basename(made.path), plugins });
  const status = await coordinator.started(5000);
  assert.deepEqual(peer.phases, ['restart', 'file.open', 'vendor.connect', 'resume', 'running']);
  assert.equal(status.state, 'running');
  assert.equal(status.restartedFrom, made.snapshot);
  assert.equal(status.computation, first.status.computation);
  const told = (kind: SettingKind): [string, string][] =>
    peer.settings.filter((one) => one.kind === kind).map(({ key, value }) => [key, value]);
  assert.deepEqual(told(SettingKind.SETTING_PATH), [['/old', '/new']]);
  assert.deepEqual(told(SettingKind.SETTING_ENVIRONMENT_UNSET), [['OLD', '']]);
  assert.deepEqual(told(SettingKind.SETTING_RUN_FOLDER), [['', started.runFolder]]);
  assert.deepEqual(told(SettingKind.SETTING_SNAPSHOT_FOLDER), [['', made.path]]);
  const env = Object.fromEntries(told(SettingKind.SETTING_ENVIRONMENT));
  assert.equal(env['SEED'], '7');
  assert.equal(env['CAIRN_SESSION'], 'again');

  const next = await coordinator.checkpoint({ name: '', then: 'resume' });
  assert.equal(store.find(next.snapshot).parent, made.snapshot);
});

test('a breakpoint holds a restart, as long as it likes: who waits for the program is told, and then it goes on, or is cancelled', async (t) => {
  const { folder, made } = await snapshot(t);
  const held = async (session: string, holdAt: string[]) => {
    const fixture = await openCoordinator(t, { folder, session, deadlines: { phase: 100, grace: 50, start: 100 } });
    fixture.coordinator.breakAt(['restart', 'vendor.connect', 'resume']);
    await fixture.coordinator.restart({ ...restartParams(made.path), holdAt });
    const child = spawn('sleep', ['60']);
    atEnd(t, () => void child.kill('SIGKILL'));
    const peer = await fixture.join({ pid: child.pid ?? 0, virtualPid: process.pid, snapshot: basename(made.path), plugins });
    return { ...fixture, peer, child };
  };
  const { coordinator, peer } = await held('again', ['file.open']);
  const known = ['vendor.connect', 'restart', 'resume'];
  await waitFor('it to be held', () => coordinator.status.operation?.heldAt === 'restart');
  assert.deepEqual(coordinator.breakAt([...known, 'running', 'file.close']), known);
  for (const [label, before] of [
    ['restart', undefined],
    ['file.open', 'restart'],
    ['vendor.connect', 'file.open'],
    ['resume', 'vendor.connect'],
  ]) {
    await waitFor(`it to be held before ${label}`, () => coordinator.status.operation?.heldAt === label);
    assert.equal((await coordinator.started(1000)).operation?.heldAt, label);
    // More than a phase, or the restorers, may take.
    await new Promise((resolve) => setTimeout(resolve, 250));
    assert.equal(peer.phases.at(-1), before);
    // Nobody waits for it without knowing, and takes it for something of their own.
    const queued = { code: 'wrongState', message: new RegExp(`held before ${label}`) };
    await assert.rejects(coordinator.checkpoint({ name: '', then: 'resume' }), queued);
    await assert.rejects(coordinator.hold(), queued);
    assert.equal((await coordinator.resume()).state, 'restarting');
  }
  await waitFor('it to run', () => coordinator.status.state === 'running');
  assert.equal(coordinator.status.operation?.heldAt, '');

  const second = await held('cancelled', ['vendor.connect']);
  await waitFor('it to be held', () => second.coordinator.status.operation?.heldAt === 'restart');
  second.coordinator.cancel();
  await waitFor('its end', () => second.child.signalCode === 'SIGKILL');
  second.peer.close();
  await waitFor('it to be told', () => second.coordinator.status.state === 'exited');
  assert.match(second.coordinator.status.operation?.error ?? '', /cancelled/);

  const third = await held('gone', []);
  await waitFor('it to be held', () => third.coordinator.status.operation?.heldAt === 'restart');
  third.child.kill('SIGKILL');
  third.peer.close();
  await waitFor('its end', () => third.coordinator.status.state === 'exited');
  await assert.rejects(third.coordinator.checkpoint({ name: '', then: 'resume' }), { code: 'sessionEnded' });
});

test('a restart that is to be held before what there is not fails with what there is', async (t) => {
  const { folder, made } = await snapshot(t);
  const { coordinator, join: joinPeer } = await second(t, folder);
  await coordinator.restart({ ...restartParams(made.path), holdAt: ['Resume'] });
  const waiting = assert.rejects(coordinator.started(5000), { message: /no phase or barrier Resume .*held/ });
  const child = spawn('sleep', ['60']);
  atEnd(t, () => void child.kill('SIGKILL'));
  await joinPeer({ pid: child.pid ?? 0, virtualPid: process.pid, snapshot: basename(made.path), plugins });
  await waiting;
});

/** Of a session with these plugins from outside, the lowest layer first. */
async function snapshotWith(t: TestContext, libraries: readonly string[]) {
  const first = await openCoordinator(t);
  await first.coordinator.launch({
    ...launchParams,
    plugins: libraries.map((library) => ({ library, settings: '{"a":1,"b":2}' })),
  });
  const outside = libraries.map((library, layer) => ({ name: library.slice(5, -3), library, layer }));
  await first.join({ plugins: outside });
  await first.coordinator.started(5000);
  return { ...first, outside, made: await first.coordinator.checkpoint({ name: '', then: 'resume' }) };
}

test('plugins are taken out, ordered and set as asked for, and the session remembers it', async (t) => {
  const { folder, made, outside } = await snapshotWith(t, ['/lib/one.so', '/lib/two.so', '/lib/three.so']);
  const { coordinator, join: joinPeer, store } = await second(t, folder);
  await coordinator.restart({
    ...restartParams(made.path),
    withoutPlugins: ['two'],
    pluginOrder: ['three', 'one', 'four'],
    plugins: [{ library: '/lib/four.so', settings: '{}' }],
    pluginSettings: [{ plugin: 'one', key: 'a', value: '7' }],
  });
  const named = (name: string, layer: number) => ({ name, layer, library: `/lib/${name}.so` });
  const now = [named('three', 0), named('one', 1), named('four', 2)];
  const peer = await joinPeer({ snapshot: basename(made.path), plugins: now });
  await coordinator.started(5000);
  const told = (kind: SettingKind): [string, string][] =>
    peer.settings.filter((one) => one.kind === kind).map(({ key, value }) => [key, value]);
  assert.deepEqual(told(SettingKind.SETTING_PLUGIN), [
    ['/lib/three.so', '{"a":1,"b":2}'],
    ['/lib/one.so', '{"a":7,"b":2}'],
    ['/lib/four.so', '{}'],
  ]);
  assert.deepEqual(
    told(SettingKind.SETTING_OPTION).filter(([key]) => key === 'plugins.without'),
    [['plugins.without', '/lib/two.so']],
  );
  // A program that begins later, and the next snapshot.
  const child = spawn('sleep', ['60']);
  atEnd(t, () => void child.kill('SIGKILL'));
  const later = await joinPeer({ pid: child.pid ?? 0, plugins: now });
  assert.equal(later.settings.filter((one) => one.kind === SettingKind.SETTING_PLUGIN).length, 3);
  assert.ok(!later.settings.some(({ key }) => key === 'plugins.without'));
  assert.equal(outside.length, 3);
  child.kill('SIGKILL');
  later.close();
  await waitFor('its end', () => coordinator.status.processes.length === 1);
  const next = await coordinator.checkpoint({ name: '', then: 'resume' });
  assert.deepEqual(
    wholeManifest(store.find(next.snapshot).path).plugins.map(({ name }) => name),
    ['three', 'one', 'four'],
  );
});

for (const [what, asked] of [
  ['takes no plugin out', { withoutPlugins: ['one'] }],
  ['changes no order', { pluginOrder: ['two', 'one'] }],
] as const)
  test(`an agent of an older version, which ${what}, ends the restart with the reason`, async (t) => {
    const { folder, made, outside } = await snapshotWith(t, ['/lib/one.so', '/lib/two.so']);
    const { coordinator, join: joinPeer } = await second(t, folder);
    const changes = Object.fromEntries(Object.entries(asked).map(([key, names]) => [key, [...names]]));
    await coordinator.restart({ ...restartParams(made.path), ...changes });
    const child = spawn('sleep', ['60']);
    atEnd(t, () => void child.kill('SIGKILL'));
    const waiting = assert.rejects(coordinator.started(5000), { code: 'restartFailed', message: /older version of Cairn/ });
    const peer = await joinPeer({
      pid: child.pid ?? 0,
      virtualPid: process.pid,
      snapshot: basename(made.path),
      plugins: outside,
    });
    await waiting;
    peer.close();
  });

test('in place there is no run folder', async (t) => {
  const { folder, made } = await snapshot(t);
  const { coordinator, join: joinPeer } = await second(t, folder);
  const started = await coordinator.restart({ ...restartParams(made.path), inPlace: true });
  assert.equal(started.runFolder, null);
  const peer = await joinPeer({ snapshot: basename(made.path) });
  await coordinator.started(5000);
  assert.ok(!peer.settings.some((one) => one.kind === SettingKind.SETTING_RUN_FOLDER));
});

test('a restart barrier that fails ends the process, and says why', async (t) => {
  const { folder, made, peer: before } = await snapshot(t);
  const { coordinator, join: joinPeer } = await second(t, folder);
  await coordinator.restart(restartParams(made.path));
  const child = spawn('sleep', ['60']);
  atEnd(t, () => void child.kill('SIGKILL'));
  const ended = new Promise<string | null>((resolve) => child.once('exit', (_, signal) => resolve(signal)));
  const waiting = assert.rejects(coordinator.started(5000), { code: 'restartFailed', message: /the disk is on fire/ });
  const peer = await joinPeer({
    pid: child.pid ?? 0,
    virtualPid: before.virtualPid,
    snapshot: basename(made.path),
    plugins,
    failing: ['file.open'],
  });
  await waiting;
  assert.equal(await ended, 'SIGKILL');
  peer.close();
  assert.deepEqual(peer.phases, ['restart', 'file.open', 'abort']);
  assert.match(coordinator.status.operation?.error ?? '', /the disk is on fire/);
});

test('a restorer that ends early is told with its own words', async (t) => {
  const { folder, made } = await snapshot(t);
  const { coordinator, join: joinPeer, paths } = await second(t, folder);
  await coordinator.restart(restartParams(made.path));
  const waiting = assert.rejects(coordinator.started(5000), { code: 'restartFailed', message: /mmap: no room at 0x1000/ });
  writeFileSync(paths.restoreError, 'mmap: no room at 0x1000\n');
  const launcher = await joinPeer({ launcher: true });
  launcher.send(0n, { case: 'processExit', value: { realPid: 1, waitStatus: 1 << 8 } });
  await waiting;
  assert.equal(coordinator.status.state, 'exited');
});

test('a copy of a snapshot elsewhere can be restarted', async (t) => {
  const { folder, made } = await snapshot(t);
  const copy = join(folder, 'copied');
  cpSync(made.path, copy, { recursive: true });
  rmSync(made.path, { recursive: true });
  const { coordinator, join: joinPeer } = await second(t, folder);
  await coordinator.restart(restartParams(copy));
  await joinPeer({ snapshot: 'copied' });
  assert.equal((await coordinator.started(5000)).state, 'running');
});

test('a damaged snapshot is refused before anything starts', async (t) => {
  const { folder, made, peer } = await snapshot(t);
  writeFileSync(join(made.path, `p${peer.virtualPid}.pages`), 'torn');
  const { coordinator, store } = await second(t, folder);
  await assert.rejects(coordinator.restart(restartParams(made.path)), {
    code: 'preflight',
    message: /p\d+\.pages has 4 bytes instead of/,
  });
  assert.ok(!existsSync(store.runs));
  assert.equal(coordinator.status.state, 'exited');
});

test('a compressed snapshot is unpacked into the cache, and its raw pages are those that were written', async (t) => {
  const { folder, made, peer } = await snapshot(t, 'zstd');
  const { coordinator, join: joinPeer, store } = await second(t, folder);
  const { command } = await coordinator.restart(restartParams(made.path));
  const unpacked = command[command.indexOf('--folder') + 1] ?? '';
  assert.equal(dirname(unpacked), store.cache);
  assert.ok(readFileSync(join(unpacked, `p${peer.virtualPid}.pages`)).equals(Buffer.alloc(8192, 'pages')));
  assert.ok(
    readFileSync(join(unpacked, `p${peer.virtualPid}.meta`)).equals(readFileSync(join(made.path, `p${peer.virtualPid}.meta`))),
  );
  await joinPeer({ snapshot: made.snapshot });
  assert.equal((await coordinator.started(5000)).state, 'running');
});
