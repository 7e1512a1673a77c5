/**
 * Results of a campaign: SQLite, in <store>/campaigns/<name>/results.db. Each run is there, whole and flushed, before the next is counted;
 * a campaign that was interrupted goes on with those that are missing. Any number may read while one writes.
 * Tests: test/unit/campaign-results.test.ts.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { type Golden, type Outcome, Run } from '../protocol/campaign.js';
import { failure, reason } from '../protocol/errors.js';
import { SEARCH_LAYOUT, searchRuns } from './campaign-search.js';

const FORMAT = 3;

const LAYOUT = `
  CREATE TABLE IF NOT EXISTS campaign (
    only INTEGER PRIMARY KEY CHECK (only = 1), format INTEGER NOT NULL, plan TEXT NOT NULL, golden TEXT NOT NULL, golden_ms REAL NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS run (
    number INTEGER PRIMARY KEY, model TEXT NOT NULL, fault TEXT NOT NULL, outcome TEXT NOT NULL, effective INTEGER, deviation TEXT NOT NULL,
    injection TEXT NOT NULL, injected_at INTEGER, latency INTEGER, status INTEGER, start TEXT NOT NULL, start_reason TEXT NOT NULL,
     elapsed_ms REAL NOT NULL, finished_at TEXT NOT NULL, console TEXT NOT NULL) STRICT;
  CREATE INDEX IF NOT EXISTS run_outcome ON run (outcome, number);
  CREATE TABLE IF NOT EXISTS ending (only INTEGER PRIMARY KEY CHECK (only = 1), runs INTEGER NOT NULL) STRICT;
  ${SEARCH_LAYOUT}
`;

export interface RunQuery {
  outcome?: Outcome | undefined;
  model?: string | undefined;
  /** Part of the fault's words or of the deviation. */
  search?: string | undefined;
  effective?: boolean | undefined;
  offset: number;
  limit: number;
}

export interface CountedRun {
  run: Run;
  console: string;
}

export class CampaignResults {
  readonly path: string;
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  /** Throws `campaignUnusable`. */
  constructor(folder: string, readOnly = false) {
    this.path = join(folder, 'results.db');
    try {
      if (!readOnly) mkdirSync(folder, { recursive: true });
      this.#database = new DatabaseSync(this.path, { readOnly });
      this.#database.exec('PRAGMA busy_timeout = 10000');
      if (!readOnly) this.#database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; ${LAYOUT}`);
    } catch (cause) {
      throw failure('campaignUnusable', { path: this.path, why: reason(cause) }, cause);
    }
  }

  close(): void {
    this.#statements.clear();
    this.#database.close();
  }

  /** undefined: nothing was begun. */
  get begun(): { plan: string; golden: Golden; goldenMs: number } | undefined {
    const row = this.#database.prepare('SELECT format, plan, golden, golden_ms FROM campaign').get();
    if (row === undefined) return undefined;
    if (row['format'] !== FORMAT)
      throw failure('campaignUnusable', {
        path: this.path,
        why: `it is of format ${String(row['format'])}; this Cairn knows ${FORMAT}`,
      });
    return {
      plan: String(row['plan']),
      golden: JSON.parse(String(row['golden'])) as Golden,
      goldenMs: Number(row['golden_ms']),
    };
  }

  /** `plan`: what decides the runs; where it differs, results are those of another campaign. */
  begin(plan: string, golden: Golden, goldenMs: number): void {
    this.#database
      .prepare('INSERT INTO campaign (only, format, plan, golden, golden_ms) VALUES (1, ?, ?, ?, ?)')
      .run(FORMAT, plan, JSON.stringify(golden), goldenMs);
  }

  /** A run that has been counted already stays as it is; one that could not be made is replaced. */
  add(run: Run, console: string): void {
    this.#kept(
      `INSERT INTO run VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (number) DO UPDATE SET
           outcome = excluded.outcome, effective = excluded.effective, deviation = excluded.deviation,
           injection = excluded.injection, injected_at = excluded.injected_at, latency = excluded.latency, status = excluded.status,
           start = excluded.start, start_reason = excluded.start_reason,
           elapsed_ms = excluded.elapsed_ms, finished_at = excluded.finished_at, console = excluded.console
         WHERE run.outcome = 'toolError'`,
    ).run(
      run.number,
      run.model,
      run.fault,
      run.outcome,
      run.effective === null ? null : Number(run.effective),
      run.deviation,
      run.injection,
      run.injectedAt,
      run.latency,
      run.status,
      run.start,
      run.startReason,
      run.elapsedMs,
      run.finishedAt,
      console,
    );
  }

  /** Compiled once: with all that triggers do a statement takes memory that the collector of garbage knows nothing of. */
  #kept(sql: string): StatementSync {
    const known = this.#statements.get(sql) ?? this.#database.prepare(sql);
    this.#statements.set(sql, known);
    return known;
  }

  /** All of them or, where that fails, none; each as by `add`. */
  addAll(all: readonly CountedRun[]): void {
    this.#database.exec('BEGIN IMMEDIATE');
    try {
      for (const { run, console } of all) this.add(run, console);
      this.#database.exec('COMMIT');
    } catch (error) {
      this.#database.exec('ROLLBACK');
      throw error;
    }
  }

  /** After so many runs the rates were known well enough. */
  end(runs: number): void {
    this.#database.prepare('INSERT OR REPLACE INTO ending VALUES (1, ?)').run(runs);
  }

  /** null: they were not, or nothing asks for it. */
  get endedAfter(): number | null {
    const row = this.#database.prepare('SELECT runs FROM ending').get();
    return row === undefined ? null : Number(row['runs']);
  }

  /** Of those that have been counted; what could not be made has not. */
  *outcomes(): Generator<{ number: number; outcome: Outcome }> {
    const rows = this.#database.prepare("SELECT number, outcome FROM run WHERE outcome <> 'toolError'").iterate();
    for (const row of rows) yield { number: Number(row['number']), outcome: row['outcome'] as Outcome };
  }

  counts(): Partial<Record<Outcome, number>> {
    const rows = this.#database.prepare('SELECT outcome, count(*) AS count FROM run GROUP BY outcome').all();
    return Object.fromEntries(rows.map((row) => [row['outcome'], Number(row['count'])])) as Partial<Record<Outcome, number>>;
  }

  get notEffective(): number {
    return Number(
      this.#database.prepare("SELECT count(*) AS count FROM run WHERE effective = 0 AND outcome <> 'toolError'").get()?.[
        'count'
      ] ?? 0,
    );
  }

  /** In their order; `outcome` undefined: all. */
  *runs(outcome?: Outcome): Generator<Run> {
    const where = outcome === undefined ? '' : 'WHERE outcome = ?';
    const statement = this.#database.prepare(`SELECT * FROM run ${where} ORDER BY number`);
    for (const row of outcome === undefined ? statement.iterate() : statement.iterate(outcome)) yield runOf(row);
  }

  /** A part of those that are asked for, in their order, and how many there are; `more`: at least so many, a search does not count further. */
  page({ outcome, model, search, effective, offset, limit }: RunQuery): { total: number; more: boolean; runs: Run[] } {
    const conditions: [sql: string, value: string | number][] = [];
    if (outcome !== undefined) conditions.push(['outcome = ?', outcome]);
    if (model !== undefined) conditions.push(['model = ?', model]);
    if (effective !== undefined) conditions.push(['effective = ?', Number(effective)]);
    const where = conditions.length === 0 ? '' : `WHERE ${conditions.map(([sql]) => sql).join(' AND ')}`;
    const values = conditions.map(([, value]) => value);
    const count = this.#database.prepare(`SELECT count(*) AS count FROM run ${where}`).get(...values);
    const filtered = Number(count?.['count'] ?? 0);
    // Without the consoles, which are long.
    const columns =
      'number, model, fault, outcome, effective, deviation, injection, injected_at, latency, status, start, start_reason, elapsed_ms, finished_at';
    if (search) {
      const sqls = conditions.map(([sql]) => sql);
      const { numbers, ...found } = searchRuns(this.#database, { search, conditions: sqls, values, filtered, offset, limit });
      const some = this.#database.prepare(
        `SELECT ${columns} FROM run WHERE number IN (SELECT value FROM json_each(?)) ORDER BY number`,
      );
      return { ...found, runs: some.all(JSON.stringify(numbers)).map(runOf) };
    }
    const rows = this.#database.prepare(`SELECT ${columns} FROM run ${where} ORDER BY number LIMIT ? OFFSET ?`);
    return { total: filtered, more: false, runs: rows.all(...values, limit, offset).map(runOf) };
  }

  /** How many of each model had each outcome. */
  byModel(): { model: string; outcome: Outcome; count: number }[] {
    const rows = this.#database
      .prepare('SELECT model, outcome, count(*) AS count FROM run GROUP BY model, outcome ORDER BY model')
      .all();
    return rows.map((row) => ({ model: String(row['model']), outcome: row['outcome'] as Outcome, count: Number(row['count']) }));
  }

  /** undefined: it has not been run. */
  run(number: number): { run: Run; console: string } | undefined {
    const row = this.#database.prepare('SELECT * FROM run WHERE number = ?').get(number);
    return row === undefined ? undefined : { run: runOf(row), console: String(row['console']) };
  }
}

function runOf(row: Record<string, unknown>): Run {
  return Run.parse({
    number: row['number'],
    model: row['model'],
    fault: row['fault'],
    outcome: row['outcome'],
    effective: row['effective'] === null ? null : row['effective'] === 1,
    deviation: row['deviation'],
    injection: row['injection'],
    injectedAt: row['injected_at'],
    latency: row['latency'],
    status: row['status'],
    start: row['start'],
    startReason: row['start_reason'],
    elapsedMs: row['elapsed_ms'],
    finishedAt: row['finished_at'],
  });
}
