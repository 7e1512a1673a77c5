/** Fields of the Faults page: each with its name, and what is wrong with it beside it. */
import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { CampaignProblem } from '../../../debug-adapter/src/protocol/campaign.js';
import { send } from '../bridge.js';
import '../settings/settings.css';

export type Path = readonly (string | number)[];

export const change = (path: Path, value: unknown): void => send({ type: 'changeCampaign', path: [...path], value });

/** Of this place, and with `below` of all in it. */
export function problemsOf(problems: readonly CampaignProblem[], path: Path, below = true): string[] {
  return problems
    .filter((one) => (below ? one.path.length >= path.length : one.path.length === path.length))
    .filter((one) => path.every((part, index) => one.path[index] === part))
    .map(({ path: at, message }) => withoutPlace(message, at));
}

/** The check says the place in front: here it stands beside it. */
function withoutPlace(message: string, path: Path): string {
  const place = `${path.join('.')}: `;
  return message.startsWith(place) ? message.slice(place.length) : message;
}

interface RowProps {
  readonly id: string;
  readonly label: string;
  readonly help?: string;
  readonly problems: readonly string[];
  readonly children: ComponentChildren;
}

export function Row({ id, label, help, problems, children }: RowProps) {
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {children}
      <div id={`${id}-help`} class="notes">
        {help !== undefined && <div class="muted">{help}</div>}
        {problems.map((text) => (
          <div key={text} class="error">
            {text}
          </div>
        ))}
      </div>
    </div>
  );
}

/** What was typed stays until the file says otherwise. */
function useTyped(told: string): [string, (text: string) => void] {
  const [typed, setTyped] = useState(told);
  useEffect(() => setTyped(told), [told]);
  return [typed, setTyped];
}

interface TextProps extends Omit<RowProps, 'children'> {
  readonly value: string;
  readonly placeholder?: string;
  readonly numeric?: boolean;
  readonly onTake: (text: string) => void;
}

export function TextField({ value, placeholder = '', numeric = false, onTake, ...row }: TextProps) {
  const [typed, setTyped] = useTyped(value);
  return (
    <Row {...row}>
      <input
        type="text"
        id={row.id}
        inputMode={numeric ? 'decimal' : 'text'}
        spellcheck={false}
        placeholder={placeholder}
        value={typed}
        aria-describedby={`${row.id}-help`}
        aria-invalid={row.problems.length > 0}
        onInput={({ currentTarget }) => setTyped(currentTarget.value)}
        onChange={() => typed !== value && onTake(typed)}
      />
    </Row>
  );
}

/** Empty: taken out; no number: as text, for the check to complain of. */
export function numberIn(text: string): unknown {
  if (text.trim() === '') return undefined;
  const number = Number(text);
  return Number.isFinite(number) ? number : text;
}

export const textOf = (value: unknown): string =>
  typeof value === 'string' ? value : value === undefined || value === null ? '' : JSON.stringify(value);

interface ChoiceProps extends Omit<RowProps, 'children'> {
  readonly value: string;
  readonly choices: readonly { readonly value: string; readonly label: string }[];
  readonly onTake: (value: string) => void;
}

export function ChoiceField({ value, choices, onTake, ...row }: ChoiceProps) {
  const [chosen, setChosen] = useTyped(value);
  const known = choices.some((one) => one.value === chosen);
  return (
    <Row {...row}>
      <select
        id={row.id}
        value={chosen}
        aria-describedby={`${row.id}-help`}
        aria-invalid={row.problems.length > 0}
        onChange={({ currentTarget }) => {
          setChosen(currentTarget.value);
          onTake(currentTarget.value);
        }}
      >
        {!known && <option value={chosen}>{chosen === '' ? 'not chosen' : chosen}</option>}
        {choices.map((one) => (
          <option key={one.value} value={one.value}>
            {one.label}
          </option>
        ))}
      </select>
    </Row>
  );
}
