/** Computations of several processes, as their agents see them: who is stopped when, and what a snapshot says of them. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Manifest } from '../../debug-adapter/src/protocol/snapshot.js';
import { waitFor } from '../support/processes.js';
import { atEnd, openCoordinator, restartParams, running } from './fixture.js';

const resume = { name: '', then: 'resume' } as const;

/** A process that the coordinator may look for in /proc. */
function living(t: TestContext): ChildProcess & { pid: number } {
  const child = spawn('sleep', ['60']);
  atEnd(t, () => void child.kill('SIGKILL'));
  assert.ok(child.pid !== undefined);
  return Object.assign(child, { pid: child.pid });
}

test('all processes go through the phases, and the snapshot knows parents and those that have ended', async (t) => {
  const child = living(t);
  const ended = { virtualPid: 77, realPid: 77, ended: true, waitStatus: 9 };
  const {
    coordinator,
    peer,
    join: joinPeer,
  } = await running(t, {
    peer: { children: [{ virtualPid: child.pid, realPid: child.pid }, ended] },
  });
  const other = await joinPeer({ pid: child.pid, parent: peer.virtualPid });
  const { path } = await coordinator.checkpoint(resume);
  const phases = ['presuspend', 'suspend', 'save', 'resume', 'running'];
  assert.deepEqual(other.phases, phases);
  assert.deepEqual(peer.phases, phases);
  const manifest = Manifest.parse(JSON.parse(readFileSync(join(path, 'manifest.json'), 'utf8')));
  assert.deepEqual(
    manifest.processes.map(({ virtualPid, parent }) => [virtualPid, parent]),
    [
      [peer.virtualPid, 0],
      [child.pid, peer.virtualPid],
    ],
  );
  assert.equal(
    readFileSync(join(path, 'processes'), 'utf8'),
    `P ${peer.virtualPid} 0 0\nP ${child.pid} ${peer.virtualPid} 0\nZ 77 ${peer.virtualPid} 9\n`,
  );
});

test('barriers that no process needs any more are left out, but where a checkpoint may be held at them', async (t) => {
  const child = living(t);
  const plugins = [{ name: 'file', layer: 0, barriers: ['look', 'flush', 'offsets'] }];
  const first = await running(t, { peer: { plugins, children: [{ virtualPid: child.pid, realPid: child.pid }] } });
  const { coordinator, peer } = first;
  const other = await first.join({ pid: child.pid, parent: peer.virtualPid, plugins });
  const barriers = async (holdAt: string[] = []): Promise<string[]> => {
    peer.phases.length = other.phases.length = 0;
    const made = coordinator.checkpoint({ ...resume, holdAt });
    if (holdAt.length > 0) {
      await waitFor('the breakpoint', () => coordinator.status.operation?.heldAt === holdAt[0]);
      await coordinator.resume();
    }
    await made;
    assert.deepEqual(other.phases, peer.phases);
    return peer.phases.filter((phase) => phase.startsWith('file.'));
  };
  const all = ['file.look', 'file.flush', 'file.offsets'];
  peer.needsNoLater.add('file.look');
  assert.deepEqual(await barriers(), all);
  other.needsNoLater.add('file.look');
  assert.deepEqual(await barriers(), ['file.look']);
  assert.deepEqual(await barriers(['file.offsets']), all);
  other.needsNoLater.clear();
  for (const one of [peer, other]) one.needsNoLater.add('file.flush');
  assert.deepEqual(await barriers(), ['file.look', 'file.flush']);
});

// One waits for something outside, which takes as long as it takes; of the other it is not to be seen less.
for (const behaviour of ['fail', 'hang', 'disconnect'] as const) {
  test(`while one waits at a barrier, another that does not (${behaviour}) ends the checkpoint, and the next one is whole`, async (t) => {
    const plugins = [{ name: 'vendor', layer: 1, barriers: ['drain'] }];
    const child = living(t);
    const first = await running(t, {
      peer: { plugins, children: [{ virtualPid: child.pid, realPid: child.pid }] },
      deadlines: { phase: 900, grace: 50 },
    });
    const { coordinator, peer } = first;
    const other = await first.join({ pid: child.pid, parent: peer.virtualPid, plugins });
    peer.waits.set('vendor.drain', 'the emulator is not ready');
    other.behaviours.set('vendor.drain', behaviour);
    await assert.rejects(coordinator.checkpoint(resume), {
      code: { fail: 'phaseFailed', hang: 'phaseDeadline', disconnect: 'processLost' }[behaviour],
    });
    assert.deepEqual(coordinator.status.operation?.heldOff, []);
    const polls = peer.asked;
    await sleep(300);
    assert.equal(peer.asked, polls, 'it is still asked for');
    peer.waits.clear();
    other.behaviours.clear();
    if (behaviour === 'disconnect') await first.join({ pid: child.pid, parent: peer.virtualPid, plugins, reconnected: true });
    assert.match((await coordinator.checkpoint(resume)).snapshot, /^[0-9a-f]+$/);
  });
}

test('a process that fails with the number of a critical section, but is in none, is no reason to try again', async (t) => {
  const { coordinator, peer } = await running(t);
  peer.behaviours.set('suspend', 'busy');
  await assert.rejects(coordinator.checkpoint(resume), { code: 'phaseFailed', message: /the disk is on fire/ });
  assert.equal(peer.phases.filter((phase) => phase === 'suspend').length, 1);
});

test('a process that ends while tables are read takes nothing from the others', async (t) => {
  const child = living(t);
  const { coordinator, peer, join: joinPeer } = await running(t);
  const other = await joinPeer({ pid: child.pid, parent: peer.virtualPid });
  other.leavesAtTable = true;
  assert.deepEqual(
    (await coordinator.table('path')).map((row) => row.virtualPid),
    [peer.virtualPid],
  );
});

test('a process whose connection is about to end is waited for, with everything else going on', async (t) => {
  const child = living(t);
  const { coordinator, peer, join: joinPeer } = await running(t);
  const other = await joinPeer({ pid: child.pid, parent: peer.virtualPid, lingers: true });
  const closes = other.coordinatorCloses;
  other.send(0n, { case: 'saveDone', value: { operation: 99n, alone: true } });
  await closes;
  setTimeout(() => {
    other.close();
    child.kill('SIGKILL');
  }, 200);
  await coordinator.checkpoint(resume);
  assert.deepEqual(other.phases, []);
  assert.equal(peer.phases.at(-1), 'running');
});

test('a child that connects while its parent is stopped is stopped, too', async (t) => {
  const child = living(t);
  const {
    coordinator,
    peer,
    join: joinPeer,
  } = await running(t, {
    peer: { children: [{ virtualPid: child.pid, realPid: child.pid }] },
  });
  const made = coordinator.checkpoint(resume);
  const suspended = (): boolean => peer.phases.filter((phase) => phase === 'suspend').length === 2;
  while (!suspended()) await new Promise((resolve) => setTimeout(resolve, 5));
  const other = await joinPeer({ pid: child.pid, parent: peer.virtualPid });
  const { path } = await made;
  assert.deepEqual(other.phases, ['presuspend', 'suspend', 'save', 'resume', 'running']);
  assert.equal(Manifest.parse(JSON.parse(readFileSync(join(path, 'manifest.json'), 'utf8'))).processes.length, 2);
});

test('a child without an agent is refused by its pid, and all run on', async (t) => {
  const child = living(t);
  const { coordinator, peer, store } = await running(t, {
    deadlines: { phase: 300 },
    peer: { children: [{ virtualPid: child.pid, realPid: child.pid }] },
  });
  await assert.rejects(coordinator.checkpoint(resume), { code: 'childWithoutAgent', message: new RegExp(`\\b${child.pid}\\b`) });
  assert.equal(peer.phases.at(-1), 'abort');
  assert.equal(coordinator.status.state, 'running');
  assert.deepEqual(store.list(), []);
});

test('a child that ends before its agent is there is one that has ended', async (t) => {
  // Its parent waits for it no more than a stopped one could.
  const script = '$| = 1; my $pid = fork; exit 5 if $pid == 0; print "$pid\\n"; sleep 60';
  const parent = spawn('perl', ['-e', script]);
  atEnd(t, () => void parent.kill('SIGKILL'));
  const pid = await new Promise<number>((resolve) => parent.stdout.once('data', (line: Buffer) => resolve(Number(line))));
  const { coordinator, peer } = await running(t, { peer: { children: [{ virtualPid: pid, realPid: pid }] } });
  const { path } = await coordinator.checkpoint(resume);
  assert.match(readFileSync(join(path, 'processes'), 'utf8'), new RegExp(`^Z ${pid} ${peer.virtualPid} ${5 << 8}$`, 'm'));
});

/** A restart that has begun, of a process of this one's pid and its child. */
async function restartOfTwo(t: TestContext, child: number) {
  const first = await running(t, { peer: { children: [{ virtualPid: child, realPid: child }] } });
  await first.join({ pid: child, parent: first.peer.virtualPid });
  const made = await first.coordinator.checkpoint(resume);
  const second = await openCoordinator(t, { folder: first.folder, session: 'again' });
  await second.coordinator.restart(restartParams(made.path));
  return { first, made, second };
}

test('what is asked for while the processes of a restart come waits for them', async (t) => {
  const child = living(t);
  const { made, second } = await restartOfTwo(t, child.pid);
  const { coordinator } = second;
  const root = await second.join({ snapshot: basename(made.path) });
  const wanted = coordinator.checkpoint(resume);
  const other = await second.join({ snapshot: basename(made.path), pid: child.pid, parent: root.virtualPid });
  assert.equal((await coordinator.started(5000)).state, 'running');
  assert.deepEqual(root.phases.slice(0, 3), ['restart', 'resume', 'running']);
  assert.equal(second.store.find((await wanted).snapshot).parent, made.snapshot);
  assert.deepEqual(other.phases, root.phases);
});

test('a checkpoint that waits for a restart is given up without it', async (t) => {
  const child = living(t);
  const { made, second } = await restartOfTwo(t, child.pid);
  const { coordinator } = second;
  const root = await second.join({ snapshot: basename(made.path) });
  const wanted = coordinator.checkpoint(resume);
  coordinator.cancel('checkpoint');
  await assert.rejects(wanted, { code: 'cancelled', remedy: /had not begun/ });
  await second.join({ snapshot: basename(made.path), pid: child.pid });
  assert.equal((await coordinator.started(5000)).state, 'running');
  assert.deepEqual(root.phases, ['restart', 'resume', 'running']);
  assert.equal(second.store.list().length, 1);
});

test('what waits for a restart that comes to nothing is told so', async (t) => {
  const child = living(t);
  const gone = new Promise((resolve) => child.once('exit', (_, signal) => resolve(signal)));
  const { made, second } = await restartOfTwo(t, child.pid);
  const { coordinator } = second;
  const other = await second.join({ snapshot: basename(made.path), pid: child.pid });
  const refused = assert.rejects(coordinator.checkpoint(resume), { code: 'sessionEnded' });
  const waiting = assert.rejects(coordinator.started(5000), { code: 'cancelled' });
  coordinator.cancel();
  assert.equal(await gone, 'SIGKILL');
  other.close();
  await waiting;
  await refused;
});

test('a restart runs when all its processes have come', async (t) => {
  const child = living(t);
  const { made, second } = await restartOfTwo(t, child.pid);
  const root = await second.join({ snapshot: basename(made.path) });
  assert.equal(second.coordinator.status.state, 'restarting');
  const other = await second.join({ snapshot: basename(made.path), pid: child.pid });
  assert.equal((await second.coordinator.started(5000)).state, 'running');
  assert.deepEqual(root.phases, ['restart', 'resume', 'running']);
  assert.deepEqual(other.phases, root.phases);
});

test('where one process cannot be restored, the others are ended', async (t) => {
  const child = living(t);
  const gone = new Promise((resolve) => child.once('exit', (_, signal) => resolve(signal)));
  const { made, second } = await restartOfTwo(t, child.pid);
  const waiting = assert.rejects(second.coordinator.started(5000), { code: 'restartFailed', message: /no memory left/ });
  const { writeFileSync } = await import('node:fs');
  const other = await second.join({ snapshot: basename(made.path), pid: child.pid });
  writeFileSync(second.paths.restoreError, 'no memory left\n');
  assert.equal(await gone, 'SIGKILL');
  other.close();
  await waiting;
});

test('where one process says why it cannot take part in a restart, the others are ended, and that is told', async (t) => {
  const [child, dying] = [living(t), living(t)];
  const gone = new Promise((resolve) => child.once('exit', (_, signal) => resolve(signal)));
  const { first, made, second } = await restartOfTwo(t, child.pid);
  const why = /\(simulator\): the plugin is out of order/;
  const waiting = assert.rejects(second.coordinator.started(5000), { code: 'restartFailed', message: why });
  const other = await second.join({ snapshot: basename(made.path), pid: child.pid });
  const virtualPid = first.peer.virtualPid;
  await second.join({ snapshot: basename(made.path), pid: dying.pid, virtualPid, dies: 'the plugin is out of order' });
  dying.kill('SIGKILL');
  assert.equal(await gone, 'SIGKILL');
  other.close();
  await waiting;
});
