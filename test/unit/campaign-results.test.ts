/** Results of a campaign on disk. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import type { Run } from '../../debug-adapter/src/protocol/campaign.js';
import { CairnError } from '../../debug-adapter/src/protocol/errors.js';
import { CampaignResults } from '../../debug-adapter/src/store/campaign-results.js';
import { searchRuns } from '../../debug-adapter/src/store/campaign-search.js';

function withFolder(work: (folder: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), 'cairn-results-'));
  try {
    work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const run = (number: number, more: Partial<Run> = {}): Run => ({
  number,
  model: 'reads',
  fault: `call ${number}`,
  target: 'read',
  scope: 'vvp',
  at: null,
  outcome: 'masked',
  effective: true,
  injection: 'effective',
  injectedAt: 40,
  latency: null,
  deviation: '',
  status: 0,
  start: 'resident',
  startReason: '',
  elapsedMs: 12.5,
  finishedAt: '2026-01-01T00:00:00.000Z',
  ...more,
});
const golden = { status: 0, lines: ['a'], files: {}, design: null, targets: [] };

test('runs are there for others at once, each once, and after the writer is gone', () =>
  withFolder((folder) => {
    const results = new CampaignResults(folder);
    assert.equal(results.begun, undefined);
    results.begin('plan', golden, 10);
    results.add(run(2, { outcome: 'hang', status: null, effective: null }), 'line 1\nline "2"');
    results.add(run(0, { effective: false }), '');
    results.add(run(2), 'another');
    const reader = new CampaignResults(folder, true);
    assert.deepEqual(
      [...reader.runs()],
      [run(0, { effective: false }), run(2, { outcome: 'hang', status: null, effective: null })],
    );
    assert.deepEqual(
      [...reader.runs('hang')].map(({ number }) => number),
      [2],
    );
    assert.equal(reader.run(2)?.console, 'line 1\nline "2"');
    assert.equal(reader.run(1), undefined);
    assert.deepEqual(reader.counts(), { masked: 1, hang: 1 });
    assert.equal(reader.notEffective, 1);
    results.close();
    reader.close();
    const again = new CampaignResults(folder);
    assert.deepEqual(again.begun, { plan: 'plan', golden, goldenMs: 10 });
    assert.deepEqual(new Set([...again.outcomes()].map(({ number }) => number)), new Set([0, 2]));
    again.close();
  }));

test('a run that could not be made is made again, and takes its place', () =>
  withFolder((folder) => {
    const results = new CampaignResults(folder);
    results.add(run(0, { outcome: 'toolError', effective: null, deviation: 'no memory' }), '');
    assert.deepEqual([...results.outcomes()], []);
    results.add(run(0), 'made');
    results.add(run(0, { outcome: 'toolError' }), '');
    assert.deepEqual(results.run(0), { run: run(0), console: 'made' });
    results.close();
  }));

test('what is no result, or one of a later Cairn, is refused by name', () =>
  withFolder((folder) => {
    const refused = (work: () => unknown, pattern: RegExp): void =>
      assert.throws(
        work,
        (error) => error instanceof CairnError && error.code === 'campaignUnusable' && pattern.test(error.message),
      );
    refused(() => new CampaignResults(join(folder, 'none'), true), /results\.db/);
    const results = new CampaignResults(folder);
    results.begin('plan', golden, 10);
    results.close();
    const database = new DatabaseSync(join(folder, 'results.db'));
    database.exec('UPDATE campaign SET format = 99');
    database.close();
    refused(() => new CampaignResults(folder), /format 99/);
    refused(() => new CampaignResults(folder, true), /format 99/);
    for (const ending of ['', '-wal', '-shm']) rmSync(join(folder, `results.db${ending}`), { force: true });
    writeFileSync(
      join(folder, 'results.db'),
      'no database at all, but some text that is long enough to be taken for a header of one',
    );
    refused(() => new CampaignResults(folder), /results\.db/);
  }));

test('a page has the runs that are asked for, and how many there are', () =>
  withFolder((folder) => {
    const results = new CampaignResults(folder);
    results.begin('plan', golden, 10);
    for (let number = 0; number < 40; number++)
      results.add(
        run(number, {
          outcome: number % 4 === 0 ? 'hang' : 'masked',
          model: number < 20 ? 'reads' : 'writes',
          deviation: number === 7 ? '100%_' : '',
        }),
        'x',
      );
    const numbers = (query: Parameters<CampaignResults['page']>[0]): unknown => {
      const { total, runs } = results.page(query);
      return [total, ...runs.map((one) => one.number)];
    };
    assert.deepEqual(numbers({ offset: 38, limit: 10 }), [40, 38, 39]);
    assert.deepEqual(numbers({ outcome: 'hang', offset: 1, limit: 2 }), [10, 4, 8]);
    assert.deepEqual(numbers({ outcome: 'hang', model: 'writes', offset: 4, limit: 2 }), [5, 36]);
    assert.deepEqual(numbers({ search: 'CALL 3', offset: 0, limit: 2 }), [11, 3, 30]);
    // No wildcards of the database's.
    assert.deepEqual(numbers({ search: '0%_', offset: 0, limit: 9 }), [1, 7]);
    assert.deepEqual(numbers({ search: '%', offset: 0, limit: 9 }), [1, 7]);
    assert.deepEqual(results.byModel(), [
      { model: 'reads', outcome: 'hang', count: 5 },
      { model: 'reads', outcome: 'masked', count: 15 },
      { model: 'writes', outcome: 'hang', count: 5 },
      { model: 'writes', outcome: 'masked', count: 15 },
    ]);
    results.close();
  }));

test('a search finds the same by its index as by looking at each run, and no more than it counts', () =>
  withFolder((folder) => {
    const results = new CampaignResults(folder);
    results.addAll(
      Array.from({ length: 6000 }, (_, number) => ({
        run: run(number, {
          fault: `upset of tb.Unit${number % 23}.r${number % 305} bit ${number % 32} after ${number}`,
          deviation: number === 77 ? 'line 1: "50%_ü" instead of "a"' : '',
          outcome: number % 100 === 0 ? 'toolError' : 'masked',
        }),
        console: '',
      })),
    );
    // One that is replaced is found by its new words alone.
    results.add(run(200, { deviation: 'another text' }), '');
    results.close();
    const database = new DatabaseSync(join(folder, 'results.db'));
    const found = (search: string, filtered: number, conditions: string[] = [], values: string[] = []): unknown =>
      searchRuns(database, { search, conditions, values, filtered, offset: 0, limit: 50 });
    for (const search of [
      'unit7.r111 ',
      'bit 13',
      'bit 13 after 45',
      'another text',
      '0%_',
      '0%_ü"',
      'r1',
      'nowhere',
      '"',
      "it's",
    ]) {
      const [each, byIndex] = [found(search, 10), found(search, 1_000_000)];
      assert.deepEqual(byIndex, each, search);
      const condition: [string[], string[]] = [['outcome = ?'], ['masked']];
      assert.deepEqual(found(search, 1_000_000, ...condition), found(search, 10, ...condition), search);
    }
    assert.deepEqual(found('another text', 1_000_000), { total: 1, more: false, numbers: [200] });
    const all = searchRuns(database, { search: 'upset', conditions: [], values: [], filtered: 6000, offset: 4990, limit: 50 });
    assert.deepEqual([all.total, all.more, all.numbers.length, all.numbers[0]], [5040, true, 50, 4990]);
    database.close();
  }));
