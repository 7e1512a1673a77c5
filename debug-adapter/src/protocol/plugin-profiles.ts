/**
 * Profiles of plugins: named lists of plugins with their settings, kept in a workspace, named by a launch configuration. Pure.
 * Test: test/unit/plugin-profiles.test.ts.
 */
import * as z from 'zod';

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
