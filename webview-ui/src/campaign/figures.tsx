/**
 * What a campaign's results come to: modules, module by time, convergence, the most vulnerable registers. From each there is a way to its runs. Colour
 * never says anything alone: what a bar or cell stands for is in its words.
 */
import { useState } from 'preact/hooks';
import { Outcome, outcomeWords } from '../../../debug-adapter/src/protocol/campaign.js';
import type { CampaignFigures } from '../../../debug-adapter/src/protocol/campaign-figures.js';
import { curvesOf, DRAWING, shareOf } from '../../../debug-adapter/src/protocol/figure-shapes.js';
import type { CampaignQuery } from '../../../debug-adapter/src/protocol/panels.js';
import { send } from '../bridge.js';
import { Stack } from './rates.js';

export const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
const nameOf = (scope: string): string => scope || '(no module)';

interface Shown {
  readonly figures: CampaignFigures;
  readonly query: CampaignQuery;
  readonly onChoose: (query: CampaignQuery) => void;
}

export function Modules({ figures: { scopes, allScopes }, query, onChoose }: Shown) {
  if (scopes.length === 0) return null;
  return (
    <>
      <h2>Modules</h2>
      {allScopes > scopes.length && (
        <p class="muted">
          The {scopes.length} with most runs, of {allScopes}.
        </p>
      )}
      <table class="models">
        <caption>Outcomes by the module (of calls: the program) that the fault was in</caption>
        <thead>
          <tr>
            <th scope="col">Module</th>
            <th scope="col" class="number">
              Runs
            </th>
            <th scope="col" class="number">
              Failures
            </th>
            <th scope="col">Outcomes</th>
          </tr>
        </thead>
        <tbody>
          {scopes.map(({ scope, counts }) => {
            const { runs, had } = shareOf(counts, null);
            const chosen = query.scope === scope && query.times === null;
            return (
              <tr key={scope}>
                <th scope="row">
                  <button
                    type="button"
                    class="link"
                    aria-pressed={chosen}
                    title={chosen ? 'Show all runs' : 'Show these runs'}
                    onClick={() => onChoose({ ...query, scope: chosen ? null : scope, target: null, times: null })}
                  >
                    {nameOf(scope)}
                  </button>
                </th>
                <td class="number">{runs}</td>
                <td class="number">{had}</td>
                <td>
                  <Stack
                    counts={Outcome.options.flatMap((outcome) => (counts[outcome] ? [{ outcome, count: counts[outcome] }] : []))}
                  />
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </>
  );
}

/** One of these is moved into by Tab, and from cell to cell by the arrow keys. */
export function HeatMap({ figures: { cells, scopes, times }, query, onChoose }: Shown) {
  const [of, setOf] = useState<Outcome | null>(null);
  const [at, setAt] = useState<readonly [number, number]>([0, 0]);
  const rows = scopes.filter(({ scope }) => cells.some((one) => one.scope === scope));
  if (times === null || rows.length === 0) return null;
  const { first, width, parts } = times;
  const what = of === null ? 'failures' : outcomeWords[of].label.toLowerCase();
  const move = (event: KeyboardEvent, row: number, part: number): void => {
    const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const next = [
      Math.min(rows.length - 1, Math.max(0, row + (step[0] ?? 0))),
      Math.min(parts - 1, Math.max(0, part + (step[1] ?? 0))),
    ] as const;
    setAt(next);
    const table = (event.currentTarget as HTMLElement).closest('table');
    table?.querySelector<HTMLElement>(`[data-cell="${next[0]} ${next[1]}"]`)?.focus();
  };
  return (
    <>
      <h2>Module by time</h2>
      <div class="tools">
        <label for="heat-of">Share of</label>
        <select
          id="heat-of"
          value={of ?? ''}
          onChange={({ currentTarget: { value } }) => setOf(Outcome.options.find((one) => one === value) ?? null)}
        >
          <option value="">failures</option>
          {Outcome.options
            .filter((one) => one !== 'toolError')
            .map((one) => (
              <option key={one} value={one}>
                {outcomeWords[one].label}
              </option>
            ))}
        </select>
      </div>
      <div class="wide">
        <table class="heat">
          <caption>Share of {what} by module and by the tick after the restart from which the fault was to be there</caption>
          <thead>
            <tr>
              <th scope="col">Module</th>
              {Array.from({ length: parts }, (_, part) => (
                <th key={part} scope="col" class="tick" title={`from tick ${first + part * width}`}>
                  {part % 4 === 0 ? first + part * width : <span class="said">{first + part * width}</span>}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map(({ scope }, row) => {
              const own = new Map(cells.filter((one) => one.scope === scope).map((one) => [one.part, one.counts]));
              return (
                <tr key={scope}>
                  <th scope="row" title={nameOf(scope)}>
                    {nameOf(scope)}
                  </th>
                  {Array.from({ length: parts }, (_, part) => {
                    const { runs, had } = shareOf(own.get(part) ?? {}, of);
                    const [from, to] = [first + part * width, first + (part + 1) * width];
                    const chosen = query.scope === scope && query.times?.from === from;
                    const share = runs === 0 ? 0 : had / runs;
                    return (
                      <td key={part}>
                        <button
                          type="button"
                          class={runs === 0 ? 'cell none' : 'cell'}
                          data-cell={`${row} ${part}`}
                          style={{ '--share': `${Math.round(100 * share)}%` }}
                          tabIndex={Math.min(at[0], rows.length - 1) === row && at[1] === part ? 0 : -1}
                          aria-pressed={chosen}
                          aria-label={`${nameOf(scope)}, ticks ${from} to ${to - 1}: ${had} of ${runs} runs are ${what}`}
                          title={`${had} of ${runs}, ticks ${from} to ${to - 1}`}
                          onKeyDown={(event) => move(event, row, part)}
                          onFocus={() => setAt([row, part])}
                          onClick={() =>
                            onChoose({
                              ...query,
                              outcome: of,
                              scope: chosen ? null : scope,
                              target: null,
                              times: chosen ? null : { from, to },
                            })
                          }
                        >
                          {runs === 0 ? '' : had}
                        </button>
                      </td>
                    );
                  })}
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
    </>
  );
}

export function Convergence({ figures }: { figures: CampaignFigures }) {
  if (figures.steps.length < 2) return null;
  const { curves, first, last, top } = curvesOf(figures);
  return (
    <>
      <h2>Convergence</h2>
      <p class="muted">
        Each rate with its interval (Wilson, confidence {percent(figures.confidence)}), from {first} to {last} runs on a
        logarithmic scale, from 0 to {percent(top)}.
      </p>
      <svg class="curves" viewBox={`0 0 ${DRAWING.width} ${DRAWING.height}`} preserveAspectRatio="none" aria-hidden="true">
        {curves.map(({ outcome, band }) => (
          <path key={outcome} class={`band ${outcome}`} d={band} />
        ))}
        {curves.map(({ outcome, line }) => (
          <path key={outcome} class={`curve ${outcome}`} d={line} />
        ))}
      </svg>
      <ul class="legend" aria-label="Rates after all runs">
        {curves.map(({ outcome, last: { rate, low, high } }) => (
          <li key={outcome}>
            <span class={`key ${outcome}`} aria-hidden="true" /> {outcomeWords[outcome].label}: {percent(rate)} ({percent(low)} to{' '}
            {percent(high)})
          </li>
        ))}
      </ul>
    </>
  );
}

export function Registers({ figures: { targets }, query, onChoose }: Shown) {
  if (targets.length === 0) return null;
  return (
    <>
      <h2>Most vulnerable places</h2>
      <table class="models">
        <caption>Registers, and what else faults were in, by the lower end of the interval of their failures</caption>
        <thead>
          <tr>
            <th scope="col">Place</th>
            <th scope="col" class="number">
              Failures
            </th>
            <th scope="col" class="number">
              Rate
            </th>
            <th scope="col">Interval</th>
            <th scope="col">Actions</th>
          </tr>
        </thead>
        <tbody>
          {targets.map(({ target, scope, runs, failures }) => {
            const chosen = query.target === target;
            return (
              <tr key={`${scope} ${target}`}>
                <th scope="row">
                  <button
                    type="button"
                    class="link"
                    aria-pressed={chosen}
                    title={chosen ? 'Show all runs' : 'Show these runs'}
                    onClick={() => onChoose({ ...query, target: chosen ? null : target, scope: null, times: null })}
                  >
                    {target}
                  </button>
                </th>
                <td class="number">
                  {failures.count} of {runs}
                </td>
                <td class="number">{percent(failures.rate)}</td>
                <td>
                  {percent(failures.low)} to {percent(failures.high)}
                </td>
                <td>
                  {target.startsWith(`${scope}.`) && (
                    <button
                      type="button"
                      class="icon"
                      title="Open in the source"
                      aria-label={`Open ${target} in the source`}
                      onClick={() => send({ type: 'openSignal', name: target })}
                    >
                      <span class="codicon codicon-go-to-file" aria-hidden="true" />
                    </button>
                  )}
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </>
  );
}
