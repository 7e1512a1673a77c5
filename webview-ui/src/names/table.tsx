/**
 * The rows. A plain table: it is read right by every screen reader, and text can be selected across it.
 */
import { Fragment } from 'preact';
import type { TableRow } from '../../../debug-adapter/src/protocol/control.js';
import type { RowWithHistory } from '../../../debug-adapter/src/protocol/name-history.js';
import type { NameTableKind } from '../../../debug-adapter/src/protocol/panels.js';
import { columnText } from '../../../debug-adapter/src/protocol/table-columns.js';
import { send } from '../bridge.js';
import { useParts } from '../more.js';
import { RowHistory } from './history.js';
import { isSameRow, rowText } from './rows.js';

const VIRTUAL: Readonly<Record<NameTableKind, string>> = {
  pid: 'Virtual id',
  path: 'Virtual path',
  env: 'Variable',
  fd: 'Descriptor',
  connection: 'Connection',
  plugin: 'Name',
};
const REAL: Readonly<Record<NameTableKind, string>> = {
  pid: 'Real id',
  path: 'Real path',
  env: 'Value',
  fd: 'Opened',
  connection: 'Now',
  plugin: 'Now',
};

/** Drawn at once. */
const ROWS = 300;

interface Shown {
  readonly rows: readonly TableRow[];
  readonly kind: NameTableKind;
  readonly all: number;
  readonly history: RowWithHistory | null;
  readonly historyError: string;
}

export function NameTable({ rows, kind, all, history, historyError }: Shown) {
  const { shown, button } = useParts(rows.length, ROWS, 'rows');
  if (rows.length === 0)
    return <p class="muted">{all === 0 ? 'This table is empty.' : `None of ${all} rows fits the filter.`}</p>;
  const restarted = rows.some(({ before }) => before !== '');
  return (
    <>
      <table class="names">
        <caption>{rows.length} rows</caption>
        <thead>
          <tr>
            <th scope="col">{VIRTUAL[kind]}</th>
            <th scope="col">{REAL[kind]}</th>
            {restarted && <th scope="col">Before the restart</th>}
            <th scope="col">Detail</th>
            <th scope="col">Plugin</th>
            <th scope="col">Since</th>
            <th scope="col">Actions</th>
          </tr>
        </thead>
        <tbody>
          {rows.slice(0, shown).map((row, index) => {
            const open = history !== null && isSameRow(row, history);
            return (
              <Fragment key={index}>
                <tr
                  class={
                    row.real === row.virtual || kind === 'env' || kind === 'fd' || kind === 'connection' || kind === 'plugin'
                      ? ''
                      : 'differs'
                  }
                >
                  <th scope="row">{row.virtual}</th>
                  <td>{row.real}</td>
                  {restarted && <td>{row.before}</td>}
                  <td>{row.detail}</td>
                  <td>{row.owner}</td>
                  <td>{columnText(row, 'since')}</td>
                  <td>
                    <button
                      type="button"
                      class="icon"
                      title="What it was in each run"
                      aria-label={`History of ${row.virtual}${kind === 'pid' ? `, ${row.detail}` : ''}`}
                      aria-expanded={open}
                      onClick={() => send({ type: 'nameHistory', row: open ? null : row })}
                    >
                      <span class="codicon codicon-history" aria-hidden="true" />
                    </button>
                    <button
                      type="button"
                      class="icon"
                      title="Copy the real name"
                      aria-label={`Copy ${row.real || row.virtual}`}
                      onClick={() => send({ type: 'copy', text: row.real || row.virtual })}
                    >
                      <span class="codicon codicon-copy" aria-hidden="true" />
                    </button>
                    <button
                      type="button"
                      class="icon"
                      title="Copy the row"
                      aria-label={`Copy the row of ${row.virtual}`}
                      onClick={() => send({ type: 'copy', text: rowText(row) })}
                    >
                      <span class="codicon codicon-list-flat" aria-hidden="true" />
                    </button>
                  </td>
                </tr>
                {open && (
                  <tr>
                    <td colSpan={restarted ? 7 : 6}>
                      <RowHistory row={history} error={historyError} />
                    </td>
                  </tr>
                )}
              </Fragment>
            );
          })}
        </tbody>
      </table>
      {button}
    </>
  );
}
