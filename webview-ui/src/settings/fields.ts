/**
 * From the JSON Schema of a plugin's settings to the fields of a form, and from what is typed there to values. Pure.
 * Tests: test/unit/plugin-fields.test.ts.
 */
import type { SettingsProblem } from '../../../debug-adapter/src/protocol/plugin-settings.js';
import { isObject, type Settings } from '../../../debug-adapter/src/protocol/settings-value.js';

type Schema = Readonly<Record<string, unknown>>;

/** `lines`: a list of plain values; `list`: of groups. `json`: what no simpler field can show. */
export type FieldKind = 'choice' | 'check' | 'number' | 'text' | 'lines' | 'group' | 'list' | 'json';

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
  /** What it may be, in words; empty: the schema does not say. */
  readonly limits: string;
  /** It may change while the program runs. */
  readonly live: boolean;
  /** The schema wants text, whatever it looks like. */
  readonly isText: boolean;
  /** Of a group. */
  readonly fields: readonly Field[];
  /** Of a list: the fields of one of its groups. */
  readonly item: (index: number) => readonly Field[];
}

/** Where parts of a schema are named, and what holds for all that is in a part. */
interface Around {
  readonly root: Schema;
  readonly live: boolean;
  readonly depth: number;
}

/** A schema that names itself would have fields without end. */
const DEEPEST = 8;

export function fieldsOf(schema: Schema, path: readonly string[] = [], around?: Around): Field[] {
  const { root, live, depth } = around ?? { root: schema, live: false, depth: 0 };
  const required = listOf(schema['required']);
  return Object.entries(objectOf(schema['properties'])).map(([name, property]) =>
    fieldOf(resolved(property, root), [...path, name], required.includes(name), { root, live, depth: depth + 1 }),
  );
}

function fieldOf(schema: Schema, path: readonly string[], required: boolean, around: Around): Field {
  const kind = kindOf(schema, around);
  const live = around.live || schema['x-cairn-live'] === true;
  const inner = { ...around, live };
  const items = resolved(schema['items'], around.root);
  return {
    path,
    label: textOf(schema['title']) || (path.at(-1) ?? ''),
    help: textOf(schema['description']) || textOf(schema['markdownDescription']),
    kind,
    required,
    preset: schema['default'] === undefined ? '' : asText(kind, schema['default']),
    choices: kind === 'choice' ? choicesOf(schema) : [],
    limits: limitsOf(kind === 'lines' ? { ...items, ...schema } : schema),
    live,
    isText: typeOf(schema) === 'string' || (kind === 'lines' && typeOf(items) === 'string'),
    fields: kind === 'group' ? fieldsOf(schema, path, inner) : [],
    item: (index) => (kind === 'list' ? fieldsOf(items, [...path, String(index)], { ...inner, depth: inner.depth + 1 }) : []),
  };
}

/** With what it names in the schema (`$ref`: "#/$defs/…"); what it says itself counts more. */
function resolved(part: unknown, root: Schema, depth = 0): Schema {
  const schema = objectOf(part);
  const name = textOf(schema['$ref']);
  if (!name.startsWith('#/') || depth > DEEPEST) return schema;
  const named = name
    .slice(2)
    .split('/')
    .reduce<unknown>((at, key) => objectOf(at)[key.replace(/~1/g, '/').replace(/~0/g, '~')], root);
  return { ...resolved(named, root, depth + 1), ...schema };
}

/** The first where it may be of several, but for null. */
function typeOf(schema: Schema): unknown {
  const { type } = schema;
  return Array.isArray(type) ? (type as unknown[]).find((one) => one !== 'null') : type;
}

const hasProperties = (schema: Schema): boolean => Object.keys(objectOf(schema['properties'])).length > 0;
const PLAIN: readonly unknown[] = ['string', 'number', 'integer'];

function kindOf(schema: Schema, { root, depth }: Around): FieldKind {
  if (Array.isArray(schema['enum']) || constants(schema).length > 0) return 'choice';
  const items = resolved(schema['items'], root);
  switch (typeOf(schema)) {
    case 'boolean':
      return 'check';
    case 'integer':
    case 'number':
      return 'number';
    case 'string':
      return 'text';
    case 'array':
      if (PLAIN.includes(typeOf(items))) return 'lines';
      return hasProperties(items) && depth < DEEPEST ? 'list' : 'json';
    case 'object':
      return hasProperties(schema) && depth < DEEPEST ? 'group' : 'json';
    default:
      return 'json';
  }
}

/** Choices with titles of their own; empty: it is none of them. */
function constants(schema: Schema): Schema[] {
  const all = [...listOf(schema['oneOf']), ...listOf(schema['anyOf'])].map(objectOf);
  return all.every((one) => Object.hasOwn(one, 'const')) ? all : [];
}

function limitsOf(schema: Schema): string {
  const number = (name: string) => (typeof schema[name] === 'number' ? schema[name] : undefined);
  const [least, most] = [number('minimum'), number('maximum')];
  const range =
    least !== undefined && most !== undefined
      ? [`${least} to ${most}`]
      : [...(least === undefined ? [] : [`at least ${least}`]), ...(most === undefined ? [] : [`at most ${most}`])];
  const rest = [
    ['exclusiveMinimum', 'more than'],
    ['exclusiveMaximum', 'less than'],
    ['multipleOf', 'a multiple of'],
    ['minItems', 'so many at least:'],
    ['maxItems', 'so many at most:'],
  ].flatMap(([name = '', words]) => (number(name) === undefined ? [] : [`${words} ${number(name)}`]));
  return [...range, ...rest].join(', ');
}

function choicesOf(schema: Schema): Field['choices'] {
  if (!Array.isArray(schema['enum']))
    return constants(schema).map((one) => ({
      value: one['const'],
      label: textOf(one['title']) || plainText(one['const']),
      help: textOf(one['description']),
    }));
  const help = listOf(schema['enumDescriptions']);
  return (schema['enum'] as unknown[]).map((value, index) => ({
    value,
    label: plainText(value),
    help: textOf(help[index]),
  }));
}

const plainText = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));
const isPlain = (value: unknown): boolean => typeof value === 'string' || typeof value === 'number';

/** A value as it is typed; what the field's kind does not fit is shown as JSON. */
export function asText(kind: FieldKind, value: unknown): string {
  if (value === undefined) return '';
  if (kind === 'lines' && Array.isArray(value) && value.every(isPlain)) return value.join('\n');
  if (kind === 'json') return JSON.stringify(value, undefined, 2);
  return plainText(value);
}

/** What was typed; undefined: the setting is taken out. What is no number stays text, for the schema to complain of. */
export function fromText({ kind, choices, isText }: Field, text: string): unknown {
  switch (kind) {
    case 'choice':
      return choices.find(({ label }) => label === text)?.value;
    case 'number':
      return text.trim() === '' ? undefined : numberOr(text);
    case 'lines':
      if (isText) return text === '' ? undefined : text.split('\n');
      return text.trim() === '' ? undefined : text.trim().split(/\s+/).map(numberOr);
    case 'json':
      return text.trim() === '' ? undefined : jsonOr(text);
    default:
      return text === '' ? undefined : text;
  }
}

function numberOr(text: string): number | string {
  const number = Number(text);
  return Number.isFinite(number) ? number : text;
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
    (value, name) =>
      (isObject(value) || Array.isArray(value)) && Object.hasOwn(value, name) ? (value as Settings)[name] : undefined,
    settings,
  );
}

/** What is wrong with a field, or with anything in it that has no field of its own. */
export function problemsAt(problems: readonly SettingsProblem[], field: Field): string[] {
  const { path, kind } = field;
  const at = problems.filter((one) => isWithin(one.path, path));
  const inner = (one: SettingsProblem): readonly Field[] =>
    kind === 'list' ? field.item(Number(one.path[path.length])) : field.fields;
  return at
    .filter((one) => !inner(one).some((part) => isWithin(one.path, part.path)))
    .map((one) => (one.path.length === path.length ? one.message : `${one.path.slice(path.length).join('.')} ${one.message}`));
}

const isWithin = (place: readonly string[], path: readonly string[]): boolean =>
  path.every((name, index) => place[index] === name);

/** What no field shows. */
export function problemsElsewhere(problems: readonly SettingsProblem[], fields: readonly Field[]): SettingsProblem[] {
  return problems.filter((one) => !fields.some(({ path }) => isWithin(one.path, path)));
}

/** Settings that the schema does not name, and no field shows. */
export function unnamed(settings: Settings, fields: readonly Field[]): string[] {
  return Object.keys(settings).filter((name) => !fields.some(({ path }) => path[0] === name));
}

const objectOf = (value: unknown): Record<string, unknown> => (isObject(value) ? value : {});
const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');
