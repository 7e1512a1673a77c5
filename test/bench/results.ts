/**
 * What a page with the results of a campaign asks for, of a million runs (CAIRN_BENCH_RESULTS): each query for itself, by the code that the command
 * uses.
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Outcome, Run } from '../../debug-adapter/src/protocol/campaign.js';
import { CampaignResults, type RunQuery } from '../../debug-adapter/src/store/campaign-results.js';
import { median, type Row } from './row.js';

/** On this machine; milliseconds. */
const AIM_MS = 100;
const BATCH = 2000;
const MODELS = ['upsets', 'stuck', 'calls'];
/** Of a hundred runs. */
const SHARES: [Outcome, number][] = [
  ['masked', 62],
  ['latent', 14],
  ['silentDataCorruption', 11],
  ['detected', 7],
  ['trap', 3],
  ['hang', 2],
  ['crash', 1],
];
const outcomes = SHARES.flatMap(([outcome, share]) => Array.from({ length: share }, () => outcome));

function runOf(number: number): { run: Run; console: string } {
  const outcome = outcomes[(number * 37) % 100] ?? 'masked';
  const [module, register, bit] = [number % 23, (number * 7) % 305, number % 32];
  const differs = outcome !== 'masked';
  return {
    run: {
      number,
      model: MODELS[number % 3] ?? '',
      fault: `upset of tb.soc.unit${module}.register${register} bit ${bit} after ${number % 200_000}`,
      outcome,
      effective: number % 10 !== 0,
      injection: 'effective',
      injectedAt: number % 200_000,
      latency: null,
      deviation: differs ? `line ${number % 400}: "sum ${number}" instead of "sum 4711"` : '',
      status: 0,
      start: 'resident',
      startReason: '',
      elapsedMs: 12,
      finishedAt: '2026-01-01T00:00:00.000Z',
    },
    console: `booted\n${'a line of the console\n'.repeat(40)}sum ${differs ? number % 100_000 : 4711}\n`,
  };
}

export async function measureResults(runs: number, rounds: number): Promise<Row[]> {
  const folder = mkdtempSync(join(tmpdir(), 'cairn-bench-'));
  try {
    const results = new CampaignResults(folder);
    const golden = { status: 0, lines: [], files: {}, design: null, targets: [] };
    results.begin('{}', golden, 10);
    const begun = performance.now();
    for (let first = 0; first < runs; first += BATCH)
      results.addAll(Array.from({ length: Math.min(BATCH, runs - first) }, (_, at) => runOf(first + at)));
    const addedUs = ((performance.now() - begun) * 1000) / runs;
    results.close();
    const bytes = statSync(join(folder, 'results.db')).size;
    const reader = new CampaignResults(folder, true);
    const page = (query: Partial<RunQuery>) => () => reader.page({ offset: 0, limit: 200, ...query });
    const queries: Record<string, () => unknown> = {
      status: () => [reader.counts(), reader.notEffective, reader.endedAfter, reader.byModel()],
      'first page': page({}),
      'last page': page({ offset: runs - 200 }),
      'an outcome, last page': page({ outcome: 'masked', offset: Math.floor(runs * 0.62) - 200 }),
      'a model, last page': page({ model: 'stuck', offset: Math.floor(runs / 3) - 200 }),
      'a model and an outcome, last page': page({ model: 'stuck', outcome: 'masked', offset: Math.floor(runs * 0.2) - 200 }),
      'no effect, last page': page({ effective: false, offset: runs / 10 - 200 }),
      'search, one register': page({ search: 'unit7.register111 ' }),
      'search, all runs': page({ search: 'register' }),
      'search, all runs, last that is counted': page({ search: 'register', offset: 4800 }),
      'search, a third': page({ search: '4711' }),
      'search, none': page({ search: 'nowhere' }),
      'search, two characters': page({ search: '17' }),
      'search in a rare outcome': page({ search: 'register', outcome: 'hang' }),
      'search in a common outcome': page({ search: 'register', outcome: 'detected' }),
      'rare search in a common outcome': page({ search: 'bit 13', outcome: 'masked', model: 'stuck' }),
      'one run with its console': () => reader.run(runs - 1),
    };
    const times = Object.entries(queries).map(([name, query]): [string, number] => {
      const all = Array.from({ length: Math.max(3, rounds) }, () => {
        const start = performance.now();
        query();
        return performance.now() - start;
      });
      return [name, median(all)];
    });
    reader.close();
    times.sort(([, a], [, b]) => b - a);
    const [slowest, most] = times[0] ?? ['', Number.NaN];
    const told = times.map(([name, time]) => `${name} ${time.toFixed(1)}`).join(', ');
    return [
      {
        question: `Queries behind the page of a campaign of ${runs.toLocaleString('en')} runs`,
        measured: `slowest: ${slowest}, ${most.toFixed(0)} ms (in ms: ${told}); a run added: ${addedUs.toFixed(0)} us, ${Math.round(bytes / runs)} bytes`,
        compared: `${AIM_MS} ms`,
        ratio: most / AIM_MS,
        aim: 1,
      },
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
