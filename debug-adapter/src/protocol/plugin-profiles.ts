/**
 * Profiles of plugins: named lists of plugins with their settings, kept in a workspace, named by a launch configuration. Pure.
 * Test: test/unit/plugin-profiles.test.ts.
 */
import { type ParseError, parse, printParseErrorCode } from 'jsonc-parser';
import * as z from 'zod';
import { failure } from './errors.js';

/** In a workspace folder. */
export const PROFILES_FILE = '.vscode/cairn-plugins.json';

export const ProfilePlugin = z.strictObject({
  /** Relative to the workspace folder, or with ${workspaceFolder}. */
  library: z.string().min(1),
  settings: z.record(z.string(), z.unknown()).optional(),
  /** Kept in the profile, and not loaded. */
  disabled: z.boolean().optional(),
});
export type ProfilePlugin = z.infer<typeof ProfilePlugin>;

export const PluginProfiles = z.object({
  /** Each with its plugins, the lowest layer first. */
  profiles: z.record(z.string().min(1), z.array(ProfilePlugin)).default({}),
});
export type PluginProfiles = z.infer<typeof PluginProfiles>;

/** Of the text of the file, which a user may write, with comments. Throws what is to be corrected there. */
export function parseProfiles(text: string): PluginProfiles['profiles'] {
  const errors: ParseError[] = [];
  const value: unknown = parse(text, errors, { allowTrailingComma: true });
  const wrong = (what: string) => failure('usage', { what: `${PROFILES_FILE}${what}`, remedy: 'Correct it there.' });
  const [first] = errors;
  if (first) throw wrong(`, line ${text.slice(0, first.offset).split('\n').length}: ${printParseErrorCode(first.error)}`);
  const result = PluginProfiles.safeParse(value);
  if (result.success) return result.data.profiles;
  throw wrong(`: ${result.error.issues.map(({ path, message }) => `"${path.join('.')}": ${message}`).join('; ')}`);
}

/** Absolute: a profile's library in the workspace folder `root`. */
export function libraryPath(root: string, library: string): string {
  const named = library.replaceAll('${workspaceFolder}', root);
  return normal(named.startsWith('/') ? named : `${root}/${named}`);
}

/** Without "." and "..", so that a library has one name. */
function normal(path: string): string {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return `/${parts.join('/')}`;
}

/** What a profile loads, the lowest layer first. Throws where there is none of that name. */
export function pluginsOfProfile(profiles: PluginProfiles['profiles'], name: string, root: string): ProfilePlugin[] {
  const plugins = Object.hasOwn(profiles, name) ? profiles[name] : undefined;
  if (plugins !== undefined)
    return plugins.filter(({ disabled }) => !disabled).map((one) => ({ ...one, library: libraryPath(root, one.library) }));
  const names = Object.keys(profiles);
  throw failure('usage', {
    what: `There is no profile of plugins "${name}" in ${PROFILES_FILE}`,
    remedy: names.length === 0 ? 'The view Plugins of the editor makes them.' : `There are: ${names.join(', ')}.`,
  });
}

/** The list with the one at `from` moved to `to`; as it is where either is outside. */
export function moved<T>(list: readonly T[], from: number, to: number): T[] {
  const copy = [...list];
  if (from < 0 || from >= list.length || to < 0 || to >= list.length) return copy;
  copy.splice(to, 0, ...copy.splice(from, 1));
  return copy;
}

/** A name that none of `taken` has. */
export function freeName(wanted: string, taken: readonly string[]): string {
  if (!taken.includes(wanted)) return wanted;
  for (let number = 2; ; number++) if (!taken.includes(`${wanted} ${number}`)) return `${wanted} ${number}`;
}
