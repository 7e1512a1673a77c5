import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { tracedCalls } from '../../debug-adapter/src/cli/commands/plugin-trace.js';
import { lastArrival, lengthOf, longestCall, slowestOf, slowestText } from '../../debug-adapter/src/protocol/phase-words.js';
import type { Arrival, OperationTimeline, PhaseTimeline } from '../../debug-adapter/src/protocol/timeline.js';
import { KEPT_TIMELINES, keepTimeline, timelinesOf } from '../../debug-adapter/src/store/timelines.js';
import { asOperation, briefly, piecesOf } from '../../webview-ui/src/barriers/words.js';

const arrival = (virtualPid: number, atMs: number, calls: [string, string, number, number][] = []): Arrival => ({
  virtualPid,
  atMs,
  ownMs: 2,
  calls: calls.map(([plugin, callback, at, ms]) => ({ plugin, callback, atMs: at, ms, count: 1 })),
});
const phase = (given: Partial<PhaseTimeline>): PhaseTimeline => ({
  phase: 'presuspend',
  barrier: '',
  startedMs: 0,
  endedMs: 10,
  error: '',
  arrivals: [],
  missing: [],
  ...given,
});
const timeline: OperationTimeline = {
  id: 3,
  kind: 'checkpoint',
  session: 'soc',
  snapshot: 'abc',
  startedAt: '2026-03-01T10:00:00.000Z',
  finished: true,
  error: '',
  processes: [
    { virtualPid: 7, program: 'vvp', host: '' },
    { virtualPid: 8, program: 'tb', host: '' },
  ],
  phases: [
    phase({
      arrivals: [arrival(7, 3, [['file', 'event presuspend', 0.5, 1]]), arrival(8, 9, [['pid', 'event presuspend', 0, 0.2]])],
    }),
    phase({
      phase: 'barrier',
      barrier: 'vendor.drain',
      startedMs: 10,
      endedMs: 110,
      arrivals: [arrival(8, 110, [['vendor', 'barrier drain', 1, 95]])],
    }),
  ],
};

test('who came last and what was slowest', () => {
  const [first, second] = timeline.phases;
  assert.ok(first && second);
  assert.equal(lastArrival(first)?.virtualPid, 8);
  assert.equal(lastArrival(second), undefined, 'nobody else was waited for');
  assert.equal(lastArrival({ ...first, missing: [9] }), undefined, 'somebody is missing still');
  assert.equal(longestCall({ calls: [] }), undefined);
  const slowest = slowestOf(timeline);
  assert.deepEqual([slowest?.phase.barrier, slowest?.arrival.virtualPid, slowest?.call.ms], ['vendor.drain', 8, 95]);
  assert.ok(slowest);
  assert.equal(slowestText(slowest, timeline), 'plugin vendor, barrier drain, in process 8 (tb) at vendor.drain: 95 ms');
  assert.equal(slowestOf({ ...timeline, phases: [] }), undefined);
  assert.equal(lengthOf(timeline), 110);
});

test('a trace has the calls of all processes in the order of their times', () => {
  assert.deepEqual(
    tracedCalls(timeline).map(({ virtualPid, phase: name, callback, atMs }) => [virtualPid, name, callback, atMs]),
    [
      [7, 'presuspend', 'event presuspend', 1.5],
      [8, 'presuspend', 'event presuspend', 7],
      [8, 'vendor.drain', 'barrier drain', 109],
    ],
  );
  assert.equal(tracedCalls(timeline, (plugin) => plugin === 'vendor').length, 1);
});

test('the line of a process: its own part of each phase, and until the last had arrived', () => {
  assert.deepEqual(
    piecesOf(timeline)
      .get(7)
      ?.map(({ from, arrived, to, last }) => [from, arrived, to, last]),
    [[0, 3, 10, false]],
  );
  const pieces = piecesOf(timeline).get(8) ?? [];
  assert.deepEqual(
    pieces.map(({ from, arrived, to, last }) => [from, arrived, to, last]),
    [
      [0, 9, 10, true],
      [10, 110, 110, false],
    ],
  );
  assert.equal(pieces[0]?.text, 'presuspend: arrived after 9.00 ms, as the last; longest: pid, event presuspend, 0.20 ms');
  assert.deepEqual(asOperation(timeline).phases[0]?.arrived, [7, 8]);
});

test('of many processes the first are named, and the others counted', () => {
  assert.equal(briefly([4, 5], String), '4, 5');
  const many = Array.from({ length: 200 }, (_, index) => index);
  assert.equal(briefly(many, String), '0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 and 188 more');
});

test('a store keeps the last ten of a snapshot; broken ones are left out', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'cairn-timelines-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const store = { timelines: folder };
  assert.deepEqual(timelinesOf(store, 'abc'), []);
  for (let minute = 10; minute < 10 + KEPT_TIMELINES + 2; minute++)
    keepTimeline(store, 'abc', { ...timeline, id: minute, startedAt: `2026-03-01T10:${minute}:00.000Z` });
  writeFileSync(join(folder, 'abc', 'x.json'), '{');
  assert.deepEqual(
    timelinesOf(store, 'abc').map(({ id }) => id),
    Array.from({ length: KEPT_TIMELINES }, (_, index) => 12 + index),
  );
  assert.equal(readdirSync(join(folder, 'abc')).filter((name) => name.startsWith('.')).length, 0);
});
