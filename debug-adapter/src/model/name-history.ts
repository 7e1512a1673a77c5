/**
 * What a virtual name led to in each run of a branch: from the tables of the snapshots on the way to where it is looked at. Pure.
 * Tests: test/unit/name-history.test.ts.
 */
import type { TableRow } from '../protocol/control.js';
import { type RealName, type RowWithHistory, sameRow } from '../protocol/name-history.js';

/** A table at one moment of a branch. */
export interface TableThen {
  session: string;
  /** null: now. */
  snapshot: string | null;
  /** ISO 8601. */
  at: string;
  rows: readonly TableRow[];
}

/** `last` is what is looked at; `before`: the oldest first. A real name that stays from one snapshot of a run to the next is one. */
export function withHistory(before: readonly TableThen[], last: TableThen): RowWithHistory[] {
  return last.rows.map((row) => {
    const history: RealName[] = [];
    for (const { session, snapshot, at, rows } of [...before, last]) {
      const then = rows === last.rows ? row : sameRow(row, rows);
      if (then === undefined) continue;
      const known = history.at(-1);
      if (known?.session === session && known.real === then.real) continue;
      history.push({ session, snapshot, at: then.since || at, real: then.real });
    }
    return { ...row, history };
  });
}
