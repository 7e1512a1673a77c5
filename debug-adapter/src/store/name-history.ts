/**
 * Tables of virtual names along a branch of snapshots. Tests: test/probes/tables.test.ts.
 */
import type { TableThen } from '../model/name-history.js';
import type { TableKind } from '../protocol/control.js';
import { type Store, snapshotTable } from './store.js';

/** From the branch's beginning to that snapshot; null: there is none. Snapshots that are damaged are left out. */
export function tablesTo(store: Store, snapshot: string | null, kind: TableKind): TableThen[] {
  const all = new Map(store.list().map((one) => [one.id, one]));
  const found: TableThen[] = [];
  for (let one = all.get(snapshot ?? ''); one !== undefined; one = all.get(one.parent ?? '')) {
    if (one.problem !== '') continue;
    found.push({ session: one.session, snapshot: one.id, at: one.createdAt, rows: snapshotTable(one, kind) });
  }
  return found.reverse();
}
