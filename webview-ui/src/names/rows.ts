/**
 * Rows of a table of virtual names: which of them a filter leaves, and how they are copied. Pure.
 * Tests: test/unit/name-rows.test.ts.
 */
import type { TableRow } from '../../../debug-adapter/src/protocol/control.js';
import { type Column, columnText, filterRows, parseFilter } from '../../../debug-adapter/src/protocol/table-columns.js';

/** Each blank-separated word has to occur in the chosen column or in any, in any case; or where it says, as `owner=pid`. */
export function matching(rows: readonly TableRow[], filter: string, column: Column | ''): readonly TableRow[] {
  const words = filter.split(/\s+/).filter((word) => word !== '');
  return filterRows(
    rows,
    words.map((word) => (column === '' ? parseFilter(word) : { column, text: word })),
  );
}

/** The row, or one that was made of it. */
export const isSameRow = (one: TableRow, other: TableRow): boolean =>
  one.virtualPid === other.virtualPid && rowText(one) === rowText(other);

const COPIED = ['virtual', 'real', 'before', 'owner', 'detail'] as const;

/** Tab-separated, as a spreadsheet takes it; line breaks and tabs within a value become blanks. */
export function rowText(row: TableRow): string {
  return [...COPIED.map((column) => columnText(row, column)), row.since]
    .map((value) => value.replace(/[\t\r\n]+/g, ' '))
    .join('\t');
}

export function asText(rows: readonly TableRow[]): string {
  return ['virtual\treal\tbefore restart\tplugin\tdetail\tsince', ...rows.map(rowText)].join('\n');
}
