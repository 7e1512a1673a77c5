/**
 * Results of a campaign: SQLite, in <store>/campaigns/<name>/results.db. Each run is there, whole and flushed, before the next is counted;
 * a campaign that was interrupted goes on with those that are missing. Any number may read while one writes.
 * Tests: test/unit/campaign-results.test.ts.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { spanOf } from '../model/fault-space.js';
import { type Campaign, type Golden, type Outcome, Run } from '../protocol/campaign.js';
import { FAILURES } from '../protocol/campaign-figures.js';
import { failure, reason } from '../protocol/errors.js';
import { SEARCH_LAYOUT, searchRuns } from './campaign-search.js';

const FORMAT = 4;

/** So many parts of the time in which faults begin are told apart. */
export const TIME_PARTS = 24;

/**
 * Of rates as they came to be, up to 64 points for each doubling of the runs: a million runs are less than a thousand points.
 */
const STRIDE = `CASE ${Array.from({ length: 24 }, (_, power) => `WHEN n < ${128 * 2 ** power} THEN ${2 ** power}`).join(' ')} ELSE ${2 ** 24} END`;
const PART = 'coalesce((new.at - (SELECT first FROM span)) / (SELECT width FROM span), -1)';
const FAILED = FAILURES.map((one) => `'${one}'`).join(', ');
const OLD_PART = PART.replace('new.at', 'old.at');

const count = `
    INSERT INTO tally VALUES (new.model, new.outcome, coalesce(new.effective, -1), 1) ON CONFLICT DO UPDATE SET count = count + 1;
    INSERT INTO tally_target VALUES (new.target, new.scope, new.outcome <> 'toolError', new.outcome IN (${FAILED})) ON CONFLICT DO UPDATE SET
      runs = runs + excluded.runs, failures = failures + excluded.failures;
    INSERT INTO tally_scope VALUES (new.scope, ${PART}, new.outcome, 1) ON CONFLICT DO UPDATE SET count = count + 1;
    INSERT OR IGNORE INTO step SELECT n, (SELECT json_group_object(outcome, had) FROM
        (SELECT outcome, sum(count) AS had FROM tally WHERE outcome <> 'toolError' GROUP BY outcome HAVING had > 0))
      FROM (SELECT sum(count) AS n FROM tally WHERE outcome <> 'toolError') WHERE new.outcome <> 'toolError' AND n % (${STRIDE}) = 0;`;

/** What views show is counted as runs come, by the database itself: no view has to look at all of them. */
const LAYOUT = `
  CREATE TABLE IF NOT EXISTS campaign (
    only INTEGER PRIMARY KEY CHECK (only = 1), format INTEGER NOT NULL, plan TEXT NOT NULL, golden TEXT NOT NULL, golden_ms REAL NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS run (
    number INTEGER PRIMARY KEY, model TEXT NOT NULL, fault TEXT NOT NULL, target TEXT NOT NULL, scope TEXT NOT NULL, at INTEGER,
    outcome TEXT NOT NULL, effective INTEGER, deviation TEXT NOT NULL, injection TEXT NOT NULL, injected_at INTEGER, latency INTEGER,
    status INTEGER, start TEXT NOT NULL, start_reason TEXT NOT NULL, elapsed_ms REAL NOT NULL, finished_at TEXT NOT NULL,
    console TEXT NOT NULL) STRICT;
  CREATE INDEX IF NOT EXISTS run_order ON run (number);
  CREATE INDEX IF NOT EXISTS run_outcome ON run (outcome, number);
  CREATE INDEX IF NOT EXISTS run_model ON run (model, number);
  CREATE INDEX IF NOT EXISTS run_model_outcome ON run (model, outcome, number);
  CREATE INDEX IF NOT EXISTS run_scope ON run (scope, at, number, outcome, model, effective);
  CREATE INDEX IF NOT EXISTS run_target ON run (target, number);
  CREATE TABLE IF NOT EXISTS span (only INTEGER PRIMARY KEY CHECK (only = 1), first INTEGER NOT NULL, width INTEGER NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS tally (
    model TEXT, outcome TEXT, effective INTEGER, count INTEGER NOT NULL, PRIMARY KEY (model, outcome, effective)) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS tally_target (
    target TEXT, scope TEXT, runs INTEGER NOT NULL, failures INTEGER NOT NULL, PRIMARY KEY (target, scope)) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS tally_failures ON tally_target (failures DESC, runs) WHERE failures > 0;
  CREATE TABLE IF NOT EXISTS tally_scope (
    scope TEXT, part INTEGER, outcome TEXT, count INTEGER NOT NULL, PRIMARY KEY (scope, part, outcome)) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS step (runs INTEGER PRIMARY KEY, counts TEXT NOT NULL) STRICT;
  CREATE TRIGGER IF NOT EXISTS run_counted AFTER INSERT ON run BEGIN ${count}
  END;
  -- Only of one that could not be made, which no register has counted.
  CREATE TRIGGER IF NOT EXISTS run_counted_again AFTER UPDATE ON run BEGIN
    UPDATE tally SET count = count - 1 WHERE model = old.model AND outcome = old.outcome AND effective = coalesce(old.effective, -1);
    UPDATE tally_scope SET count = count - 1 WHERE scope = old.scope AND part = ${OLD_PART} AND outcome = old.outcome;${count}
  END;
  CREATE TABLE IF NOT EXISTS ending (only INTEGER PRIMARY KEY CHECK (only = 1), runs INTEGER NOT NULL) STRICT;
  ${SEARCH_LAYOUT}
`;

export interface RunQuery {
  outcome?: Outcome | undefined;
  model?: string | undefined;
  /** Part of the fault's words or of the deviation. */
  search?: string | undefined;
  effective?: boolean | undefined;
  scope?: string | undefined;
  target?: string | undefined;
  /** Faults that were to begin in these ticks, without the last one. */
  times?: { from: number; to: number } | undefined;
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
      const other = this.#otherFormat();
      if (other !== undefined) throw new Error(`it is of format ${other}; this Cairn knows ${FORMAT}`);
      if (!readOnly) this.#database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; ${LAYOUT}`);
    } catch (cause) {
      throw failure('campaignUnusable', { path: this.path, why: reason(cause) }, cause);
    }
  }

  /** Before anything of it is changed. */
  #otherFormat(): string | undefined {
    const [there] = this.rows("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'campaign'");
    const format = there === undefined ? undefined : this.rows('SELECT format FROM campaign')[0]?.['format'];
    return format === undefined || format === FORMAT ? undefined : String(Number(format));
  }

  close(): void {
    this.#statements.clear();
    this.#database.close();
  }

  /** undefined: nothing was begun. */
  get begun(): { plan: string; golden: Golden; goldenMs: number } | undefined {
    const row = this.#database.prepare('SELECT plan, golden, golden_ms FROM campaign').get();
    if (row === undefined) return undefined;
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
    const span = spanIn(plan);
    if (span !== undefined)
      this.#database
        .prepare('INSERT OR REPLACE INTO span VALUES (1, ?, ?)')
        .run(span.from, Math.ceil((span.to - span.from + 1) / TIME_PARTS));
  }

  /** A run that has been counted already stays as it is; one that could not be made is replaced. */
  add(run: Run, console: string): void {
    this.#kept(
      `INSERT INTO run (number, model, fault, target, scope, at, outcome, effective, deviation, injection, injected_at, latency, status,
           start, start_reason, elapsed_ms, finished_at, console) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (number) DO UPDATE SET
           outcome = excluded.outcome, effective = excluded.effective, deviation = excluded.deviation,
           injection = excluded.injection, injected_at = excluded.injected_at, latency = excluded.latency, status = excluded.status,
           start = excluded.start, start_reason = excluded.start_reason,
           elapsed_ms = excluded.elapsed_ms, finished_at = excluded.finished_at, console = excluded.console
         WHERE run.outcome = 'toolError'`,
    ).run(
      run.number,
      run.model,
      run.fault,
      run.target,
      run.scope,
      run.at,
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
    const rows = this.#database.prepare('SELECT outcome, sum(count) AS count FROM tally GROUP BY outcome HAVING count > 0').all();
    return Object.fromEntries(rows.map((row) => [row['outcome'], Number(row['count'])])) as Partial<Record<Outcome, number>>;
  }

  get notEffective(): number {
    const row = this.#database
      .prepare("SELECT sum(count) AS count FROM tally WHERE effective = 0 AND outcome <> 'toolError'")
      .get();
    return Number(row?.['count'] ?? 0);
  }

  /** In their order; `outcome` undefined: all. */
  *runs(outcome?: Outcome): Generator<Run> {
    const where = outcome === undefined ? '' : 'WHERE outcome = ?';
    const statement = this.#database.prepare(`SELECT * FROM run ${where} ORDER BY number`);
    for (const row of outcome === undefined ? statement.iterate() : statement.iterate(outcome)) yield runOf(row);
  }

  /** A part of those that are asked for, in their order, and how many there are; `more`: at least so many, a search does not count further. */
  page({ offset, limit, search, ...asked }: RunQuery): { total: number; more: boolean; runs: Run[] } {
    const { conditions, where, values } = conditionOf(asked);
    const total = this.#total(asked, where, values);
    if (search) {
      const { numbers, ...found } = searchRuns(this.#database, { search, conditions, values, filtered: total, offset, limit });
      return { ...found, runs: this.#some(numbers) };
    }
    // Numbers first, which an index has: rows are long, and those that are passed over are not looked at.
    const behind = total - offset - limit;
    const fromEnd = behind >= 0 && behind < offset;
    const order = fromEnd ? 'DESC' : 'ASC';
    const index = where === '' ? 'INDEXED BY run_order' : '';
    const numbers = this.#database
      .prepare(`SELECT number FROM run ${index} ${where} ORDER BY number ${order} LIMIT ? OFFSET ?`)
      .all(...values, limit, fromEnd ? behind : offset)
      .map((row) => Number(row['number']));
    if (fromEnd) numbers.reverse();
    return { total, more: false, runs: this.#some(numbers) };
  }

  /** In that order; without the consoles, which are long. */
  #some(numbers: readonly number[]): Run[] {
    const row = this.#database.prepare(
      `SELECT number, model, fault, target, scope, at, outcome, effective, deviation, injection, injected_at, latency, status, start, start_reason,
         elapsed_ms, finished_at FROM run WHERE number = ?`,
    );
    return numbers
      .map((number) => row.get(number))
      .filter((one) => one !== undefined)
      .map(runOf);
  }

  #total({ outcome, model, effective, scope, target, times }: Asked, where: string, values: Value[]): number {
    const places = [scope, target, times].filter((one) => one !== undefined).length;
    // What has been counted already.
    if (places === 0) {
      const { where: counted, values: these } = conditionOf({ outcome, model, effective });
      const row = this.#database.prepare(`SELECT sum(count) AS count FROM tally ${counted}`).get(...these);
      return Number(row?.['count'] ?? 0);
    }
    if (scope !== undefined && places === 1 && model === undefined && effective === undefined) {
      const { where: counted, values: these } = conditionOf({ outcome, scope });
      const row = this.#database.prepare(`SELECT sum(count) AS count FROM tally_scope ${counted}`).get(...these);
      return Number(row?.['count'] ?? 0);
    }
    return Number(this.#database.prepare(`SELECT count(*) AS count FROM run ${where}`).get(...values)?.['count'] ?? 0);
  }

  /** How many of each model had each outcome. */
  byModel(): { model: string; outcome: Outcome; count: number }[] {
    const rows = this.#database
      .prepare('SELECT model, outcome, sum(count) AS count FROM tally GROUP BY model, outcome HAVING count > 0 ORDER BY model')
      .all();
    return rows.map((row) => ({ model: String(row['model']), outcome: row['outcome'] as Outcome, count: Number(row['count']) }));
  }

  /** For queries of what has been counted (store/campaign-tallies.ts). */
  rows(sql: string, ...values: Value[]): Record<string, unknown>[] {
    return this.#database.prepare(sql).all(...values);
  }

  /** undefined: it has not been run. */
  run(number: number): { run: Run; console: string } | undefined {
    const row = this.#database.prepare('SELECT * FROM run WHERE number = ?').get(number);
    return row === undefined ? undefined : { run: runOf(row), console: String(row['console']) };
  }
}

type Asked = Omit<RunQuery, 'search' | 'offset' | 'limit'>;
type Value = string | number;

function conditionOf({ outcome, model, effective, scope, target, times }: Asked): {
  conditions: string[];
  where: string;
  values: Value[];
} {
  const all: [sql: string, ...values: Value[]][] = [];
  if (outcome !== undefined) all.push(['outcome = ?', outcome]);
  if (model !== undefined) all.push(['model = ?', model]);
  if (effective !== undefined) all.push(['effective = ?', Number(effective)]);
  if (scope !== undefined) all.push(['scope = ?', scope]);
  if (target !== undefined) all.push(['target = ?', target]);
  if (times !== undefined) all.push(['at >= ? AND at < ?', times.from, times.to]);
  const conditions = all.map(([sql]) => sql);
  const where = all.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`;
  return { conditions, where, values: all.flatMap(([, ...values]) => values) };
}

/** Of a plan that is none: none. */
function spanIn(plan: string): { from: number; to: number } | undefined {
  try {
    return spanOf(JSON.parse(plan) as Campaign);
  } catch {
    return undefined;
  }
}

function runOf(row: Record<string, unknown>): Run {
  return Run.parse({
    number: row['number'],
    model: row['model'],
    fault: row['fault'],
    target: row['target'],
    scope: row['scope'],
    at: row['at'],
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
