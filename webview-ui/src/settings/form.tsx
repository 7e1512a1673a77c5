/**
 * Settings of a plugin, or a part of a campaign, as a form from their JSON Schema; without one as JSON. A field is sent when it is left or confirmed,
 * and what is wrong with it stands below it.
 */
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { PluginEntry } from '../../../debug-adapter/src/protocol/panels.js';
import './settings.css';
import { asText, type Field, fieldsOf, fromText, problemsAt, problemsElsewhere, unnamed, valueAt } from './fields.js';

interface FormProps {
  readonly id: string;
  readonly plugin: Pick<PluginEntry, 'schema' | 'settings' | 'problems'> & Partial<Pick<PluginEntry, 'there'>>;
  /** Name of what they are compared with; null: with nothing. */
  readonly compared?: string | null;
  /** No path: the settings as a whole. Without a value it is taken out. */
  readonly onChange: (path: readonly string[], value: unknown) => void;
  /** In what it is compared with; null: that does not run. */
  readonly onApply?: ((key: string, value: string) => void) | null;
}

export function SettingsForm(props: FormProps) {
  const { plugin, onChange } = props;
  const { schema, settings, problems } = plugin;
  if (schema === null) return <WholeAsJson {...props} />;
  const fields = fieldsOf(schema);
  return (
    <>
      {fields.length === 0 && <p class="muted">It has no settings.</p>}
      {fields.map((field) => (
        <FieldRow key={field.path.join('.')} {...props} field={field} />
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

function FieldRow(props: RowProps) {
  const { id, field, plugin, onChange } = props;
  const own = `${id}-${field.path.join('-')}`;
  const problems = problemsAt(plugin.problems, field);
  const about = [field.help, field.limits].filter((text) => text !== '').join(' · ');
  const inner = field.kind === 'group' || field.kind === 'list';
  const help = about !== '' || problems.length > 0 || (!inner && plugin.there != null) ? `${own}-help` : undefined;
  const notes = (
    <div id={help} class="notes">
      {about !== '' && <div class="muted">{about}</div>}
      {!inner && <Difference {...props} />}
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
          <FieldRow key={one.path.join('.')} {...props} field={one} />
        ))}
      </fieldset>
    );
  if (field.kind === 'list') return <ListRow {...props} own={own} help={help} notes={notes} />;
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

/** Groups one below the other; what is compared is the list as a whole. */
function ListRow(props: RowProps & { own: string; help: string | undefined; notes: JSX.Element }) {
  const { field, plugin, onChange, own, help, notes } = props;
  const value = valueAt(plugin.settings, field.path);
  const items: unknown[] = Array.isArray(value) ? value : [];
  return (
    <fieldset aria-describedby={help}>
      <legend>{field.label}</legend>
      {notes}
      <Difference {...props} />
      {items.map((_, index) => (
        <fieldset key={`${items.length} ${index}`}>
          <legend>
            {field.label} {index + 1}
          </legend>
          {field.item(index).map((one) => (
            <FieldRow key={one.path.join('.')} {...props} field={one} compared={null} />
          ))}
          <button
            type="button"
            aria-label={`Remove ${field.label} ${index + 1}`}
            onClick={() => onChange([...field.path, String(index)], undefined)}
          >
            Remove
          </button>
        </fieldset>
      ))}
      <button type="button" id={own} aria-label={`Add to ${field.label}`} onClick={() => onChange(field.path, [...items, {}])}>
        Add
      </button>
    </fieldset>
  );
}

/** What it is where the profile is compared with, if that is another. */
function Difference({ field, plugin, compared, onApply }: RowProps) {
  if (plugin.there == null || compared == null) return null;
  const [here, there] = [valueAt(plugin.settings, field.path), valueAt(plugin.there, field.path)];
  if (JSON.stringify(here) === JSON.stringify(there)) return null;
  const told = there === undefined ? 'not set' : JSON.stringify(there);
  return (
    <div class="differs">
      in {compared}: <code>{told}</code>
      {field.live && onApply != null && here !== undefined && (
        <button
          type="button"
          aria-label={`Apply ${field.label} to ${compared}`}
          onClick={() => onApply(field.path.join('.'), field.isText && typeof here === 'string' ? here : JSON.stringify(here))}
        >
          Apply
        </button>
      )}
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

function WholeAsJson({ id, plugin: { settings, there }, compared, onChange }: FormProps) {
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
        {there != null && compared != null && JSON.stringify(there) !== JSON.stringify(settings) && (
          <div class="differs">
            in {compared}: <code>{JSON.stringify(there)}</code>
          </div>
        )}
        {wrong !== '' && <div class="error">Not taken: {wrong}</div>}
      </div>
    </div>
  );
}
