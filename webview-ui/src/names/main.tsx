/**
 * The Virtual Names panel: what the application sees beside what the kernel knows, one table at a time. The extension reads
 * the tables; source and table are asked of it, the filter is the panel's own.
 */
import { render } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { NamesModel, NameTableKind } from '../../../debug-adapter/src/protocol/panels.js';
import { type Column, columns, columnTitles } from '../../../debug-adapter/src/protocol/table-columns.js';
import { keep, kept, listen, send } from '../bridge.js';
import '../panel.css';
import './names.css';
import { asText, matching } from './rows.js';
import { SourceChoice } from './sourceChoice.js';
import { NameTable } from './table.js';
import { Tabs } from './tabs.js';

/** A source is one process. */
const FILTERED = columns.filter((one) => one !== 'process');

interface Choice {
  readonly kind: NameTableKind;
  readonly filter: string;
  /** The one that is filtered by; empty: any. */
  readonly column: Column | '';
}

let choice = kept<Choice>({ kind: 'pid', filter: '', column: '' });

function Names({ model }: { model: NamesModel }) {
  const [filter, setFilter] = useState(choice.filter);
  const [column, setColumn] = useState<Column | ''>(choice.column ?? '');
  useEffect(() => {
    choice = { kind: model.kind, filter, column };
    keep(choice);
  }, [model.kind, filter, column]);
  if (model.source === null)
    return <p class="muted">Nothing to show yet: no simulation is running, and there are no snapshots.</p>;
  const rows = matching(model.rows, filter, column);
  const select = (source: string | null, kind: NameTableKind) => send({ type: 'selectNames', source, kind });
  return (
    <>
      <div class="tools">
        <SourceChoice model={model} onChoose={(source) => select(source, model.kind)} />
        <input
          type="search"
          aria-label="Filter rows"
          placeholder="Filter"
          value={filter}
          onInput={(event) => setFilter(event.currentTarget.value)}
        />
        <select
          aria-label="Column to filter by"
          value={column}
          onChange={(event) => setColumn(FILTERED.find((one) => one === event.currentTarget.value) ?? '')}
        >
          <option value="">All columns</option>
          {FILTERED.map((one) => (
            <option key={one} value={one}>
              {columnTitles[one]}
            </option>
          ))}
        </select>
        <button type="button" onClick={() => send({ type: 'refresh' })}>
          Refresh
        </button>
        <button type="button" disabled={rows.length === 0} onClick={() => send({ type: 'copy', text: asText(rows) })}>
          Copy Table
        </button>
      </div>
      <Tabs kind={model.kind} onChoose={(kind) => select(model.source, kind)} />
      <div role="tabpanel" id="table" aria-labelledby={`tab-${model.kind}`}>
        {model.error === '' ? (
          <NameTable
            rows={rows}
            kind={model.kind}
            all={model.rows.length}
            history={model.history}
            historyError={model.historyError}
          />
        ) : (
          <p role="alert" class="error">
            {model.error}
          </p>
        )}
      </div>
    </>
  );
}

const panel = document.getElementById('panel');
if (panel) {
  // The table that was shown before the page was destroyed.
  send({ type: 'selectNames', source: null, kind: choice.kind });
  listen('names', (model) => render(<Names model={model} />, panel));
}
