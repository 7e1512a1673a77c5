/**
 * What a virtual name led to in each run of a branch: from the tables of the snapshots on the way to where it is looked at. Pure.
 * Tests: test/unit/name-history.test.ts.
 */
import type { TableRow } from '../protocol/control.js';
import { nameKey, type RealName, type RowWithHistory, sameRow } from '../protocol/name-history.js';

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
  const moments = before.map((moment) => ({ ...moment, named: byName(moment.rows) }));
  return last.rows.map((row) => {
    const history: RealName[] = [];
    for (const { session, snapshot, at, named } of [...moments, { ...last, named: undefined }]) {
      const then = named === undefined ? row : sameRow(row, named.get(nameKey(row)) ?? []);
      if (then === undefined) continue;
      const known = history.at(-1);
      if (known?.session === session && known.real === then.real) continue;
      history.push({ session, snapshot, at: then.since || at, real: then.real });
    }
    return { ...row, history };
  });
}

/** Looked up once for each row of a table. */
function byName(rows: readonly TableRow[]): Map<string, TableRow[]> {
  const found = new Map<string, TableRow[]>();
  for (const row of rows) {
    const key = nameKey(row);
    const same = found.get(key);
    if (same === undefined) found.set(key, [row]);
    else same.push(row);
  }
  return found;
}
