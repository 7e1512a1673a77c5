/** Arrivals at a phase come out as they went in, though they are packed; ten thousand of them take no object each. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Arrivals } from '../../debug-adapter/src/coordinator/arrivals.js';
import type { Arrival } from '../../debug-adapter/src/protocol/timeline.js';

const call = (plugin: string, callback: string, atMs: number) => ({ plugin, callback, atMs, ms: 0.25, count: 3 });

test('in their order, each with its own calls', () => {
  const given: Arrival[] = [
    { virtualPid: 12, atMs: 0.5, ownMs: 0, calls: [call('file', 'event resume', 0.1), call('socket', 'event resume', 0.2)] },
    { virtualPid: 7, atMs: 1.5, ownMs: null, calls: [] },
    { virtualPid: 0x7fff_ffff, atMs: 98_765.4321, ownMs: 2.125, calls: [call('socket', 'event resume', 0.3)] },
    { virtualPid: 9, atMs: 1e6, ownMs: 3, calls: [call('file', 'barrier drain', 0), call('file', 'event resume', 1)] },
  ];
  const arrivals = new Arrivals(5);
  for (const one of given) arrivals.add(one.virtualPid, one.atMs, one);
  assert.deepEqual(arrivals.all, given);
  assert.deepEqual(arrivals.virtualPids, [12, 7, 0x7fff_ffff, 9]);
});

test('nobody has come', () => {
  const arrivals = new Arrivals(3);
  assert.deepEqual(arrivals.all, []);
  assert.deepEqual(arrivals.virtualPids, []);
});
