/** The design's hierarchy to choose targets from: what is in a scope, or what a pattern means. */
import { useEffect, useState } from 'preact/hooks';
import type { SignalPicker } from '../../../debug-adapter/src/protocol/panels.js';
import { scopeOf } from '../../../debug-adapter/src/protocol/signal-names.js';
import { send } from '../bridge.js';
import { grouped, targetWords } from './words.js';

/** While somebody types. */
const TYPING_MS = 200;
/** As much as comes at once. */
const PART = 100;
const ICONS = {
  scope: 'symbol-module',
  register: 'symbol-field',
  signal: 'symbol-field',
  net: 'pulse',
  memory: 'database',
} as const;

interface Props {
  readonly id: string;
  readonly picker: SignalPicker;
  readonly onAdd: (pattern: string) => void;
}

const pick = (scope: string, search: string, offset = 0): void => send({ type: 'pickSignals', scope, search, offset });

export function Picker({ id, picker, onAdd }: Props) {
  const { scope, offset, total, count, rows } = picker;
  const [search, setSearch] = useState(picker.search);
  useEffect(() => {
    if (search === picker.search) return undefined;
    const timer = setTimeout(() => pick(scope, search), TYPING_MS);
    return () => clearTimeout(timer);
  }, [search]);
  const pattern = picker.search;
  return (
    <section class="picker" aria-label="Signals of the design">
      <div class="tools">
        <input
          type="search"
          id={`${id}-search`}
          aria-label="Pattern, or a part of a name"
          placeholder="Pattern, such as *.core.*, or a part of a name"
          spellcheck={false}
          value={search}
          onInput={({ currentTarget }) => setSearch(currentTarget.value)}
        />
        {pattern !== '' && (
          <button type="button" disabled={total === 0} onClick={() => onAdd(pattern)}>
            Add the Pattern
          </button>
        )}
      </div>
      <p role="status" class="muted">
        {pattern === '' ? (scope === '' ? 'The whole design' : scope) : `“${pattern}” means`}
        {pattern === '' ? ': ' : ' '}
        {targetWords(count)}
      </p>
      {pattern === '' && scope !== '' && (
        <p class="path">
          <button type="button" class="link" onClick={() => pick(scopeOf(scope), '')}>
            <span class="codicon codicon-arrow-up" aria-hidden="true" /> {scopeOf(scope) || 'the whole design'}
          </button>
        </p>
      )}
      <ul class="signals" aria-label={pattern === '' ? `In ${scope || 'the design'}` : 'Signals that the pattern means'}>
        {rows.map(({ name, label, kind, signals, bits }) => (
          <li key={name}>
            <span class={`codicon codicon-${ICONS[kind]}`} aria-hidden="true" />
            {kind === 'scope' ? (
              <button type="button" class="link" aria-label={`Open ${label}`} onClick={() => pick(name, '')}>
                {label}
              </button>
            ) : (
              <span class="name">{label}</span>
            )}
            <span class="muted">
              {kind === 'scope' ? `${grouped(signals)} signals, ` : `${kind}, `}
              {grouped(bits)} {bits === 1 ? 'bit' : 'bits'}
            </span>
            <button
              type="button"
              class="icon"
              title={kind === 'scope' ? `Add all in ${name}` : `Add ${name}`}
              aria-label={kind === 'scope' ? `Add all in ${name}` : `Add ${name}`}
              onClick={() => onAdd(kind === 'scope' ? `${name}.*` : name)}
            >
              <span class="codicon codicon-add" aria-hidden="true" />
            </button>
          </li>
        ))}
      </ul>
      {total > rows.length && (
        <p>
          <button type="button" disabled={offset === 0} onClick={() => pick(scope, pattern, Math.max(0, offset - PART))}>
            Before
          </button>{' '}
          <button type="button" disabled={offset + rows.length >= total} onClick={() => pick(scope, pattern, offset + PART)}>
            Next
          </button>{' '}
          <span class="muted">
            {grouped(offset + 1)} to {grouped(offset + rows.length)} of {grouped(total)}
          </span>
        </p>
      )}
    </section>
  );
}
