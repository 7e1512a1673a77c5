/**
 * What the page of a campaign with a million runs asks for: how long each question takes. The runs are put into the database as the results put them
 * there, but in one transaction.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Outcome } from '../../debug-adapter/src/protocol/campaign.js';
import { CampaignResults, type RunQuery } from '../../debug-adapter/src/store/campaign-results.js';
import { figuresOf } from '../../debug-adapter/src/store/campaign-tallies.js';
import { median, type Row } from './row.js';

const RUNS = Number(process.env['CAIRN_BENCH_RUNS'] ?? 1_000_000);
const SCOPES = 300;
const REGISTERS = 8000;
const AIM_MS = 100;

const golden = { status: 0, lines: [], files: {}, design: null, targets: [] };

function fill(folder: string): void {
  const results = new CampaignResults(folder);
  results.begin(JSON.stringify({ models: [{ signals: { times: { from: 0, to: 999_999, step: 1 } } }] }), golden, 10);
  results.close();
  const database = new DatabaseSync(join(folder, 'results.db'));
  // Made anew when all are there: that is quicker.
  const indexes = database
    .prepare("SELECT name FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL AND tbl_name = 'run'")
    .all();
  for (const { name } of indexes) database.exec(`DROP INDEX ${String(name)}`);
  database.exec('PRAGMA synchronous = OFF; BEGIN');
  const insert = database.prepare(
    `INSERT INTO run (number, model, fault, target, scope, at, outcome, effective, deviation, injection, injected_at, latency, status, start,
       start_reason, elapsed_ms, finished_at, console) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const console = 'a line of the console of a run\n'.repeat(20);
  for (let number = 0; number < RUNS; number++) {
    // Most are masked, as in any campaign.
    const outcome = number % 10 < 7 ? 'masked' : (Outcome.options[number % 8] ?? 'masked');
    const register = (number * 7919) % REGISTERS;
    const scope = `tb.soc.block${register % SCOPES}`;
    const [target, at] = [`${scope}.register${register}`, (number * 104_729) % 1_000_000];
    const fault = `upset of ${target} bit ${number % 32} after ${at}`;
    const deviation = outcome === 'masked' ? '' : `line ${number % 50}: "${number}" instead of "ok"`;
    insert.run(
      number,
      'upsets',
      fault,
      target,
      scope,
      at,
      outcome,
      1,
      deviation,
      'effective',
      at,
      null,
      0,
      'resident',
      '',
      12.5,
      '2026-01-01T00:00:00.000Z',
      console,
    );
  }
  database.exec('COMMIT');
  database.close();
  new CampaignResults(folder).close();
}

function timed(work: () => unknown): number {
  const times = Array.from({ length: 5 }, () => {
    const start = performance.now();
    work();
    return performance.now() - start;
  });
  return median(times);
}

export function measureQueries(): Row[] {
  const folder = mkdtempSync(join(tmpdir(), 'cairn-bench-'));
  try {
    fill(folder);
    const results = new CampaignResults(folder, true);
    const page = (query: Partial<RunQuery>) => (): unknown => results.page({ offset: 0, limit: 200, ...query });
    const sample = { confidence: 0.95, population: 100 * RUNS };
    const scope = 'tb.soc.block7';
    const questions: [question: string, ask: () => unknown, aim?: null][] = [
      ['rates', () => [results.counts(), results.notEffective, results.byModel()]],
      ['modules, heat map, convergence, registers, metrics', () => figuresOf(results, sample)],
      ['first page', page({})],
      ['page in the middle', page({ offset: RUNS / 2 })],
      ['page of an outcome, in the middle of most runs', page({ outcome: 'masked', offset: 0.4 * RUNS })],
      ['page of a model and an outcome', page({ model: 'upsets', outcome: 'hang', offset: 1000 })],
      ['page of a model', page({ model: 'upsets', offset: RUNS / 2 })],
      ['runs of a module', page({ scope })],
      ['runs of a module with an outcome', page({ scope, outcome: 'hang' })],
      ['runs of a cell of the heat map', page({ scope, times: { from: 0, to: 41_667 }, outcome: 'crash' })],
      ['runs of a register', page({ target: 'tb.soc.block7.register7', outcome: 'trap' })],
      ['runs by words of the fault, rare', page({ search: `after ${104_729 % 1_000_000}` }), null],
      ['runs by words of the fault, in all', page({ search: 'upset of' }), null],
    ];
    const rows = questions.map(([question, ask, aim = 1]): Row => {
      const ms = timed(ask);
      return {
        question: `Campaign of ${RUNS.toLocaleString('en-US')} runs: ${question}`,
        measured: `${ms.toFixed(1)} ms`,
        compared: `${AIM_MS} ms`,
        ratio: ms / AIM_MS,
        aim,
      };
    });
    results.close();
    return rows;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
