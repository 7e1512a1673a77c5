/** One fault model of the campaign: what kind of fault, where, when, and its parameters. */
import { useState } from 'preact/hooks';
import type { FaultsModel } from '../../../debug-adapter/src/protocol/panels.js';
import { isObject } from '../../../debug-adapter/src/protocol/settings-value.js';
import { send } from '../bridge.js';
import { SettingsForm } from '../settings/form.js';
import { ChoiceField, change, type Path, problemsOf, TextField, textOf } from './fields.js';
import { Picker } from './picker.js';
import { partOf, withoutNumbers } from './schema.js';
import { Times } from './times.js';
import { grouped, targetWords } from './words.js';

const KINDS = [
  { value: 'upset', label: 'Upset: bits are turned over, once' },
  { value: 'stuckAt', label: 'Stuck-at: bits are held at a value' },
  { value: 'transient', label: 'Transient: bits are held for a duration' },
  { value: 'intermittent', label: 'Intermittent: bits are held in a part of each period' },
  { value: 'bridge', label: 'Bridge: bits get the value of another signal' },
  { value: 'delay', label: 'Delay: changes come later' },
  { value: 'calls', label: 'Calls of a function go otherwise' },
] as const;

/** What else each kind has, as in the file. */
const PARAMETERS: Readonly<Record<string, readonly string[]>> = {
  upset: ['adjacent'],
  stuckAt: ['values', 'adjacent'],
  transient: ['duration', 'values', 'adjacent'],
  intermittent: ['period', 'on', 'duration', 'values', 'adjacent'],
  bridge: ['from', 'kind', 'duration', 'adjacent'],
  delay: ['by', 'clock', 'duration', 'adjacent'],
};

const OTHERS = ['process', 'messages', 'plugin'] as const;
const OTHER_WORDS = { process: 'In a process', messages: 'In messages', plugin: "By a plugin of one's own" } as const;

interface Props {
  readonly model: FaultsModel;
  readonly index: number;
  readonly value: Record<string, unknown>;
}

export function ModelCard({ model, index, value }: Props) {
  const { plan, problems, schema } = model;
  const path: Path = ['models', index];
  const id = `model-${index}`;
  const calls = isObject(value['calls']) ? value['calls'] : undefined;
  const signals = isObject(value['signals']) ? value['signals'] : undefined;
  const kind = calls ? 'calls' : textOf(signals?.['model']);
  const planned = plan?.models[index];
  // Others are made as text: a choice here would lose them.
  const other = OTHERS.find((one) => isObject(value[one]));
  const own = problemsOf(problems, path, other !== undefined);
  return (
    <li class="model" aria-labelledby={`${id}-title`}>
      <div class="head">
        <h3 id={`${id}-title`}>{textOf(value['name']) || `Model ${index + 1}`}</h3>
        <button
          type="button"
          class="icon"
          title="Remove this model"
          aria-label={`Remove model ${textOf(value['name'])}`}
          onClick={() => change(path, undefined)}
        >
          <span class="codicon codicon-trash" aria-hidden="true" />
        </button>
      </div>
      <p role="status" class="count">
        {planned?.targets ? `${targetWords(planned.targets)}; ` : ''}
        {planned?.faults === undefined || planned.faults === null ? '' : `${grouped(planned.faults)} faults`}
      </p>
      {own.map((text) => (
        <p key={text} class="error">
          {text}
        </p>
      ))}
      <TextField
        id={`${id}-name`}
        label="Name"
        problems={problemsOf(problems, [...path, 'name'])}
        value={textOf(value['name'])}
        onTake={(text) => change([...path, 'name'], text)}
      />
      {other === undefined ? (
        <ChoiceField
          id={`${id}-kind`}
          label="Fault"
          problems={problemsOf(problems, [...path, 'signals', 'model'])}
          value={kind}
          choices={KINDS}
          onTake={(wanted) => change(path, turned(value, wanted))}
        />
      ) : (
        <p>
          {OTHER_WORDS[other]}: as the file has it.{' '}
          <button type="button" onClick={() => send({ type: 'openCampaignFile' })}>
            Open File
          </button>
        </p>
      )}
      {calls && (
        <SettingsForm
          id={`${id}-calls`}
          plugin={{
            schema: partOf(schema, ['models', 0, 'calls']),
            settings: calls,
            problems: withoutNumbers(problems, [...path, 'calls']),
          }}
          onChange={(inside, now) => change([...path, 'calls', ...inside], now)}
        />
      )}
      {signals && (
        <>
          <Targets model={model} id={id} path={[...path, 'signals', 'targets']} value={signals['targets']} label="Targets" />
          <Targets model={model} id={id} path={[...path, 'signals', 'exclude']} value={signals['exclude']} label="But not" />
          <Times
            id={`${id}-times`}
            path={[...path, 'signals', 'times']}
            value={signals['times']}
            plan={plan}
            problems={problems}
          />
          <SettingsForm
            id={`${id}-signals`}
            plugin={{
              schema: partOf(schema, ['models', 0, 'signals'], PARAMETERS[kind] ?? []),
              settings: Object.fromEntries(Object.entries(signals).filter(([key]) => (PARAMETERS[kind] ?? []).includes(key))),
              problems: withoutNumbers(problems, [...path, 'signals']).filter(
                ({ path: [first] }) => first === undefined || !['targets', 'exclude', 'times', 'model'].includes(first),
              ),
            }}
            onChange={(inside, now) => change([...path, 'signals', ...inside], now)}
          />
        </>
      )}
    </li>
  );
}

/** Another kind keeps where and when, and what it has of the parameters; what it needs has a value to begin from. */
function turned(value: Record<string, unknown>, kind: string): Record<string, unknown> {
  const name = value['name'];
  if (kind === 'calls')
    return { name, calls: { function: 'write', calls: { first: 1, last: 100 }, effects: [{ return: -1, errno: 'EIO' }] } };
  const old = isObject(value['signals']) ? value['signals'] : { targets: ['*'] };
  const kept = Object.entries(old).filter(
    ([key]) => ['targets', 'exclude', 'times'].includes(key) || (PARAMETERS[kind] ?? []).includes(key),
  );
  const needed =
    kind === 'transient'
      ? { duration: 10 }
      : kind === 'intermittent'
        ? { period: 100, on: 10 }
        : kind === 'bridge'
          ? { from: '' }
          : kind === 'delay'
            ? { by: 1 }
            : {};
  return {
    name,
    signals: {
      model: kind,
      ...Object.fromEntries(kept),
      ...Object.fromEntries(Object.entries(needed).filter(([key]) => !(key in old))),
    },
  };
}

interface TargetsProps {
  readonly model: FaultsModel;
  readonly id: string;
  readonly path: Path;
  readonly value: unknown;
  readonly label: string;
}

/** Patterns, each with what is wrong with it; more come from the hierarchy, or are typed. */
function Targets({ model: { problems, picker, design }, id, path, value, label }: TargetsProps) {
  const [choosing, setChoosing] = useState(false);
  const [typed, setTyped] = useState('');
  const list = Array.isArray(value) ? (value as unknown[]) : [];
  const own = `${id}-${String(path.at(-1))}`;
  const put = (now: readonly unknown[]): void => change(path, now.length === 0 && path.at(-1) === 'exclude' ? undefined : now);
  const add = (pattern: string): void => {
    if (pattern !== '' && !list.includes(pattern)) put([...list, pattern]);
  };
  return (
    <div class="field targets">
      <span class="name" id={`${own}-label`}>
        {label}
      </span>
      <div>
        <ul aria-labelledby={`${own}-label`}>
          {list.map((one, index) => (
            <li key={textOf(one)}>
              <code>{textOf(one)}</code>
              <button
                type="button"
                class="icon"
                title="Remove"
                aria-label={`Remove ${textOf(one)} from ${label}`}
                onClick={() => put(list.filter((_, at) => at !== index))}
              >
                <span class="codicon codicon-close" aria-hidden="true" />
              </button>
              {problemsOf(problems, [...path, index]).map((text) => (
                <span key={text} class="error">
                  {text}
                </span>
              ))}
            </li>
          ))}
        </ul>
        {problemsOf(problems, path, false).map((text) => (
          <div key={text} class="error">
            {text}
          </div>
        ))}
        <div class="tools">
          <input
            type="text"
            aria-label={`Another pattern for ${label}`}
            placeholder="Another pattern"
            spellcheck={false}
            value={typed}
            onInput={({ currentTarget }) => setTyped(currentTarget.value)}
            onKeyDown={({ key }) => {
              if (key !== 'Enter') return;
              add(typed.trim());
              setTyped('');
            }}
          />
          <button
            type="button"
            disabled={typed.trim() === ''}
            aria-label={`Add the pattern to ${label}`}
            onClick={() => {
              add(typed.trim());
              setTyped('');
            }}
          >
            Add
          </button>
          <button
            type="button"
            aria-expanded={choosing}
            aria-label={`Choose from the design for ${label}`}
            disabled={design.state !== 'known'}
            onClick={() => setChoosing(!choosing)}
          >
            Choose from the Design…
          </button>
        </div>
        {choosing && picker && <Picker id={own} picker={picker} onAdd={add} />}
      </div>
    </div>
  );
}
