/**
 * A plugin's settings as a value that is changed at one place. Pure, imports nothing. Test: test/unit/plugin-fields.test.ts.
 */
export type Settings = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The settings with another value at `path` (none: as a whole); undefined takes it out, and groups that are empty without it. */
export function withValue(settings: Settings, [name, ...rest]: readonly string[], value: unknown): Settings {
  if (name === undefined) return isObject(value) ? value : {};
  const { [name]: old, ...others } = settings;
  const inner = rest.length === 0 ? value : withValue(isObject(old) ? old : {}, rest, value);
  const empty = inner === undefined || (rest.length > 0 && isObject(inner) && Object.keys(inner).length === 0);
  if (empty) return others;
  // A value that is changed keeps its place in the file.
  return Object.hasOwn(settings, name) ? { ...settings, [name]: inner } : { ...others, [name]: inner };
}
