/** A checkpoint as the agents see it: order of phases, what becomes of the files, and the abort edge from every phase. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Manifest } from '../../debug-adapter/src/protocol/snapshot.js';
import { snapshotTable } from '../../debug-adapter/src/store/store.js';
import { verify } from '../../debug-adapter/src/store/verification.js';
import { waitFor } from '../support/processes.js';
import { running } from './fixture.js';

const plugins = [
  { name: 'file', layer: 0, barriers: ['flush', 'offsets'] },
  { name: 'vendor', layer: 1, barriers: ['drain'] },
];
const resume = { name: '', then: 'resume' } as const;

test('goes through all phases, the upper layer drains first, and makes a whole snapshot', async (t) => {
  const { coordinator, peer, store } = await running(t, { peer: { plugins } });
  const result = await coordinator.checkpoint({ name: 'roi', then: 'resume' });
  assert.deepEqual(peer.phases, [
    'presuspend',
    'suspend',
    'vendor.drain',
    'file.flush',
    'file.offsets',
    'save',
    'resume',
    'running',
  ]);
  assert.equal(result.pauseMs, 2.5);
  assert.ok(result.totalMs > 0);
  assert.deepEqual(result.simulatedTime, { ticks: '1500', unit: -9 });
  assert.equal(result.path, store.folderOf(result.snapshot));

  const [listed] = store.list();
  assert.equal(listed?.problem, '');
  assert.equal(listed?.name, 'roi');
  assert.equal(listed?.bytes, result.bytes);
  const manifest = Manifest.parse(JSON.parse(readFileSync(join(result.path, 'manifest.json'), 'utf8')));
  assert.equal(
    manifest.bytes,
    manifest.files.reduce((sum, file) => sum + file.size, 0),
  );
  assert.equal(manifest.processes[0]?.threads, 3);
  assert.equal(manifest.host.libc, '2.36');
  assert.deepEqual(
    manifest.phases.map((one) => one.phase),
    [...peer.phases, 'write'],
  );
  assert.equal(snapshotTable(listed, 'path')[0]?.real, '/b');
  assert.deepEqual(readdirSync(store.tmp), []);
  assert.equal(coordinator.status.state, 'running');
  assert.equal(coordinator.status.lastSnapshot, result.snapshot);
});

test('what writes an image is told to wait for the threads only where they go on at once', async (t) => {
  const { coordinator, peer } = await running(t, { peer: { plugins } });
  await coordinator.checkpoint(resume);
  assert.equal(peer.goesOn, true);
  const held = coordinator.checkpoint({ ...resume, holdAt: ['save'] });
  await waitFor('it to be held', () => coordinator.status.operation?.heldAt === 'save');
  await coordinator.resume();
  await held;
  assert.equal(peer.goesOn, false);
  await coordinator.checkpoint({ name: '', then: 'hold' });
  assert.equal(peer.goesOn, false);
});

test('the next snapshot is a child of the one before', async (t) => {
  const { coordinator, store } = await running(t);
  const first = await coordinator.checkpoint(resume);
  const second = await coordinator.checkpoint(resume);
  assert.equal(store.find(second.snapshot).parent, first.snapshot);
  assert.equal(store.find(first.snapshot).parent, null);
});

for (const phase of ['presuspend', 'suspend', 'vendor.drain', 'save', 'resume', 'running'] as const) {
  test(`an error in ${phase} aborts, names its culprit, and leaves nothing`, async (t) => {
    const { coordinator, peer, store } = await running(t, { peer: { plugins } });
    peer.behaviours.set(phase, 'fail');
    await assert.rejects(coordinator.checkpoint(resume), (error: Error & { code?: string; remedy?: string }) => {
      assert.equal(error.code, 'phaseFailed');
      assert.match(error.message, /simulator.*the disk is on fire/);
      assert.match(error.remedy ?? '', /test/);
      return true;
    });
    assert.equal(peer.phases.at(-1), 'abort');
    assert.deepEqual(readdirSync(store.tmp), []);
    assert.deepEqual(store.list(), []);
    assert.equal(coordinator.status.state, 'running');
    assert.equal(coordinator.status.operation?.finished, true);
    assert.notEqual(coordinator.status.operation?.error, '');
    peer.behaviours.clear();
    assert.equal((await coordinator.checkpoint(resume)).pauseMs, 2.5);
  });

  test(`a deadline that passes in ${phase} aborts, and names who did not arrive`, async (t) => {
    const { coordinator, peer, store } = await running(t, { peer: { plugins }, deadlines: { phase: 100, grace: 50 } });
    peer.behaviours.set(phase, 'hang');
    await assert.rejects(coordinator.checkpoint(resume), {
      code: 'phaseDeadline',
      message: new RegExp(`${phase}.*${process.pid} \\(simulator\\)`),
    });
    assert.equal(peer.phases.at(-1), 'abort');
    assert.deepEqual(store.list(), []);
    assert.equal(coordinator.status.state, 'running');
  });
}

test('what a plugin waits for at its barrier is told, takes no time of the phase, and can be given up', async (t) => {
  const { coordinator, peer, store } = await running(t, { peer: { plugins }, deadlines: { phase: 150, grace: 50 } });
  peer.waits.set('vendor.drain', 'the emulator is not ready');
  const first = coordinator.checkpoint(resume);
  const heldOff = (): string | undefined => coordinator.status.operation?.heldOff[0]?.why;
  await waitFor('the plugin to wait', () => heldOff());
  assert.equal(heldOff(), 'the emulator is not ready');
  // More than the phase has.
  await sleep(600);
  assert.equal(coordinator.status.operation?.finished, false);
  peer.waits.clear();
  assert.equal((await first).pauseMs, 2.5);
  assert.deepEqual(coordinator.status.operation?.heldOff, []);
  assert.equal(peer.phases.filter((phase) => phase === 'vendor.drain').length, 1);

  peer.waits.set('vendor.drain', 'the emulator is not ready');
  const second = coordinator.checkpoint(resume);
  await waitFor('the plugin to wait', () => heldOff());
  coordinator.cancel();
  await assert.rejects(second, { code: 'cancelled' });
  assert.equal(peer.phases.at(-1), 'abort');
  assert.equal(store.list().length, 1);
});

test('a breakpoint holds a checkpoint before a phase or barrier, as long as it likes; it goes on, or is cancelled', async (t) => {
  const { coordinator, peer, store } = await running(t, { peer: { plugins }, deadlines: { phase: 100, grace: 50 } });
  assert.deepEqual(coordinator.breakAt(['file.flush', 'precheckpoint', 'suspend', 'vendor.unknown']), [
    'file.flush',
    'precheckpoint',
  ]);
  const heldAt = (): string | undefined => coordinator.status.operation?.heldAt;
  await assert.rejects(coordinator.checkpoint({ ...resume, holdAt: ['save', 'vendor.drian'] }), {
    code: 'usage',
    message: /vendor\.drian/,
    remedy: /vendor\.drain/,
  });
  const first = coordinator.checkpoint({ ...resume, holdAt: ['vendor.drain'] });
  for (const [label, before] of [
    ['vendor.drain', 'suspend'],
    ['file.flush', 'vendor.drain'],
    ['save', 'file.offsets'],
  ]) {
    await waitFor(`it to be held before ${label}`, () => heldAt() === label);
    // More than a phase may take.
    await sleep(300);
    assert.equal(peer.phases.at(-1), before);
    assert.equal((await coordinator.resume()).state, 'checkpointing');
  }
  assert.equal(store.find((await first).snapshot).problem, '');
  assert.equal(heldAt(), '');

  coordinator.breakAt(['save']);
  const second = coordinator.checkpoint(resume);
  await waitFor('it to be held', () => heldAt() === 'save');
  coordinator.cancel();
  await assert.rejects(second, { code: 'cancelled' });
  assert.equal(peer.phases.at(-1), 'abort');
  assert.equal(heldAt(), '');
  assert.equal(store.list().length, 1);
  coordinator.breakAt([]);
  await coordinator.checkpoint(resume);
});

test('a state that processes will soon have left is waited out, for a while', async (t) => {
  const { coordinator, peer, store } = await running(t, { peer: { plugins } });
  peer.behaviours.set('file.flush', 'not now');
  const result = coordinator.checkpoint(resume);
  await waitFor('some attempts', () => peer.phases.filter((phase) => phase === 'abort').length > 2);
  peer.behaviours.clear();
  await result;
  assert.equal(store.list().length, 1);
  const phases = coordinator.status.operation?.phases.map(({ phase }) => phase) ?? [];
  assert.equal(phases.filter((phase) => phase === 'presuspend').length, 1);
  assert.ok(!phases.includes('abort'));

  peer.behaviours.set('file.flush', 'not now');
  await assert.rejects(coordinator.checkpoint(resume), { code: 'phaseFailed', message: /the disk is on fire/ });
  assert.equal(peer.phases.at(-1), 'abort');
  assert.equal(store.list().length, 1);
});

test('a critical section keeps a checkpoint off, and leaves no trace in its phases', async (t) => {
  const { coordinator, peer, store } = await running(t, { peer: { plugins }, deadlines: { phase: 150, grace: 50 } });
  peer.section = 'it is in a critical section (bus lock), for 3 ms';
  const result = coordinator.checkpoint(resume);
  const held = await waitFor('the operation to wait', () => coordinator.status.operation?.heldOff[0]);
  assert.equal(held.why, peer.section);
  await sleep(400);
  peer.section = '';
  await result;
  assert.equal(store.list().length, 1);
  const phases = coordinator.status.operation?.phases.map(({ phase }) => phase) ?? [];
  assert.equal(phases.filter((phase) => phase === 'presuspend').length, 1);
  assert.ok(!phases.includes('abort'));
});

// A process that goes on may end: what is lost then is noticed where its image is waited for.
for (const [phase, noticed] of [
  ['presuspend', 'presuspend'],
  ['suspend', 'suspend'],
  ['save', 'save'],
  ['running', 'write'],
] as const) {
  test(`a connection lost in ${phase} is told as such, and leaves nothing`, async (t) => {
    const { coordinator, peer, store } = await running(t);
    peer.behaviours.set(phase, 'disconnect');
    await assert.rejects(coordinator.checkpoint(resume), {
      code: 'processLost',
      message: new RegExp(`lost its connection during phase ${noticed}`),
    });
    assert.deepEqual(readdirSync(store.tmp), []);
    assert.deepEqual(store.list(), []);
  });
}

test('a process that cannot write its image leaves nothing', async (t) => {
  const { coordinator, peer, store } = await running(t);
  peer.save = 'error';
  await assert.rejects(coordinator.checkpoint(resume), { code: 'saveFailed', message: /no space left on device/ });
  assert.deepEqual(readdirSync(store.tmp), []);
  assert.deepEqual(store.list(), []);
});

test('memory that a program keeps from its children is no matter of the disk', async (t) => {
  const { coordinator, peer, store } = await running(t);
  peer.save = 'kept';
  await assert.rejects(coordinator.checkpoint(resume), { code: 'memoryNotInherited', blame: 'program', remedy: /MADV_DOFORK/ });
  assert.deepEqual(store.list(), []);
});

test('a file that is shorter than its process says is no snapshot', async (t) => {
  const { coordinator, peer, store } = await running(t);
  peer.save = 'short';
  await assert.rejects(coordinator.checkpoint(resume), { code: 'saveIncomplete' });
  assert.deepEqual(store.list(), []);
  assert.equal(coordinator.status.state, 'running');
});

test('an image that is not written in time is given up', async (t) => {
  const { coordinator, peer, store } = await running(t, { deadlines: { write: 100 } });
  peer.save = 'silent';
  await assert.rejects(coordinator.checkpoint(resume), { code: 'phaseDeadline', message: /write/ });
  assert.equal(peer.phases.at(-1), 'abort');
  assert.deepEqual(readdirSync(store.tmp), []);
});

test('cancel takes the abort edge', async (t) => {
  const { coordinator, peer, store } = await running(t);
  peer.behaviours.set('suspend', 'hang');
  const result = coordinator.checkpoint(resume);
  const settled = assert.rejects(result, { code: 'cancelled' });
  while (!peer.phases.includes('suspend')) await new Promise((resolve) => setImmediate(resolve));
  coordinator.cancel();
  await settled;
  assert.equal(peer.phases.at(-1), 'abort');
  assert.deepEqual(readdirSync(store.tmp), []);
  assert.equal(coordinator.status.state, 'running');
});

test('then hold leaves the threads stopped; a checkpoint of a held session does not stop them again', async (t) => {
  const { coordinator, peer } = await running(t);
  await coordinator.checkpoint({ name: '', then: 'hold' });
  assert.deepEqual(peer.phases, ['presuspend', 'suspend', 'save']);
  assert.equal(coordinator.status.state, 'held');
  await coordinator.checkpoint({ name: '', then: 'hold' });
  assert.deepEqual(peer.phases.slice(3), ['save']);
  await coordinator.checkpoint({ name: '', then: 'resume' });
  assert.equal(coordinator.status.state, 'held');
  peer.phases.pop();
  assert.equal((await coordinator.resume()).state, 'running');
  assert.deepEqual(peer.phases.slice(4), ['resume', 'running']);
});

test('hold and resume, twice each, are what they say', async (t) => {
  const { coordinator, peer } = await running(t);
  assert.equal((await coordinator.hold()).state, 'held');
  assert.equal((await coordinator.hold()).state, 'held');
  assert.equal((await coordinator.resume()).state, 'running');
  assert.equal((await coordinator.resume()).state, 'running');
  assert.deepEqual(peer.phases, ['presuspend', 'suspend', 'resume', 'running']);
});

test('a process that cannot be checkpointed says why', async (t) => {
  const { coordinator } = await running(t, { peer: { problem: 'it shares memory with a process that is not under Cairn' } });
  await assert.rejects(coordinator.checkpoint(resume), { code: 'cannotCheckpoint', message: /shares memory/ });
});

test('operations wait for one another', async (t) => {
  const { coordinator, peer } = await running(t);
  const [first, second] = await Promise.all([coordinator.checkpoint(resume), coordinator.checkpoint(resume)]);
  assert.notEqual(first?.snapshot, second?.snapshot);
  const once = ['presuspend', 'suspend', 'save', 'resume', 'running'];
  assert.deepEqual(peer.phases, [...once, ...once]);
});

test('code inside the application can ask for a checkpoint', async (t) => {
  const { peer, store } = await running(t);
  const answer = await peer.requestCheckpoint('from inside');
  assert.equal(answer.error, '');
  assert.equal(store.find(answer.snapshot).name, 'from inside');
});

test('compressed snapshots hold no raw pages, and are whole', async (t) => {
  const { coordinator, store, peer } = await running(t, { compression: 'zstd' });
  const { path, snapshot } = await coordinator.checkpoint(resume);
  assert.ok(existsSync(join(path, `p${peer.virtualPid}.pages.zst`)));
  assert.ok(!existsSync(join(path, `p${peer.virtualPid}.pages`)));
  const manifest = Manifest.parse(JSON.parse(readFileSync(join(path, 'manifest.json'), 'utf8')));
  assert.equal(manifest.compression, 'zstd');
  assert.equal(store.find(snapshot).problem, '');
  await verify(path, manifest);
});

test('a store that cannot be written is an error before any thread is stopped', async (t) => {
  const { coordinator, peer, store } = await running(t);
  const { writeFileSync } = await import('node:fs');
  writeFileSync(store.path, 'a file, not a folder');
  await assert.rejects(coordinator.checkpoint(resume), { code: 'storeUnusable' });
  assert.ok(!peer.phases.includes('suspend'));
  assert.equal(coordinator.status.state, 'running');
});
