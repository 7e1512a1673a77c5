/** What results of a campaign come to: counted by the database, and as the metrics of a design. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { avfOf, safetyOf } from '../../debug-adapter/src/model/campaign-figures.js';
import { wilson } from '../../debug-adapter/src/model/statistics.js';
import { Outcome, type Run } from '../../debug-adapter/src/protocol/campaign.js';
import type { OutcomeCounts } from '../../debug-adapter/src/protocol/campaign-figures.js';
import { CampaignResults } from '../../debug-adapter/src/store/campaign-results.js';
import { figuresOf } from '../../debug-adapter/src/store/campaign-tallies.js';

const sample = { confidence: 0.95, population: 100_000 };
const golden = { status: 0, lines: ['a'], files: {}, design: null, targets: [] };
const plan = JSON.stringify({ models: [{ signals: { times: { from: 100, to: 339, step: 1 } } }] });

/** Deterministic, and different in each column. */
function run(number: number): Run {
  const outcome = Outcome.options[(number * 7) % 9] ?? 'masked';
  const scope = `tb.m${number % 3}`;
  return {
    number,
    model: number % 2 === 0 ? 'a' : 'b',
    fault: `fault ${number}`,
    target: `${scope}.r${number % 5}`,
    scope,
    at: 100 + ((number * 13) % 240),
    outcome,
    effective: number % 4 === 0 ? false : number % 4 === 1 ? null : true,
    injection: '',
    injectedAt: null,
    latency: null,
    deviation: '',
    status: 0,
    start: 'resident',
    startReason: '',
    elapsedMs: 1,
    finishedAt: '2026-01-01T00:00:00.000Z',
  };
}

function withResults(work: (results: CampaignResults) => void): void {
  const folder = mkdtempSync(join(tmpdir(), 'cairn-figures-'));
  const results = new CampaignResults(folder);
  try {
    results.begin(plan, golden, 10);
    work(results);
  } finally {
    results.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

function countsOf(runs: readonly Run[]): OutcomeCounts {
  const counts: OutcomeCounts = {};
  for (const { outcome } of runs) counts[outcome] = (counts[outcome] ?? 0) + 1;
  return counts;
}

test('what is counted as runs come is what they come to, also of runs that were made again', () =>
  withResults((results) => {
    const runs = Array.from({ length: 200 }, (_, number) => run(number));
    for (const one of runs) results.add(one, '');
    // Those that could not be made are, the second time; the others stay.
    const now = runs.map((one): Run => (one.outcome === 'toolError' ? { ...one, outcome: 'hang', effective: true } : one));
    for (const one of now) results.add({ ...one, outcome: one.outcome === 'hang' ? 'hang' : 'crash' }, '');
    assert.deepEqual(results.counts(), countsOf(now));
    assert.equal(results.notEffective, now.filter((one) => one.effective === false).length);
    const figures = figuresOf(results, sample);
    assert.equal(figures.allScopes, 3);
    for (const { scope, counts } of figures.scopes) assert.deepEqual(counts, countsOf(now.filter((one) => one.scope === scope)));
    assert.deepEqual(figures.times, { first: 100, width: 10, parts: 24 });
    let cells = 0;
    for (const { scope, part, counts } of figures.cells) {
      const these = now.filter((one) => one.scope === scope && Math.floor(((one.at ?? 0) - 100) / 10) === part);
      assert.deepEqual(counts, countsOf(these));
      cells += these.length;
    }
    assert.equal(cells, 200);
    assert.equal(figures.targets.length, 15);
    for (const { target, runs: count, failures } of figures.targets) {
      const these = now.filter((one) => one.target === target);
      const failed = these.filter((one) => !['masked', 'latent', 'timing', 'toolError'].includes(one.outcome)).length;
      assert.deepEqual([count, failures], [these.length, wilson(failed, these.length, 0.95)]);
    }
    const lows = figures.targets.map(({ failures }) => failures.low);
    assert.deepEqual(
      lows,
      [...lows].sort((a, b) => b - a),
    );
  }));

test('rates are kept as they came to be, few of many', () =>
  withResults((results) => {
    const runs = Array.from({ length: 412 }, (_, number) => run(number)).filter((one) => one.outcome !== 'toolError');
    for (const one of runs) results.add(one, '');
    const { steps } = figuresOf(results, sample);
    assert.ok(steps.length > 50 && steps.length <= 100, `${steps.length} steps`);
    assert.equal(steps.at(-1)?.runs, runs.length - (runs.length % 4));
    assert.deepEqual(Object.keys(steps[0]?.rates ?? {}).length, 8);
    for (const { runs: count, rates } of steps) {
      const counts = countsOf(runs.slice(0, count));
      for (const [outcome, rate] of Object.entries(rates))
        assert.deepEqual(rate, wilson(counts[outcome as Outcome] ?? 0, count, 0.95, sample.population));
    }
  }));

test('a page has the runs of a module, a register, a part of the time, from either end', () =>
  withResults((results) => {
    const runs = Array.from({ length: 150 }, (_, number) => run(number));
    for (const one of runs) results.add(one, '');
    const numbers = (fits: (one: Run) => boolean): number[] => runs.filter(fits).map((one) => one.number);
    const check = (
      query: Omit<Parameters<CampaignResults['page']>[0], 'offset' | 'limit'>,
      fits: (one: Run) => boolean,
    ): void => {
      const all = numbers(fits);
      for (const offset of [0, 3, Math.max(0, all.length - 4), all.length + 5]) {
        const { total, runs: found } = results.page({ ...query, offset, limit: 4 });
        assert.equal(total, all.length);
        assert.deepEqual(
          found.map((one) => one.number),
          all.slice(offset, offset + 4),
        );
      }
    };
    check({}, () => true);
    check({ scope: 'tb.m1' }, (one) => one.scope === 'tb.m1');
    check({ scope: 'tb.m1', outcome: 'hang' }, (one) => one.scope === 'tb.m1' && one.outcome === 'hang');
    check({ target: 'tb.m2.r1' }, (one) => one.target === 'tb.m2.r1');
    check({ model: 'a', effective: false }, (one) => one.model === 'a' && one.effective === false);
    check(
      { scope: 'tb.m0', times: { from: 120, to: 130 }, model: 'b' },
      (one) => one.scope === 'tb.m0' && one.model === 'b' && (one.at ?? 0) >= 120 && (one.at ?? 0) < 130,
    );
  }));

test('metrics of ISO 26262-5 and the vulnerability factor, from counts that were worked out by hand', () => {
  // 100 runs that tell: 60 safe, 10 latent, 20 detected, 4 silent, 1 timing, 2 traps, 2 hangs, 1 crash.
  const counts: OutcomeCounts = {
    masked: 60,
    latent: 10,
    detected: 20,
    silentDataCorruption: 4,
    timing: 1,
    trap: 2,
    hang: 2,
    crash: 1,
    toolError: 50,
  };
  const all = { confidence: 0.95, population: 100 };
  const { spfm, lfm, coverage, counts: classes } = safetyOf(counts, all);
  assert.deepEqual(classes, { safe: 60, detected: 20, residual: 10, latent: 10 });
  assert.equal(spfm?.rate, 0.9);
  assert.ok(Math.abs((lfm?.rate ?? 0) - (1 - 10 / 90)) < 1e-12);
  assert.equal(coverage?.rate, 20 / 30);
  // All faults that there are were tried: nothing is uncertain.
  assert.deepEqual([spfm?.low, spfm?.high], [0.9, 0.9]);
  const watched = safetyOf(counts, all, { hang: 'detected', latent: 'safe' });
  assert.equal(watched.spfm?.rate, 0.92);
  assert.equal(watched.lfm?.rate, 1);
  assert.ok(watched.assumptions.some((one) => one === 'Counted as detected: detected, hang.'));
  const avf = avfOf(counts, all);
  assert.deepEqual([avf.all.rate, avf.silent.rate, avf.noticed.rate], [0.29, 0.04, 0.25]);
  assert.equal(safetyOf({ toolError: 3 }, sample).spfm, null);
});
