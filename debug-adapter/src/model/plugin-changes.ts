/**
 * The plugins of a restart, from those that the snapshot has and what its user changes; and their settings, as their JSON Schemas allow.
 * Pure. Tests: test/unit/plugin-changes.test.ts.
 */
import type { SettingsSchema } from '../platform/plugin-schema.js';
import type { Plugin, PluginSetting, RestartParams } from '../protocol/control.js';
import { failure, reason } from '../protocol/errors.js';
import { formatProblem, type SettingsProblem, settingsProblems } from '../protocol/plugin-settings.js';
import { isObject, withValue } from '../protocol/settings-value.js';

/** The lowest layer first. `name`: as its library says; not there: nobody has seen it yet. */
export type NamedPlugin = Plugin & { name?: string | undefined };
export type PluginChanges = Partial<Pick<RestartParams, 'plugins' | 'withoutPlugins' | 'pluginOrder' | 'pluginSettings'>>;

/** A setting that the schema marks so may change while the program runs. */
const LIVE = 'x-cairn-live';

export type SchemaOf = (library: string) => SettingsSchema | null;

export interface ChangedPlugins {
  plugins: NamedPlugin[];
  /** Libraries of those that are taken out of the restarted processes. */
  without: string[];
}

/** A library that is given twice (in a profile and beside it) is one plugin: the last one counts, in its place. */
export function distinct(plugins: readonly Plugin[]): Plugin[] {
  return plugins.filter(({ library }, index) => !plugins.slice(index + 1).some((one) => one.library === library));
}

export function changePlugins(before: readonly NamedPlugin[], asked: PluginChanges, schemaOf: SchemaOf): ChangedPlugins {
  const given = distinct(asked.plugins ?? []);
  const out = (asked.withoutPlugins ?? []).map((text) => findPlugin(before, text));
  const kept = before.filter((one) => !out.includes(one));
  const merged = [
    ...kept.map((one) => ({
      ...one,
      ...given.find(({ library, settings }) => library === one.library && settings !== '{}'),
    })),
    // Also one that is taken out and given anew: it begins from nothing.
    ...given.filter(({ library }) => !kept.some((one) => library === one.library)),
  ];
  const plugins = orderPlugins(changeSettings(merged, asked.pluginSettings ?? [], schemaOf), asked.pluginOrder);
  for (const one of plugins)
    if (!before.some((other) => other.library === one.library && other.settings === one.settings)) checkSettings(one, schemaOf);
  return { plugins, without: out.map(({ library }) => library) };
}

/** As text gives them, each in the form that the schema wants. Throws where neither a schema nor the settings of now know one. */
export function changeSettings(
  plugins: readonly NamedPlugin[],
  changes: readonly PluginSetting[],
  schemaOf: SchemaOf,
): NamedPlugin[] {
  const changed = [...plugins];
  for (const { plugin, key, value } of changes) {
    const one = findPlugin(changed, plugin);
    const schema = schemaOf(one.library)?.schema;
    const now = settingsOf(one);
    if (schema === undefined && valueAt(now, pathOf(schema, key)) === undefined)
      throw failure('unknownSetting', {
        name: nameOf(one),
        key,
        known: Object.keys(now).join(', ') || 'none',
        library: one.library,
      });
    const settings = withValue(now, pathOf(schema, key), typedValue(schemaAt(schema, key).at(-1), value));
    changed[changed.indexOf(one)] = { ...one, settings: JSON.stringify(settings) };
  }
  return changed;
}

/** Throws where the schema does not allow a plugin's settings. */
export function checkSettings(one: NamedPlugin, schemaOf: SchemaOf): void {
  const found = schemaOf(one.library);
  if (found === null) return;
  const problems = problemsOf(found, settingsOf(one));
  if (problems.length === 0) return;
  const lines = problems.map((problem) => {
    const key = problem.path.join('.');
    return `${formatProblem(problem)}${key === '' ? '' : described(schemaAt(found.schema, key).at(-1))}`;
  });
  throw failure('badPluginSettings', { name: nameOf(one), why: lines.join('; '), path: found.path });
}

/** Throws where a setting is none that may change while the program runs. */
export function checkLive(one: NamedPlugin, key: string, schemaOf: SchemaOf): void {
  const found = schemaOf(one.library);
  if (schemaAt(found?.schema, key).some((part) => objectOf(part)?.[LIVE] === true)) return;
  const why = found === null ? 'no schema of its settings is beside its library' : `${found.path} does not say so`;
  throw failure('settingNotLive', { name: nameOf(one), key, why });
}

/** By its name, its library, or the library's file name. */
export function findPlugin<P extends NamedPlugin>(plugins: readonly P[], text: string): P {
  for (const fits of [
    (one: P) => one.library === text,
    (one: P) => one.name === text,
    (one: P) => fileName(one) === text || stem(one) === text,
  ]) {
    const found = plugins.filter(fits);
    if (found.length === 1 && found[0] !== undefined) return found[0];
    if (found.length > 1) break;
  }
  throw failure('unknownPlugin', { name: text, known: plugins.map(nameOf).join(', ') || 'none from outside' });
}

export function nameOf(one: NamedPlugin): string {
  return one.name ?? stem(one);
}

/** `PLUGIN.KEY=VALUE`. Names of plugins have no dots; those of files may: of these the library's ending comes before the key. */
export function settingOf(text: string): PluginSetting | undefined {
  const found = /^((?:[^=]*\.so|[^.=/]+))\.([^=]+)=(.*)$/s.exec(text);
  const [, plugin, key, value] = found ?? [];
  return plugin === undefined || key === undefined || value === undefined ? undefined : { plugin, key, value };
}

function orderPlugins(plugins: readonly NamedPlugin[], order: readonly string[] | undefined): NamedPlugin[] {
  if (order === undefined) return [...plugins];
  const ordered = order.map((text) => findPlugin(plugins, text));
  const missing = plugins.filter((one) => !ordered.includes(one));
  if (missing.length > 0 || new Set(ordered).size < ordered.length)
    throw failure('badPluginOrder', { order: order.join(','), all: plugins.map(nameOf).join(',') });
  return ordered;
}

const fileName = ({ library }: Plugin): string => library.slice(library.lastIndexOf('/') + 1);
const stem = (one: Plugin): string => fileName(one).replace(/\.so$/, '');

type Json = Record<string, unknown>;

function objectOf(value: unknown): Json | undefined {
  return isObject(value) ? value : undefined;
}

function settingsOf(one: NamedPlugin): Json {
  let parsed: unknown;
  try {
    parsed = JSON.parse(one.settings);
  } catch (error) {
    throw failure('badPluginSettings', { name: nameOf(one), why: reason(error), path: 'its library' }, error);
  }
  return objectOf(parsed) ?? {};
}

function problemsOf({ path, schema }: SettingsSchema, settings: Json): SettingsProblem[] {
  try {
    return settingsProblems(schema, settings);
  } catch (error) {
    throw failure('fileNotReadable', { what: 'schema of settings', path, why: reason(error) }, error);
  }
}

const valueAt = (settings: Json, path: readonly string[]): unknown =>
  path.reduce<unknown>((at, name) => objectOf(at)?.[name], settings);

/** A name with dots in it, or names of objects in objects. */
function pathOf(schema: unknown, key: string): string[] {
  return objectOf(objectOf(schema)?.['properties'])?.[key] === undefined ? key.split('.') : [key];
}

/** The schemas on the way to a setting; undefined where it says nothing of it. */
function schemaAt(schema: unknown, key: string): unknown[] {
  const parts: unknown[] = [];
  let at = schema;
  for (const name of pathOf(schema, key)) {
    at = objectOf(objectOf(at)?.['properties'])?.[name];
    parts.push(at);
  }
  return parts;
}

function typedValue(schema: unknown, text: string): unknown {
  if (objectOf(schema)?.['type'] === 'string') return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function described(schema: unknown): string {
  const text = objectOf(schema)?.['description'];
  return typeof text === 'string' ? ` (${text.replace(/\.$/, '')})` : '';
}
