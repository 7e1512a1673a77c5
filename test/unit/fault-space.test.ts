/** All faults of a campaign. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FaultSpace } from '../../debug-adapter/src/model/fault-space.js';
import type { FaultModel, Target } from '../../debug-adapter/src/protocol/campaign.js';
import { fitsSignal } from '../../debug-adapter/src/protocol/signal-names.js';

const models: FaultModel[] = [
  {
    name: 'one',
    calls: { function: 'read', calls: { first: 3, last: 5 }, effects: [{ return: -1, errno: 'EIO' }, { flip: '0x1' }] },
  },
  { name: 'two', calls: { function: 'write', program: 'vvp', calls: { first: 1, last: 1 }, effects: [{ delayUs: 5 }] } },
];

test('each call of each model with each effect is one', () => {
  const space = new FaultSpace({ models });
  assert.equal(space.size, 7);
  const all = Array.from({ length: space.size }, (_, index) => space.at(index));
  assert.equal(new Set(all.map((one) => JSON.stringify(one))).size, 7);
  assert.deepEqual(all[0], {
    model: 'one',
    text: 'call 3 of read: return -1, errno EIO',
    place: { target: 'read', scope: '', at: null },
    plugin: 'fault-calls',
    settings: { faults: [{ function: 'read', return: -1, errno: 'EIO', calls: { nth: 3 } }] },
    slowdown: 1,
  });
  assert.deepEqual(all[5]?.settings, { faults: [{ function: 'read', flip: '0x1', calls: { nth: 5 } }] });
  assert.deepEqual(all[6]?.settings, { faults: [{ function: 'write', program: 'vvp', delayUs: 5, calls: { nth: 1 } }] });
  assert.throws(() => space.at(7), RangeError);
});

const target = (name: string, width: number, words?: [number, number]): Target => ({
  name,
  width,
  memory: words !== undefined,
  left: words?.[0] ?? width - 1,
  right: words?.[1] ?? 0,
});

test('each bit of each signal that is meant, at each time, with each value is one', () => {
  const targets = [target('tb.core.pc', 4), target('tb.core.regs', 2, [7, 5]), target('tb.clk', 1), target('tb.core.rst', 1)];
  const common = { exclude: ['*.rst'], adjacent: 1, targets: ['tb.core.*'] };
  const space = new FaultSpace(
    {
      models: [
        { name: 'up', signals: { ...common, model: 'upset', times: { from: 10, to: 29, step: 10 } } },
        { name: 'two', signals: { ...common, model: 'upset', adjacent: 2, times: [0] } },
        { name: 'stuck', signals: { ...common, model: 'stuckAt', targets: ['clk'], times: [5, 6] } },
      ],
    },
    targets,
  );
  assert.equal(space.size, (4 + 3 * 2) * 2 + (3 + 3) + 4);
  const all = Array.from({ length: space.size }, (_, index) => space.at(index));
  assert.equal(new Set(all.map((one) => JSON.stringify(one.settings))).size, space.size);
  assert.deepEqual(all[0], {
    model: 'up',
    text: 'upset of tb.core.pc bit 0 after 10',
    place: { target: 'tb.core.pc', scope: 'tb.core', at: 10 },
    plugin: 'fault-signals',
    settings: { faults: [{ model: 'upset', signal: 'tb.core.pc', bits: [0], when: { after: 10 } }] },
    slowdown: 1,
  });
  // What is held may slow a small model down by VPI.
  assert.equal(all[29]?.slowdown, 30);
  assert.equal(all[19]?.text, 'upset of tb.core.regs[7] bit 1 after 20');
  assert.equal(all[25]?.text, 'upset of tb.core.regs[7] bits 0 to 1 after 0');
  assert.deepEqual(all[29]?.settings, {
    faults: [{ model: 'stuckAt', signal: 'tb.clk', bits: [0], value: 1, when: { after: 6 } }],
  });
  assert.throws(() => space.at(space.size), RangeError);
});

test('patterns of signals mean what they mean in the simulation', () => {
  for (const [pattern, name, fits] of [
    ['', 'tb.a', true],
    ['b.a', 'tb.a', true],
    ['b.a*', 'tb.a', false],
    ['tb.?', 'tb.a', true],
    ['*[3]*', 'tb.g[3].x', true],
    ['tb.*', 'tbx', false],
  ] as const)
    assert.equal(fitsSignal(pattern, name), fits, `${pattern} ${name}`);
});

test('of a process: each bit at each place, at each moment; of a plugin: each combination of its parameters', () => {
  const common = { times: [0], processor: false };
  const space = new FaultSpace({
    models: [
      {
        name: 'm',
        process: { ...common, memory: { symbol: 't', offsets: { from: 0, to: 8, step: 4 } }, bits: [1, 2], times: [0, 10] },
      },
      { name: 'r', process: { ...common, registers: ['rax', 'rflags', 'xmm3'], thread: 'worker' } },
      {
        name: 'h',
        process: { ...common, memory: { mapping: 'heap' }, chance: 3, processor: true, times: { from: 5, to: 6, step: 1 } },
      },
      { name: 's', process: { ...common, instruction: 'skip', calls: { function: 'read', first: 2, last: 3 } } },
      {
        name: 'p',
        plugin: { library: '/x.so', settings: { a: 1 }, faults: [{ f: 1 }, { f: 2 }], parameters: { b: [3, 4], c: ['x'] } },
      },
    ],
  });
  assert.equal(space.size, 3 * 2 * 2 + 64 + 7 + 128 + 3 * 2 + 2 + 4);
  const all = Array.from({ length: space.size }, (_, index) => space.at(index));
  assert.equal(new Set(all.map((one) => JSON.stringify(one))).size, space.size);
  assert.deepEqual(all[5]?.settings, {
    faults: [{ memory: { symbol: 't', offset: 4 }, bits: [1], when: { afterUs: 10 } }],
  });
  assert.equal(all[5]?.text, 't+4 bit 1 after 10 us');
  assert.deepEqual(all[12]?.settings, { faults: [{ thread: 'worker', register: 'rax', bits: [0] }] });
  assert.deepEqual(all.at(-7)?.settings, { faults: [{ memory: { mapping: 'heap' }, seed: 2, when: { afterProcessorUs: 6 } }] });
  assert.deepEqual(all.at(-6)?.settings, { faults: [{ instruction: 'skip', when: { function: 'read', calls: { nth: 2 } } }] });
  assert.deepEqual(all.at(-3), {
    model: 'p',
    text: 'f 1, b 4, c x',
    place: { target: 'x.so', scope: '', at: null },
    plugin: '/x.so',
    settings: { a: 1, f: 1, b: 4, c: 'x' },
    slowdown: 1,
  });
});
