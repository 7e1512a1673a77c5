/**
 * Settings of a plugin, or a part of a campaign, as a form from their JSON Schema; without one as JSON. A field is sent when it is left or confirmed,
 * and what is wrong with it stands below it.
 */
import { useEffect, useState } from 'preact/hooks';
import type { PluginEntry } from '../../../debug-adapter/src/protocol/panels.js';
import type { Settings } from '../../../debug-adapter/src/protocol/settings-value.js';
import './settings.css';
import { asText, type Field, fieldsOf, fromText, problemsAt, problemsElsewhere, unnamed, valueAt } from './fields.js';

interface FormProps {
  readonly id: string;
  readonly plugin: Pick<PluginEntry, 'schema' | 'settings' | 'problems'>;
  /** No path: the settings as a whole. Without a value it is taken out. */
  readonly onChange: (path: readonly string[], value: unknown) => void;
}

export function SettingsForm({ id, plugin, onChange }: FormProps) {
  const { schema, settings, problems } = plugin;
  if (schema === null) return <WholeAsJson id={id} settings={settings} onChange={onChange} />;
  const fields = fieldsOf(schema);
  return (
    <>
      {fields.length === 0 && <p class="muted">It has no settings.</p>}
      {fields.map((field) => (
        <FieldRow key={field.path.join('.')} id={id} field={field} plugin={plugin} onChange={onChange} />
      ))}
      {unnamed(settings, fields).map((name) => (
        <p key={name} class="other">
          <code>{name}</code>: {JSON.stringify(settings[name])}{' '}
          <button type="button" aria-label={`Remove ${name}`} onClick={() => onChange([name], undefined)}>
            Remove
          </button>
        </p>
      ))}
      {problemsElsewhere(problems, fields).map(({ path, message }) => (
        <p key={path.join('.') + message} class="error">
          {path.join('.')} {message}
        </p>
      ))}
    </>
  );
}

interface RowProps extends FormProps {
  readonly field: Field;
}

function FieldRow({ id, field, plugin, onChange }: RowProps) {
  const own = `${id}-${field.path.join('-')}`;
  const problems = problemsAt(plugin.problems, field);
  const help = field.help !== '' || problems.length > 0 ? `${own}-help` : undefined;
  const notes = (
    <div id={help} class="notes">
      {field.help !== '' && <div class="muted">{field.help}</div>}
      {problems.map((text) => (
        <div key={text} class="error">
          {text}
        </div>
      ))}
    </div>
  );
  if (field.kind === 'group')
    return (
      <fieldset aria-describedby={help}>
        <legend>{field.label}</legend>
        {notes}
        {field.fields.map((one) => (
          <FieldRow key={one.path.join('.')} id={id} field={one} plugin={plugin} onChange={onChange} />
        ))}
      </fieldset>
    );
  const value = valueAt(plugin.settings, field.path);
  return (
    <div class={`field ${field.kind}`}>
      <label for={own}>
        {field.label}
        {field.required && <span class="muted"> (required)</span>}
      </label>
      <Input own={own} field={field} value={value} help={help} wrong={problems.length > 0} onChange={onChange} />
      {notes}
    </div>
  );
}

interface InputProps extends Pick<FormProps, 'onChange'> {
  readonly own: string;
  readonly field: Field;
  readonly value: unknown;
  readonly help: string | undefined;
  readonly wrong: boolean;
}

function Input({ own, field, value, help, wrong, onChange }: InputProps) {
  const { kind, required } = field;
  const about = { id: own, 'aria-describedby': help, 'aria-invalid': wrong, 'aria-required': required } as const;
  const text = asText(kind, value);
  if (kind === 'check') return <CheckBox about={about} field={field} value={value} onChange={onChange} />;
  if (kind === 'choice') return <Choice about={about} field={field} text={text} onChange={onChange} />;
  return <Typed about={about} field={field} text={text} onChange={onChange} />;
}

type TypedProps = Pick<InputProps, 'field' | 'onChange'> & { readonly about: About; readonly text: string };

type About = Readonly<Record<'id' | 'aria-describedby' | 'aria-invalid' | 'aria-required', string | boolean | undefined>>;

/** What was chosen stays while the answer to an earlier change arrives. */
function useChosen<T>(told: T): [T, (chosen: T) => void] {
  const [chosen, setChosen] = useState(told);
  useEffect(() => setChosen(told), [told]);
  return [chosen, setChosen];
}

function CheckBox({ about, field, value, onChange }: Pick<InputProps, 'field' | 'value' | 'onChange'> & { about: About }) {
  const [checked, setChecked] = useChosen(typeof value === 'boolean' ? value : field.preset === 'true');
  const change = (now: boolean) => {
    setChecked(now);
    onChange(field.path, now);
  };
  return (
    <input {...(about as object)} type="checkbox" checked={checked} onChange={(event) => change(event.currentTarget.checked)} />
  );
}

function Choice({ about, field, text, onChange }: TypedProps) {
  const [chosen, setChosen] = useChosen(text);
  const change = (now: string) => {
    setChosen(now);
    onChange(field.path, fromText(field, now));
  };
  return (
    <select {...(about as object)} value={chosen} onChange={(event) => change(event.currentTarget.value)}>
      <option value="">{field.preset === '' ? 'not set' : `default (${field.preset})`}</option>
      {field.choices.map(({ label, help: meaning }) => (
        <option key={label} value={label} title={meaning}>
          {meaning === '' ? label : `${label}: ${meaning}`}
        </option>
      ))}
    </select>
  );
}

/** Text, of one line or of several. */
function Typed({ about, field, text, onChange }: TypedProps) {
  const [typed, setTyped] = useChosen(text);
  const shared = {
    ...(about as object),
    value: typed,
    placeholder: field.preset === '' ? '' : `default: ${field.preset}`,
    spellcheck: false,
    onInput: (event: { currentTarget: { value: string } }) => setTyped(event.currentTarget.value),
    onChange: () => onChange(field.path, fromText(field, typed)),
  };
  if (field.kind === 'lines' || field.kind === 'json') return <textarea {...shared} rows={3} />;
  return <input {...shared} type="text" inputMode={field.kind === 'number' ? 'decimal' : 'text'} />;
}

function WholeAsJson({ id, settings, onChange }: Omit<FormProps, 'plugin'> & { settings: Settings }) {
  const text = Object.keys(settings).length === 0 ? '' : JSON.stringify(settings, undefined, 2);
  const [typed, setTyped] = useState(text);
  const [wrong, setWrong] = useState('');
  useEffect(() => {
    setTyped(text);
    setWrong('');
  }, [text]);
  const take = () => {
    try {
      const value: unknown = typed.trim() === '' ? {} : JSON.parse(typed);
      if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error('it must be a JSON object');
      onChange([], value);
    } catch (error) {
      setWrong(error instanceof Error ? error.message : String(error));
    }
  };
  return (
    <div class="field json">
      <label for={`${id}-json`}>Settings</label>
      <textarea
        id={`${id}-json`}
        aria-describedby={`${id}-json-help`}
        aria-invalid={wrong !== ''}
        rows={4}
        spellcheck={false}
        value={typed}
        onInput={(event) => setTyped(event.currentTarget.value)}
        onChange={take}
      />
      <div id={`${id}-json-help`} class="notes">
        <div class="muted">A JSON object: the plugin came without a schema beside its library.</div>
        {wrong !== '' && <div class="error">Not taken: {wrong}</div>}
      </div>
    </div>
  );
}
