/**
 * From the JSON Schema of a plugin's settings to the fields of a form, and from what is typed there to values. Pure.
 * Tests: test/unit/plugin-fields.test.ts.
 */
import type { SettingsProblem } from '../../../debug-adapter/src/protocol/plugin-settings.js';
import { isObject, type Settings } from '../../../debug-adapter/src/protocol/settings-value.js';

type Schema = Readonly<Record<string, unknown>>;

/** `json`: what no simpler field can show. */
export type FieldKind = 'choice' | 'check' | 'number' | 'text' | 'lines' | 'group' | 'json';

export interface Field {
  /** Names from the settings' root. */
  readonly path: readonly string[];
  readonly label: string;
  readonly help: string;
  readonly kind: FieldKind;
  readonly required: boolean;
  /** What holds without a value, as text; empty: the schema does not say. */
  readonly preset: string;
  readonly choices: readonly { readonly value: unknown; readonly label: string; readonly help: string }[];
  /** Of a group. */
  readonly fields: readonly Field[];
}

export function fieldsOf(schema: Schema, path: readonly string[] = []): Field[] {
  const required = listOf(schema['required']);
  return Object.entries(objectOf(schema['properties'])).map(([name, property]) =>
    fieldOf(objectOf(property), [...path, name], required.includes(name)),
  );
}

function fieldOf(schema: Schema, path: readonly string[], required: boolean): Field {
  const kind = kindOf(schema);
  return {
    path,
    label: textOf(schema['title']) || (path.at(-1) ?? ''),
    help: textOf(schema['description']) || textOf(schema['markdownDescription']),
    kind,
    required,
    preset: schema['default'] === undefined ? '' : asText(kind, schema['default']),
    choices: kind === 'choice' ? choicesOf(schema) : [],
    fields: kind === 'group' ? fieldsOf(schema, path) : [],
  };
}

function kindOf(schema: Schema): FieldKind {
  if (Array.isArray(schema['enum'])) return 'choice';
  switch (schema['type']) {
    case 'boolean':
      return 'check';
    case 'integer':
    case 'number':
      return 'number';
    case 'string':
      return 'text';
    case 'array':
      return objectOf(schema['items'])['type'] === 'string' ? 'lines' : 'json';
    case 'object':
      return Object.keys(objectOf(schema['properties'])).length > 0 ? 'group' : 'json';
    default:
      return 'json';
  }
}

function choicesOf(schema: Schema): Field['choices'] {
  const help = listOf(schema['enumDescriptions']);
  return (schema['enum'] as unknown[]).map((value, index) => ({
    value,
    label: typeof value === 'string' ? value : JSON.stringify(value),
    help: textOf(help[index]),
  }));
}

/** A value as it is typed; what the field's kind does not fit is shown as JSON. */
export function asText(kind: FieldKind, value: unknown): string {
  if (value === undefined) return '';
  if (kind === 'lines' && Array.isArray(value) && value.every((one) => typeof one === 'string')) return value.join('\n');
  if (kind === 'json') return JSON.stringify(value, undefined, 2);
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** What was typed; undefined: the setting is taken out. What is no number stays text, for the schema to complain of. */
export function fromText({ kind, choices }: Field, text: string): unknown {
  switch (kind) {
    case 'choice':
      return choices.find(({ label }) => label === text)?.value;
    case 'number': {
      const number = Number(text);
      if (text.trim() === '') return undefined;
      return Number.isFinite(number) ? number : text;
    }
    case 'lines':
      return text === '' ? undefined : text.split('\n');
    case 'json':
      return text.trim() === '' ? undefined : jsonOr(text);
    default:
      return text === '' ? undefined : text;
  }
}

function jsonOr(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

export function valueAt(settings: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (value, name) => (isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined),
    settings,
  );
}

/** What is wrong with a field, or with anything in it that has no field of its own. */
export function problemsAt(problems: readonly SettingsProblem[], { path, kind }: Field): string[] {
  const at = problems.filter((one) => path.every((name, index) => one.path[index] === name));
  return at
    .filter((one) => kind !== 'group' || one.path.length === path.length)
    .map((one) => (one.path.length === path.length ? one.message : `${one.path.slice(path.length).join('.')} ${one.message}`));
}

/** What no field shows. */
export function problemsElsewhere(problems: readonly SettingsProblem[], fields: readonly Field[]): SettingsProblem[] {
  const all = fields.flatMap((field): Field[] => [field, ...field.fields]);
  return problems.filter((one) => !all.some((field) => problemsAt([one], field).length > 0));
}

/** Settings that the schema does not name, and no field shows. */
export function unnamed(settings: Settings, fields: readonly Field[]): string[] {
  return Object.keys(settings).filter((name) => !fields.some(({ path }) => path[0] === name));
}

const objectOf = (value: unknown): Record<string, unknown> => (isObject(value) ? value : {});
const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');
