/**
 * Rates with their intervals, and the outcomes of each model, as bars. Colour never says anything alone: each bar has its words beside it.
 */
import { type CampaignStatus, Outcome, outcomeWords } from '../../../debug-adapter/src/protocol/campaign.js';
import type { CampaignQuery } from '../../../debug-adapter/src/protocol/panels.js';

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

interface Shown {
  readonly status: CampaignStatus;
  readonly query: CampaignQuery;
  readonly onChoose: (query: CampaignQuery) => void;
}

export function Rates({ status: { outcomes }, query, onChoose }: Shown) {
  const shown = Outcome.options.flatMap((outcome) => {
    const rate = outcomes[outcome];
    return rate === undefined || rate.count === 0 ? [] : [{ outcome, rate }];
  });
  if (shown.length === 0) return null;
  return (
    <table class="rates">
      <caption>Rates of outcomes with their intervals (Wilson)</caption>
      <thead>
        <tr>
          <th scope="col">Outcome</th>
          <th scope="col" class="number">
            Runs
          </th>
          <th scope="col" class="number">
            Rate
          </th>
          <th scope="col">Interval</th>
          <th scope="col">0 to 100 %</th>
        </tr>
      </thead>
      <tbody>
        {shown.map(({ outcome, rate: { count, rate, low, high } }) => {
          const counts = outcome !== 'toolError';
          const chosen = query.outcome === outcome;
          return (
            <tr key={outcome}>
              <th scope="row">
                <button
                  type="button"
                  class="link"
                  aria-pressed={chosen}
                  title={`${outcomeWords[outcome].meaning}. ${chosen ? 'Show all runs' : 'Show these runs'}`}
                  onClick={() => onChoose({ ...query, outcome: chosen ? null : outcome })}
                >
                  <span class={`key ${outcome}`} aria-hidden="true" /> {outcomeWords[outcome].label}
                </button>
              </th>
              <td class="number">{count}</td>
              <td class="number">{counts ? percent(rate) : ''}</td>
              <td>{counts ? `${percent(low)} to ${percent(high)}` : 'not counted'}</td>
              <td>
                {counts && (
                  <svg class="interval" viewBox="0 0 1000 20" preserveAspectRatio="none" aria-hidden="true">
                    <rect class={`fill ${outcome}`} x="0" y="5" width={1000 * rate} height="10" />
                    <rect class="range" x={1000 * low} y="9" width={Math.max(2, 1000 * (high - low))} height="2" />
                    <rect class="range" x={1000 * low} y="4" width="2" height="12" />
                    <rect class="range" x={1000 * high - 2} y="4" width="2" height="12" />
                  </svg>
                )}
              </td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

/** Outcomes beside each other, and in words. */
export function Stack({ counts }: { counts: readonly { readonly outcome: Outcome; readonly count: number }[] }) {
  const total = counts.reduce((sum, { count }) => sum + count, 0);
  let from = 0;
  return (
    <>
      <svg class="stack" viewBox="0 0 1000 20" preserveAspectRatio="none" aria-hidden="true">
        {counts.map(({ outcome, count }) => {
          const x = (1000 * from) / total;
          from += count;
          return <rect key={outcome} class={`fill ${outcome}`} x={x} y="2" width={(1000 * count) / total} height="16" />;
        })}
      </svg>
      <span class="words">{counts.map(({ outcome, count }) => `${outcomeWords[outcome].label} ${count}`).join(', ')}</span>
    </>
  );
}

export function Models({ status: { models }, query, onChoose }: Shown) {
  const names = [...new Set(models.map(({ model }) => model))];
  if (names.length === 0) return null;
  return (
    <>
      <h2>Models</h2>
      <table class="models">
        <caption>Outcomes of each fault model</caption>
        <thead>
          <tr>
            <th scope="col">Model</th>
            <th scope="col" class="number">
              Runs
            </th>
            <th scope="col">Outcomes</th>
          </tr>
        </thead>
        <tbody>
          {names.map((name) => {
            const counts = models.filter(({ model }) => model === name);
            const total = counts.reduce((sum, { count }) => sum + count, 0);
            const chosen = query.model === name;
            return (
              <tr key={name}>
                <th scope="row">
                  <button
                    type="button"
                    class="link"
                    aria-pressed={chosen}
                    title={chosen ? 'Show all runs' : 'Show these runs'}
                    onClick={() => onChoose({ ...query, model: chosen ? null : name })}
                  >
                    {name}
                  </button>
                </th>
                <td class="number">{total}</td>
                <td>
                  <Stack counts={counts} />
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </>
  );
}
