import assert from 'node:assert/strict';
import test from 'node:test';
import { type DapEvent, Progress } from '../../debug-adapter/src/dap/progress.js';
import { status, vvp } from '../unit/snapshots.js';

const names = (events: DapEvent[]) => events.map(({ event }) => event);
const running = status({ processes: [vvp(4711)] });
const held = { ...running, state: 'held' as const };
const checkpointing = { ...running, state: 'checkpointing' as const };

test('a hold is one stop of all threads, going on is one continue', () => {
  const progress = new Progress();
  assert.deepEqual(progress.next(running), [{ event: 'thread', body: { reason: 'started', threadId: 4711 } }]);
  assert.deepEqual(progress.next(held), [
    { event: 'stopped', body: { reason: 'pause', description: 'Held', threadId: 4711, allThreadsStopped: true } },
  ]);
  assert.deepEqual(progress.next(held), []);
  assert.ok(progress.stopped);
  assert.deepEqual(progress.next(running), [{ event: 'continued', body: { threadId: 4711, allThreadsContinued: true } }]);
  assert.ok(!progress.stopped);
});

test('a checkpoint is neither, running or held', () => {
  const progress = new Progress();
  progress.next(running);
  assert.deepEqual(names([...progress.next(checkpointing), ...progress.next(running)]), []);
  progress.next(held);
  assert.deepEqual(names([...progress.next(checkpointing), ...progress.next(held)]), []);
});

test('a checkpoint that a breakpoint holds is a stop, and goes on from there', () => {
  const progress = new Progress();
  progress.next(running);
  const at = (heldAt: string) => ({
    ...checkpointing,
    operation: { id: 1, kind: 'checkpoint' as const, phases: [], heldOff: [], heldAt, startedAt: '', finished: false, error: '' },
  });
  assert.deepEqual(names(progress.next(at(''))), []);
  const [stop] = progress.next(at('socket.drain'));
  assert.ok(stop?.event === 'stopped');
  assert.deepEqual([stop.body.reason, stop.body.description], ['function breakpoint', 'Held before socket.drain']);
  assert.deepEqual(names(progress.next(at('socket.drain'))), []);
  assert.deepEqual(names(progress.next(at(''))), ['continued']);
  assert.deepEqual(names(progress.next(at('save'))), ['stopped']);
  assert.deepEqual(names(progress.next(running)), ['continued']);
  // One of a computation that is held anyway stops nothing, and lets nothing go.
  progress.next(held);
  assert.deepEqual(names([...progress.next(at('save')), ...progress.next(at('')), ...progress.next(held)]), []);
});

test('a computation that is held when it is joined is stopped', () => {
  assert.deepEqual(names(new Progress().next(held)), ['thread', 'stopped']);
});

test('processes come and go as threads; the root is the one whose parent is not among them', () => {
  const progress = new Progress();
  progress.next(running);
  const two = { ...running, processes: [vvp(4720, { virtualParent: 4711 }), vvp(4711)] };
  assert.deepEqual(progress.next(two), [{ event: 'thread', body: { reason: 'started', threadId: 4720 } }]);
  const [stop] = progress.next({ ...two, state: 'held' });
  assert.ok(stop?.event === 'stopped' && stop.body.threadId === 4711);
  assert.deepEqual(names(progress.next({ ...held })), ['thread']);
});

test('the end is told once, with the status, and after what stands was made to go on', () => {
  const progress = new Progress();
  progress.next(held);
  const over = { ...status({ state: 'exited', exitStatus: 3 }), processes: [] };
  const events = progress.next(over);
  assert.deepEqual(names(events), ['thread', 'continued', 'exited', 'terminated']);
  assert.deepEqual(events[2], { event: 'exited', body: { exitCode: 3 } });
  assert.deepEqual(progress.next(over), []);
  assert.deepEqual(progress.end(0), []);
});

test('an end that nobody saw has no exit code', () => {
  assert.deepEqual(names(new Progress().end(null)), ['terminated']);
});
