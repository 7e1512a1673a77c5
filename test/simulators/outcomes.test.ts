/**
 * What becomes of faults on signals in small designs made for it: each outcome, when a fault was detected and how long that took, faults that cannot
 * be made, delays, words of memories, and runs that hang, told by simulated time or where that stands still.
 */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import type { Run } from '../../debug-adapter/src/protocol/campaign.js';
import { type Scratch, withScratch } from '../support/scratch.js';
import { inTree } from '../support/tree.js';
import { folder, make, restart, runAll, spanOf, steady } from './campaigns.js';

interface Simulator {
  name: string;
  scope: (design: string) => string;
  command: (design: string) => string[];
}

const simulators: readonly Simulator[] = [
  { name: 'Icarus', scope: (design) => design, command: (design) => ['vvp', join(folder, `${design}.vvp`)] },
  {
    name: 'Verilator',
    scope: (design) => `TOP.${design}`,
    command: (design) => [join(folder, design, `V${design}`)],
  },
];

before(async () => {
  mkdirSync(folder, { recursive: true });
  for (const design of ['outcomes', 'delays']) {
    const source = inTree(`test/simulators/sources/${design}.v`);
    await make('iverilog', '-g2005', '-o', `${design}.vvp`, source);
    await make('verilator', '--binary', '-Wno-fatal', '--vpi', '--public-flat-rw', '-GLAST=3000000', '--Mdir', design, source);
  }
});

test('Icarus: a simulation that ends when nothing is left to do is not kept going by the limit of its time', () =>
  withScratch(async (scratch) => {
    await make('iverilog', '-g2005', '-o', 'exhausted.vvp', inTree('test/simulators/sources/exhausted.v'));
    const models = [{ name: 'odd', signals: { model: 'upset', targets: ['exhausted.od?'], times: [1000] } }];
    const [run] = await runAll(scratch, steady(scratch, ['vvp', join(folder, 'exhausted.vvp')], { models }));
    assert.deepEqual([run?.outcome, run?.effective, run?.status], ['masked', true, 0]);
    const { begin, end } = spanOf(scratch, 'steady');
    assert.ok(begin < end && end === 30_000_000, `${begin} to ${end}`);
  }));

/** A pattern that means this signal alone: without a wildcard it would be a part of others' names, too. */
const only = (signal: string): string => `${signal.slice(0, -1)}?`;

const TICKS = 10;
/** From a time to the first edge of the clock behind it, which has one at 5, 15, 25, … */
const toEdge = (time: number): number => TICKS - ((time + TICKS / 2) % TICKS);

/** Of each register of sources/outcomes.v what its upset comes to. */
const expected: Record<string, Run['outcome']> = {
  guarded: 'detected',
  unread: 'latent',
  longer: 'timing',
  assigned: 'masked',
  shown: 'silentDataCorruption',
};

async function outcomes(
  scratch: Scratch,
  { scope, command }: Simulator,
  names: readonly string[],
  more: object = {},
): Promise<Run[]> {
  const of = scope('outcomes');
  const models = names.map((name) => ({
    name,
    signals: { model: 'upset', targets: [only(`${of}.${name}`)], times: [1000], ...(name === 'guarded' ? { adjacent: 7 } : {}) },
  }));
  const file = steady(scratch, command('outcomes'), {
    models,
    observe: { ignore: ['\\$finish called'], signals: [only(`${of}.unread`)] },
    detect: { signals: [{ signal: `${of}.alarm`, value: '1' }] },
    ...more,
  });
  return runAll(scratch, file);
}

for (const simulator of simulators)
  test(`${simulator.name}: each fault has its outcome, and a detected one its latency`, () =>
    withScratch(async (scratch) => {
      const runs = await outcomes(scratch, simulator, Object.keys(expected));
      const { begin } = spanOf(scratch, 'steady');
      assert.deepEqual([...new Set(runs.map(({ model }) => model))].sort(), Object.keys(expected).sort());
      for (const run of runs) {
        assert.deepEqual(
          [run.outcome, run.injection, run.injectedAt],
          [expected[run.model], 'effective', 1000],
          JSON.stringify(run),
        );
        const latency = run.model === 'guarded' ? toEdge(begin + 1000) + 2 * TICKS : null;
        assert.equal(run.latency, latency, JSON.stringify(run));
      }
      const deviation = (model: string): string => runs.find((run) => run.model === model)?.deviation ?? '';
      assert.equal(deviation('unread'), `${simulator.scope('outcomes')}.unread: 1 instead of 0 at the end`);
      const [, longer, usual] = /^it ended after (\d+) ticks instead of (\d+)$/.exec(deviation('longer')) ?? [];
      assert.equal(Number(longer) - Number(usual), 7 * TICKS);
    }));

for (const { name, scope, command } of simulators)
  test(`${name}: a fault that cannot be made says why, and counts as no result`, () =>
    withScratch(async (scratch) => {
      const of = scope('outcomes');
      const model = (targets: string, rest: object): object => ({ targets: [only(`${of}.${targets}`)], times: [10], ...rest });
      const models = [
        { name: 'from', signals: model('shown', { model: 'bridge', from: `${of}.nobody` }) },
        ...(name === 'Icarus' ? [{ name: 'unknown', signals: model('unknown', { model: 'upset' }) }] : []),
      ];
      const file = steady(scratch, command('outcomes'), { models });
      const { status, stderr } = await scratch.cairn(['campaign', 'run', file, '--json'], { seconds: 300 });
      assert.equal(status, 1);
      assert.match(stderr, /runs could not be made/);
      const runs = await scratch.json<Run[]>(['campaign', 'show', file]);
      const why: Record<string, string> = { from: 'the design has no such signal', unknown: 'the bit is x or z then' };
      assert.equal(runs.length, models.length);
      for (const run of runs) {
        const { model: of_ } = run;
        assert.deepEqual(
          [run.outcome, run.injection, run.deviation],
          ['toolError', `impossible: ${why[of_]}`, why[of_]],
          JSON.stringify(run),
        );
      }
    }));

for (const simulator of simulators)
  test(`${simulator.name}: a run hangs when its simulated time is over, however fast it is`, () =>
    withScratch(async (scratch) => {
      // It counts up to its end from far away, or never comes there.
      const far = { model: 'upset', adjacent: 32, targets: [only(`${simulator.scope('outcomes')}.cycles`)] };
      const models = [{ name: 'far', signals: { ...far, times: [1000, 1010] } }];
      const runs = await runAll(scratch, steady(scratch, simulator.command('outcomes'), { models, timeout: 1 }));
      const { begin, end } = spanOf(scratch, 'steady');
      assert.equal(runs.length, 2);
      for (const run of runs) {
        const deviation = `it did not end within ${end - begin} ticks`;
        assert.deepEqual(
          [run.outcome, run.status, run.effective, run.deviation],
          ['hang', null, true, deviation],
          JSON.stringify(run),
        );
      }
    }));

test('Icarus: a run whose simulated time stands still hangs, too', () =>
  withScratch(async (scratch) => {
    const [icarus] = simulators;
    assert.ok(icarus);
    const [run, ...others] = await outcomes(scratch, icarus, ['spins']);
    assert.deepEqual([run?.outcome, run?.deviation, others.length], ['hang', 'it did not end', 0], JSON.stringify(run));
  }));

const LAST_LINE = /^late \d+ behind \d+ ones \d+ word [0-9a-f]+$/m;

for (const { name, scope, command } of simulators)
  test(`${name}: changes come as late as is said, and words of memories are held and turned over`, () =>
    withScratch(async (scratch) => {
      const of = scope('delays');
      const signals = { model: 'upset', targets: [`${of}.words*`], times: [10] };
      await runAll(scratch, steady(scratch, command('delays'), { models: [{ name: 'first', signals }], sample: 1 }));
      // In the time step in which the bit changes.
      const when = { signal: `${of}.slow`, value: '1', nth: 2 };
      const clock = `${of}.clk`;
      const delay = { model: 'delay', duration: 1000, when };
      const cases: readonly [object, string][] = [
        [{ ...delay, signal: `${of}.slow`, by: 3, clock }, 'late 27 behind 0 ones 0 word 00'],
        [{ ...delay, signal: `${of}.slow`, by: 30 }, 'late 27 behind 0 ones 0 word 00'],
        [{ ...delay, signal: `${of}.number`, by: 2, clock }, 'late 0 behind 197 ones 0 word 00'],
        [{ ...delay, signal: `${of}.number`, by: 20 }, 'late 0 behind 197 ones 0 word 00'],
        [
          { model: 'stuckAt', value: 1, bits: [0, 3], signal: `${of}.words[2]`, duration: 1000, when },
          'late 0 behind 0 ones 200 word 00',
        ],
        [{ model: 'upset', bits: [1, 2, 3], signal: `${of}.words[1]`, when }, 'late 0 behind 0 ones 0 word 0e'],
      ];
      for (const [fault, line] of cases) {
        const settings = join(scratch.work, 'fault.json');
        writeFileSync(settings, JSON.stringify({ faults: [fault] }));
        const output = await restart(scratch, 'ready', '--plugin', `fault-signals=${settings}`);
        assert.equal(LAST_LINE.exec(output)?.[0], line, JSON.stringify(fault));
      }
    }));
