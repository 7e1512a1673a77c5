/** Which runs are shown. */
import { useEffect, useState } from 'preact/hooks';
import { type CampaignStatus, Outcome, outcomeWords } from '../../../debug-adapter/src/protocol/campaign.js';
import type { CampaignQuery } from '../../../debug-adapter/src/protocol/panels.js';

/** While somebody types. */
const TYPING_MS = 250;

interface Shown {
  readonly status: CampaignStatus;
  readonly query: CampaignQuery;
  readonly onChange: (query: CampaignQuery) => void;
}

export function Filters({ status, query, onChange }: Shown) {
  const [search, setSearch] = useState(query.search);
  useEffect(() => {
    if (search === query.search) return undefined;
    const timer = setTimeout(() => onChange({ ...query, search }), TYPING_MS);
    return () => clearTimeout(timer);
  }, [search, query.outcome, query.model, query.scope, query.target, query.times]);
  const models = [...new Set(status.models.map(({ model }) => model))];
  return (
    <div class="tools">
      <select
        aria-label="Outcome"
        value={query.outcome ?? ''}
        onChange={({ currentTarget: { value } }) =>
          onChange({ ...query, outcome: Outcome.options.find((one) => one === value) ?? null })
        }
      >
        <option value="">All outcomes</option>
        {Outcome.options.map((one) => (
          <option key={one} value={one}>
            {outcomeWords[one].label}
          </option>
        ))}
      </select>
      <select
        aria-label="Model"
        value={query.model ?? ''}
        onChange={({ currentTarget: { value } }) => onChange({ ...query, model: value === '' ? null : value })}
      >
        <option value="">All models</option>
        {models.map((one) => (
          <option key={one} value={one}>
            {one}
          </option>
        ))}
      </select>
      <input
        type="search"
        aria-label="Part of the fault or deviation"
        placeholder="Fault or deviation"
        value={search}
        onInput={({ currentTarget: { value } }) => setSearch(value)}
      />
      <Place query={query} onChange={onChange} />
    </div>
  );
}

/** What a cell or a row above has chosen, to be taken back. */
function Place({ query, onChange }: Omit<Shown, 'status'>) {
  const { scope, target, times } = query;
  if (scope === null && target === null && times === null) return null;
  const words = [
    ...(target === null ? [] : [target]),
    ...(scope === null ? [] : [`in ${scope || 'no module'}`]),
    ...(times === null ? [] : [`at ticks ${times.from} to ${times.to - 1}`]),
  ].join(', ');
  return (
    <button
      type="button"
      class="chip"
      title="Show runs of all places and times"
      aria-label={`Only faults ${words}: show all`}
      onClick={() => onChange({ ...query, scope: null, target: null, times: null })}
    >
      {words} <span class="codicon codicon-close" aria-hidden="true" />
    </button>
  );
}
