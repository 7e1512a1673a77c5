/** The signals of a design as they are chosen from. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Target } from '../../debug-adapter/src/protocol/campaign.js';
import { SignalIndex } from '../../extension/src/campaigns/signalIndex.js';

const vector = (name: string, width: number, net = false): Target => ({
  name,
  memory: false,
  width,
  left: width - 1,
  right: 0,
  ...(net ? { net } : {}),
});
const targets: Target[] = [
  vector('tb.clk', 1),
  vector('tb.core.pc', 32),
  vector('tb.core.ready', 1, true),
  vector('tb.core.alu.sum', 8),
  { name: 'tb.ram', memory: true, width: 32, left: 0, right: 255 },
];

test('what is in a scope comes with its scopes first, and each has what is below it', () => {
  const index = new SignalIndex(targets);
  assert.deepEqual(
    index.pick('', '', 0).rows.map(({ name, signals, bits }) => [name, signals, bits]),
    [['tb', 5, 1 + 32 + 1 + 8 + 256 * 32]],
  );
  const { rows, total, count } = index.pick('tb', '', 0);
  assert.deepEqual(
    rows.map(({ label, kind, signals, bits }) => [label, kind, signals, bits]),
    [
      ['core', 'scope', 3, 41],
      ['clk', 'register', 1, 1],
      ['ram [0:255]', 'memory', 1, 8192],
    ],
  );
  assert.equal(total, 3);
  assert.deepEqual(count, { told: true, registers: 3, nets: 1, memories: 1, bits: 8234 });
  assert.deepEqual(
    index.pick('tb.core', '', 0).rows.map(({ label }) => label),
    ['alu', 'pc', 'ready'],
  );
});

test('a pattern has all signals that it means, as the campaign will', () => {
  const index = new SignalIndex(targets);
  const { rows, count } = index.pick('tb.core', '*.core.*', 0);
  assert.deepEqual(
    rows.map(({ label }) => label),
    ['tb.core.pc', 'tb.core.ready', 'tb.core.alu.sum'],
  );
  assert.deepEqual(count, { told: true, registers: 2, nets: 1, memories: 0, bits: 41 });
  assert.equal(index.pick('', 'nothing', 0).total, 0);
});

test('where the simulator makes no difference nothing is called a register', () => {
  const index = new SignalIndex([vector('TOP.a', 3), vector('TOP.b', 1)]);
  assert.equal(index.pick('TOP', '', 0).rows[0]?.kind, 'signal');
  assert.equal(index.pick('TOP', '', 0).count.told, false);
});

test('a large design comes a part at a time, and quickly', () => {
  const many = Array.from({ length: 100_000 }, (_, at) => vector(`tb.m${at % 500}.r${at}`, 4));
  const index = new SignalIndex(many);
  const start = performance.now();
  const first = index.pick('tb', '', 0);
  const last = index.pick('tb', '', 400);
  const found = index.pick('', '*.r99*', 100);
  assert.ok(performance.now() - start < 2000, 'slow');
  assert.deepEqual([first.total, first.rows.length, last.rows.length], [500, 100, 100]);
  assert.deepEqual([found.total, found.rows.length], [1111, 100]);
});
