/**
 * `cairn tables`: virtual names and what they lead to, of a live session or as they were in a snapshot; with --history, what they led to
 * in each run of that branch.
 */
import { dirname } from 'node:path';
import { type TableThen, withHistory } from '../../model/name-history.js';
import { TableKind } from '../../protocol/control.js';
import { failure } from '../../protocol/errors.js';
import { formatTable, formatTime } from '../../protocol/format.js';
import type { RowWithHistory } from '../../protocol/name-history.js';
import { type Column, columns, columnText, columnTitles, filterRows, parseFilter } from '../../protocol/table-columns.js';
import { tablesTo } from '../../store/name-history.js';
import { Store, snapshotTable } from '../../store/store.js';
import { storePath } from '../choices.js';
import { print, printJson, printRaw } from '../output.js';
import { withSession } from '../sessions.js';

interface Options {
  session?: string;
  snapshot?: string;
  store?: string;
  pid?: string;
  filter: string[];
  column: string[];
  history: boolean;
  json: boolean;
}

export async function tables(text: string, options: Options): Promise<number> {
  const parsed = TableKind.safeParse(text);
  if (!parsed.success)
    throw failure('usage', { what: `There is no table "${text}"`, remedy: `Tables: ${TableKind.options.join(', ')}` });
  const kind = parsed.data;
  const shown = options.column.length === 0 ? columns : options.column.map(knownColumn);
  const { table, before } = await (options.snapshot === undefined ? liveTable(kind, options) : savedTable(kind, options));
  const rows = filterRows(table.rows, options.filter.map(parseFilter));
  if (options.history) {
    printHistory(withHistory(before(), { ...table, rows }), options.json);
    return 0;
  }
  const cells = rows.map((row) => shown.map((column) => columnText(row, column)));
  if (options.json) printJson(rows);
  else if (shown.length === 1) printRaw(cells.map(([cell]) => `${cell}\n`).join(''));
  else print(formatTable([shown.map((column) => columnTitles[column].toUpperCase()), ...cells]));
  return 0;
}

/** `before`: the tables of the branch, up to this one; read where they are asked for. */
interface Found {
  table: TableThen;
  before: () => TableThen[];
}

async function liveTable(kind: TableKind, { session, pid }: Options): Promise<Found> {
  return withSession(session, async (client) => {
    const { rows } = await client.request('session/table', pid === undefined ? { kind } : { kind, virtualPid: Number(pid) });
    const { session, store, lastSnapshot } = await client.request('session/status', {});
    const table = { session, snapshot: null, at: new Date().toISOString(), rows };
    return { table, before: () => tablesTo(new Store(store), lastSnapshot, kind) };
  });
}

function savedTable(kind: TableKind, { snapshot = '', store, pid }: Options): Found {
  const found = new Store(storePath(store)).find(snapshot);
  const all = snapshotTable(found, kind);
  const rows = pid === undefined ? all : all.filter((row) => row.virtualPid === Number(pid));
  // One that was named by its folder may be in another store.
  const ownStore = new Store(dirname(dirname(found.path)));
  const table = { session: found.session, snapshot: found.id, at: found.createdAt, rows };
  return { table, before: () => tablesTo(ownStore, found.parent, kind) };
}

function printHistory(rows: readonly RowWithHistory[], json: boolean): void {
  if (json) {
    printJson(rows);
    return;
  }
  const titles = ['PROCESS', 'VIRTUAL', 'OWNER', 'RUN', 'SNAPSHOT', 'SINCE', 'REAL'];
  const lines = rows.flatMap((row) =>
    row.history.map(({ session, snapshot, at, real }, index) => [
      ...(index === 0 ? [columnText(row, 'process'), row.virtual, row.owner] : ['', '', '']),
      session,
      snapshot ?? 'now',
      formatTime(at),
      real,
    ]),
  );
  print(formatTable([titles, ...lines]));
}

function knownColumn(text: string): Column {
  const found = columns.find((one) => one === text.toLowerCase());
  if (found === undefined)
    throw failure('usage', { what: `There is no column "${text}"`, remedy: `Columns: ${columns.join(', ')}` });
  return found;
}
