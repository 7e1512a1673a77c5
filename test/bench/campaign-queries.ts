/**
 * What the page of a campaign with a million runs asks for: how long each question takes, and each run that is added.
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Outcome } from '../../debug-adapter/src/protocol/campaign.js';
import { CampaignResults, type CountedRun, type RunQuery } from '../../debug-adapter/src/store/campaign-results.js';
import { figuresOf } from '../../debug-adapter/src/store/campaign-tallies.js';
import { median, type Row } from './row.js';

const SCOPES = 300;
const REGISTERS = 8000;
const AIM_MS = 100;

const BATCH = 2000;

function runOf(number: number): CountedRun {
  // Most are masked, as in any campaign.
  const outcome = number % 10 < 7 ? 'masked' : (Outcome.options[number % 8] ?? 'masked');
  const register = (number * 7919) % REGISTERS;
  const scope = `tb.soc.block${register % SCOPES}`;
  const [target, at] = [`${scope}.register${register}`, (number * 104_729) % 1_000_000];
  return {
    run: {
      number,
      model: 'upsets',
      fault: `upset of ${target} bit ${number % 32} after ${at}`,
      target,
      scope,
      at,
      outcome,
      effective: number % 10 !== 0,
      injection: 'effective',
      injectedAt: at,
      latency: null,
      deviation: outcome === 'masked' ? '' : `line ${number % 50}: "${number}" instead of "ok"`,
      status: 0,
      start: 'resident',
      startReason: '',
      elapsedMs: 12.5,
      finishedAt: '2026-01-01T00:00:00.000Z',
    },
    console: 'a line of the console of a run\n'.repeat(20),
  };
}

/** Microseconds for each. */
function fill(folder: string, runs: number): number {
  const results = new CampaignResults(folder);
  const golden = { status: 0, lines: [], files: {}, design: null, targets: [] };
  results.begin(JSON.stringify({ models: [{ signals: { times: { from: 0, to: 999_999, step: 1 } } }] }), golden, 10);
  const begun = performance.now();
  for (let first = 0; first < runs; first += BATCH)
    results.addAll(Array.from({ length: Math.min(BATCH, runs - first) }, (_, at) => runOf(first + at)));
  results.close();
  return ((performance.now() - begun) * 1000) / runs;
}

function timed(work: () => unknown): number {
  const times = Array.from({ length: 5 }, () => {
    const start = performance.now();
    work();
    return performance.now() - start;
  });
  return median(times);
}

export function measureQueries(runs: number): Row[] {
  const folder = mkdtempSync(join(tmpdir(), 'cairn-bench-'));
  try {
    const addedUs = fill(folder, runs);
    const results = new CampaignResults(folder, true);
    const page = (query: Partial<RunQuery>) => (): unknown => results.page({ offset: 0, limit: 200, ...query });
    const sample = { confidence: 0.95, population: 100 * runs };
    const scope = 'tb.soc.block7';
    const questions: [question: string, ask: () => unknown][] = [
      ['rates', () => [results.counts(), results.notEffective, results.byModel()]],
      ['modules, heat map, convergence, registers, metrics', () => figuresOf(results, sample)],
      ['first page', page({})],
      ['page in the middle', page({ offset: runs / 2 })],
      ['page of an outcome, in the middle of most runs', page({ outcome: 'masked', offset: 0.4 * runs })],
      ['page of a model and an outcome', page({ model: 'upsets', outcome: 'hang', offset: 1000 })],
      ['page of a model', page({ model: 'upsets', offset: runs / 2 })],
      ['runs of a module', page({ scope })],
      ['runs of a module with an outcome', page({ scope, outcome: 'hang' })],
      ['runs of a cell of the heat map', page({ scope, times: { from: 0, to: 41_667 }, outcome: 'crash' })],
      ['runs of a register', page({ target: 'tb.soc.block7.register7', outcome: 'trap' })],
      ['runs without an effect, last page', page({ effective: false, offset: runs / 10 - 200 })],
      ['search, one register', page({ search: 'register7919 ' })],
      ['search, in all runs', page({ search: 'upset of' })],
      ['search, in all runs, the last that is counted', page({ search: 'upset of', offset: 4800 })],
      ['search, nowhere', page({ search: 'nowhere' })],
      ['search of two characters', page({ search: '17' })],
      ['search in a rare outcome', page({ search: 'register', outcome: 'hang' })],
      ['rare search in a common outcome', page({ search: 'bit 13', outcome: 'masked', model: 'upsets' })],
      ['one run with its console', () => results.run(runs - 1)],
    ];
    const rows = questions.map(([question, ask]): Row => {
      const ms = timed(ask);
      return {
        question: `Campaign of ${runs.toLocaleString('en-US')} runs: ${question}`,
        measured: `${ms.toFixed(1)} ms`,
        compared: `${AIM_MS} ms`,
        ratio: ms / AIM_MS,
        aim: 1,
      };
    });
    results.close();
    const bytes = statSync(join(folder, 'results.db')).size;
    rows.push({
      question: `Campaign of ${runs.toLocaleString('en-US')} runs: adding one, of ${BATCH} at once`,
      measured: `${addedUs.toFixed(0)} us, ${Math.round(bytes / runs)} bytes`,
      compared: '',
      ratio: Number.NaN,
      aim: null,
    });
    return rows;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
