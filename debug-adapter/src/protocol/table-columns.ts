/**
 * The columns of tables of virtual names, the same on the command line and in the view; and how rows are filtered by them.
 * Pure. Tests: test/unit/table-columns.test.ts.
 */
import type { TableRow } from './control.js';
import { formatTime } from './format.js';

export const columns = ['process', 'virtual', 'real', 'before', 'owner', 'since', 'detail'] as const;
export type Column = (typeof columns)[number];

export const columnTitles: Readonly<Record<Column, string>> = {
  process: 'Process',
  virtual: 'Virtual',
  real: 'Real now',
  before: 'Real before',
  owner: 'Owner',
  since: 'Since',
  detail: 'Detail',
};

export function columnText(row: TableRow, column: Column): string {
  switch (column) {
    case 'process':
      return row.host === undefined ? String(row.virtualPid) : `${row.virtualPid} on ${row.host}`;
    case 'since':
      return row.since === '' ? '' : formatTime(row.since);
    default:
      return row[column];
  }
}

export interface Filter {
  /** Absent: any column. */
  column?: Column;
  text: string;
}

/** `COLUMN=TEXT`, or `TEXT` for any column; also where what is before the sign is no column. */
export function parseFilter(text: string): Filter {
  const equals = text.indexOf('=');
  const column = columns.find((one) => one === text.slice(0, Math.max(equals, 0)).trim().toLowerCase());
  return column === undefined ? { text } : { column, text: text.slice(equals + 1) };
}

/** Rows that fit all filters; letters count whatever their case. */
export function filterRows<Row extends TableRow>(rows: readonly Row[], filters: readonly Filter[]): Row[] {
  const wanted = filters
    .map(({ column, text }) => ({ among: column === undefined ? columns : [column], text: text.trim().toLowerCase() }))
    .filter(({ text }) => text !== '');
  return rows.filter((row) =>
    wanted.every(({ among, text }) => among.some((column) => columnText(row, column).toLowerCase().includes(text))),
  );
}
