/** A client that is told only what is other has the whole status, whatever happens between two notifications. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CONTROL_PROTOCOL, SessionChange, type SessionStatus } from '../../debug-adapter/src/protocol/control.js';
import { applied, changeOf, ToldStatus } from '../../debug-adapter/src/protocol/session-change.js';
import { status, vvp } from './snapshots.js';

type Operation = NonNullable<SessionStatus['operation']>;

function operation(given: Partial<Operation> = {}): Operation {
  return {
    id: 1,
    kind: 'checkpoint',
    phases: [],
    heldOff: [],
    heldAt: '',
    startedAt: '2026-05-02T09:00:00.000Z',
    finished: false,
    error: '',
    ...given,
  };
}

const phase = (barrier: string, arrived: number[], waiting: number[]): Operation['phases'][number] => ({
  phase: 'barrier',
  barrier,
  arrived,
  waiting,
  startedMs: 1,
  endedMs: waiting.length === 0 ? 2 : null,
  error: '',
});

/** As it comes out of a socket. */
const overWire = (change: SessionChange): SessionChange => SessionChange.parse(JSON.parse(JSON.stringify(change)));

/** Always the same numbers. */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

function another(before: SessionStatus, below: (limit: number) => number): SessionStatus {
  const processes = before.processes.filter(() => below(8) > 0);
  if (below(3) === 0) processes.push(vvp(100 + below(20), { argv: ['vvp', `${below(5)}`] }));
  const place = below(Math.max(processes.length, 1));
  const one = processes[place];
  if (one !== undefined && below(3) === 0) processes[place] = { ...one, problem: `${below(3)}` };
  if (below(10) === 0) processes.reverse();
  const phases = (before.operation?.phases ?? []).slice(0, 1 + below(6));
  phases.push(phase(`p.${below(3)}`, [1, below(4)], below(2) === 0 ? [] : [3]));
  return {
    ...before,
    processes,
    lastSnapshot: below(4) === 0 ? `s${below(9)}` : before.lastSnapshot,
    heldBy: below(4) === 0 ? { what: 'top.x', why: 'changed' } : null,
    operation: below(9) === 0 ? null : operation({ id: 1 + below(2), phases, error: below(5) === 0 ? 'failed' : '' }),
  };
}

test('whatever changes, all of it arrives', () => {
  const below = numbers(4711);
  let now = status({ processes: [vvp(1), vvp(2), vvp(3)] });
  let there = applied(undefined, overWire(changeOf(undefined, now)));
  assert.deepEqual(there, now);
  for (let round = 0; round < 2000; round++) {
    const next = another(now, below);
    there = applied(there, overWire(changeOf(now, next)));
    assert.deepEqual(there, next, `round ${round}`);
    now = next;
  }
});

test('what is as before is not told', () => {
  const processes = Array.from({ length: 200 }, (_, index) => vvp(1000 + index));
  const pids = processes.map(({ virtualPid }) => virtualPid);
  const done = phase('file.list', pids, []);
  const before = status({ processes, operation: operation({ phases: [done, phase('file.find', [1000], pids.slice(1))] }) });
  const now = status({
    processes: processes.map((one) => ({ ...one })),
    operation: operation({ phases: [done, phase('file.find', pids.slice(0, 2), pids.slice(2))] }),
  });
  const change = changeOf(before, now);
  assert.deepEqual(change.members, {});
  assert.deepEqual([change.gone, change.processes], [[], []]);
  assert.deepEqual(
    change.operation?.phases.map(({ index }) => index),
    [1],
  );
  assert.deepEqual(changeOf(now, now), { members: {}, gone: [], processes: [] });
});

test('what cannot be understood, or has nothing to rest on, is no status', () => {
  const told = new ToldStatus();
  assert.equal(told.take({ members: { state: 'held' }, gone: [], processes: [] }), undefined);
  assert.equal(told.take(status()), undefined);
  assert.equal(told.take(changeOf(undefined, status()))?.protocol, CONTROL_PROTOCOL);
  assert.equal(told.take({ members: { state: 'held' }, gone: [], processes: [] })?.state, 'held');
});
