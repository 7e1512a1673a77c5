/**
 * The runs: a plain table of which only those rows are there that can be seen, with space for the others, so that a million are as quick as ten. Rows
 * are all as high; what does not fit is in the row's details.
 */
import { useEffect, useRef, useState } from 'preact/hooks';
import { outcomeWords, type RunPage } from '../../../debug-adapter/src/protocol/campaign.js';
import type { CampaignQuery } from '../../../debug-adapter/src/protocol/panels.js';
import { send } from '../bridge.js';

/** As campaign.css has it. */
const ROW = 26;
/** Of what the extension sends, so many are in front of what is seen. */
const BEFORE = 60;
const MARGIN = 10;

interface Shown {
  readonly page: RunPage;
  readonly query: CampaignQuery;
  readonly open: number | null;
  readonly onSee: (offset: number) => void;
}

export function Runs({ page, query, open, onSee }: Shown) {
  const box = useRef<HTMLDivElement>(null);
  const [top, setTop] = useState(0);
  const asked = useRef(0);
  const { offset, total, runs } = page;
  const height = box.current?.clientHeight ?? 500;
  const first = Math.max(0, Math.floor(top / ROW) - MARGIN);
  const last = Math.min(total, Math.ceil((top + height) / ROW) + MARGIN);
  useEffect(() => {
    if (box.current) box.current.scrollTop = 0;
    asked.current = 0;
  }, [query.outcome, query.model, query.search, query.scope, query.target, query.times?.from]);
  useEffect(() => {
    const missing = last > first && (first < offset || last > offset + runs.length);
    const wanted = Math.max(0, first - BEFORE);
    if (!missing || asked.current === wanted) return;
    asked.current = wanted;
    onSee(wanted);
  }, [first, last, offset, runs.length]);
  if (total === 0) return <p class="muted">No run fits.</p>;
  const shown = runs.slice(Math.max(0, first - offset), Math.max(0, last - offset));
  const start = offset + Math.max(0, first - offset);
  return (
    <section
      class="scroll"
      ref={box}
      aria-labelledby="runs-title"
      // It is scrolled by keys, too.
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls has to be reached by keys
      tabIndex={0}
      onScroll={({ currentTarget }) => setTop(currentTarget.scrollTop)}
    >
      <div style={{ height: `${start * ROW}px` }} />
      <table class="runs" aria-rowcount={total + 1}>
        <caption>{total} runs</caption>
        <thead>
          <tr aria-rowindex={1}>
            <th scope="col" class="number">
              Run
            </th>
            <th scope="col">Outcome</th>
            <th scope="col">Model</th>
            <th scope="col">Fault</th>
            <th scope="col">First deviation</th>
            <th scope="col">Actions</th>
          </tr>
        </thead>
        <tbody>
          {shown.map((run, index) => (
            <tr key={run.number} aria-rowindex={start + index + 2} class={open === run.number ? 'open' : ''}>
              <th scope="row" class="number">
                {run.number}
              </th>
              <td>
                <span class={`key ${run.outcome}`} aria-hidden="true" /> {outcomeWords[run.outcome].label}
                {run.effective === false ? ', no effect' : ''}
              </td>
              <td>{run.model}</td>
              <td title={run.fault}>{run.fault}</td>
              <td title={run.deviation}>{run.deviation}</td>
              <td>
                <button
                  type="button"
                  class="icon"
                  title="Details"
                  aria-label={`Details of run ${run.number}`}
                  aria-expanded={open === run.number}
                  onClick={() => send({ type: 'showRun', number: open === run.number ? null : run.number })}
                >
                  <span class="codicon codicon-output" aria-hidden="true" />
                </button>
                <button
                  type="button"
                  class="icon"
                  title="Repeat this run in a terminal"
                  aria-label={`Repeat run ${run.number}`}
                  onClick={() => send({ type: 'repeatRun', number: run.number })}
                >
                  <span class="codicon codicon-debug-rerun" aria-hidden="true" />
                </button>
                <button
                  type="button"
                  class="icon"
                  title="Debug this run"
                  aria-label={`Debug run ${run.number}`}
                  onClick={() => send({ type: 'debugRun', number: run.number })}
                >
                  <span class="codicon codicon-debug-alt" aria-hidden="true" />
                </button>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <div style={{ height: `${Math.max(0, total - start - shown.length) * ROW}px` }} />
    </section>
  );
}
