/**
 * What a virtual name led to, run by run: `cairn tables --history`, and a row's history in the Virtual Names view.
 */
import * as z from 'zod';
import { TableRow } from './control.js';

export const RealName = z.object({
  /** Of the run. */
  session: z.string(),
  /** The first of the run that shows it; null: it is seen now, in the run that goes on. */
  snapshot: z.string().nullable(),
  /** ISO 8601; since when it is so, where that is known, else when it was seen. */
  at: z.string(),
  real: z.string(),
});
export type RealName = z.infer<typeof RealName>;

export const RowWithHistory = TableRow.extend({
  /** The oldest first. */
  history: z.array(RealName),
});
export type RowWithHistory = z.infer<typeof RowWithHistory>;

/** Names may stand in a table several times, as a process's and its group's id; what is said of them may change. */
export function sameRow<Row extends TableRow>(row: TableRow, rows: readonly Row[]): Row | undefined {
  const found = rows.filter((one) => nameKey(one) === nameKey(row));
  return found.find(({ detail }) => detail === row.detail) ?? found[0];
}

/** The same for the rows of which sameRow says that they are one. */
export const nameKey = ({ virtualPid, virtual, owner }: TableRow): string => `${virtualPid}\n${owner}\n${virtual}`;
