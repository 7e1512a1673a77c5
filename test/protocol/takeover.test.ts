/** A coordinator that takes over the computation of one that is no more. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { test } from 'node:test';
import { readRecord } from '../../debug-adapter/src/coordinator/record.js';
import { atEnd, openCoordinator, running } from './fixture.js';

test('agents that connect again find the session as it was, and their snapshots keep their parent', async (t) => {
  const first = await running(t);
  const { snapshot } = await first.coordinator.checkpoint({ name: '', then: 'resume' });
  first.coordinator.close();
  await first.peer.closed;

  const record = readRecord(first.paths.record);
  assert.equal(record?.lastSnapshot, snapshot);
  assert.deepEqual(
    record?.live.map((one) => one.pid),
    [process.pid],
  );
  const second = await openCoordinator(t, { folder: first.folder, takeOver: true });
  assert.equal(second.coordinator.isIdle, false);
  assert.equal(second.coordinator.status.state, 'starting');
  const peer = await second.join({ reconnected: true });
  await second.coordinator.started(5000);
  const { computation, argv, lastSnapshot, state } = second.coordinator.status;
  assert.deepEqual(
    { computation, argv, lastSnapshot, state },
    { computation: record?.computation, argv: record?.argv, lastSnapshot: snapshot, state: 'running' },
  );
  assert.deepEqual(peer.settings, []);
  const next = await second.coordinator.checkpoint({ name: '', then: 'resume' });
  assert.equal(second.store.find(next.snapshot).parent, snapshot);
});

test('a restarted process that connects again is not restarted again', async (t) => {
  const first = await running(t);
  first.coordinator.close();
  const second = await openCoordinator(t, { folder: first.folder, takeOver: true });
  const peer = await second.join({ reconnected: true, snapshot: 'aaaaaaaaaaaa' });
  await second.coordinator.started(5000);
  assert.deepEqual(peer.phases, []);
});

test('where the computation has ended meanwhile there is nothing to take over', async (t) => {
  const child = spawn('sleep', ['60']);
  atEnd(t, () => void child.kill('SIGKILL'));
  const first = await running(t, { peer: { pid: child.pid ?? 0 } });
  first.coordinator.close();
  child.kill('SIGKILL');
  await new Promise((resolve) => child.once('exit', resolve));
  const second = await openCoordinator(t, { folder: first.folder, takeOver: true });
  assert.equal(second.coordinator.isIdle, true);
});

test('a process that ends while nobody looks is noticed by its pid', async (t) => {
  const child = spawn('sleep', ['60']);
  atEnd(t, () => void child.kill('SIGKILL'));
  const first = await running(t, { peer: { pid: child.pid ?? 0 } });
  first.coordinator.close();
  const second = await openCoordinator(t, { folder: first.folder, takeOver: true });
  child.kill('SIGKILL');
  await second.coordinator.ended;
  assert.equal(second.coordinator.status.exitStatus, null);
});
