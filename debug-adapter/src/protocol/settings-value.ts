/**
 * A plugin's settings as a value that is changed at one place. Pure, imports nothing. Test: test/unit/plugin-fields.test.ts.
 */
export type Settings = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * The settings with another value at `path` (none: as a whole); undefined takes it out, and groups that are empty without it. A list's
 * elements go by their numbers: one that is taken out lets the others close up, and one that is empty stays.
 */
export function withValue(settings: Settings, path: readonly string[], value: unknown): Settings {
  if (path.length === 0) return isObject(value) ? value : {};
  return inObject(settings, path, value);
}

function inner(old: unknown, rest: readonly string[], value: unknown): unknown {
  if (rest.length === 0) return value;
  return Array.isArray(old) ? inList(old, rest, value) : inObject(isObject(old) ? old : {}, rest, value);
}

function inList(list: readonly unknown[], [name = '', ...rest]: readonly string[], value: unknown): unknown[] {
  const index = Number(name);
  const changed = inner(list[index], rest, value);
  return changed === undefined ? list.filter((_, place) => place !== index) : Object.assign([...list], { [index]: changed });
}

function inObject(settings: Settings, [name = '', ...rest]: readonly string[], value: unknown): Settings {
  const { [name]: old, ...others } = settings;
  const changed = inner(old, rest, value);
  const isEmpty = rest.length > 0 && (Array.isArray(changed) ? changed : Object.keys(changed ?? {})).length === 0;
  if (changed === undefined || isEmpty) return others;
  // A value that is changed keeps its place in the file.
  return Object.hasOwn(settings, name) ? { ...settings, [name]: changed } : { ...others, [name]: changed };
}
