/**
 * The profiles of plugins of the workspace that a folder is in, for the command line and for clients of the debug adapter.
 * Tests: test/unit/plugin-profiles.test.ts, test/dap/launch.test.ts.
 */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { failure, reason } from '../protocol/errors.js';
import { PROFILES_FILE, parseProfiles, pluginsOfProfile } from '../protocol/plugin-profiles.js';

/**
 * What a profile loads, of the nearest folder with profiles at or above one of `places`, the first of which counts that has one. `asked`: by
 * what it was, for messages.
 */
export function profilePlugins(name: string, places: readonly string[], asked: string): { library: string; settings: string }[] {
  for (const place of places) {
    const root = rootOf(place);
    if (root === undefined) continue;
    const plugins = pluginsOfProfile(parseProfiles(read(join(root, PROFILES_FILE))), name, root);
    return plugins.map(({ library, settings }) => ({ library: existing(library), settings: JSON.stringify(settings ?? {}) }));
  }
  throw failure('usage', {
    what: `${asked}: there is no ${PROFILES_FILE} in ${places.join(' or ')}, or above`,
    remedy: 'The view Plugins of the editor makes it; plugins can be named one by one, too.',
  });
}

function rootOf(place: string): string | undefined {
  for (let root = place; ; root = dirname(root)) {
    if (existsSync(join(root, PROFILES_FILE))) return root;
    if (root === dirname(root)) return undefined;
  }
}

export function existing(library: string): string {
  if (existsSync(library)) return library;
  throw failure('fileNotReadable', { what: 'plugin', path: library, why: 'there is no such file' });
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw failure('fileNotReadable', { what: 'file of profiles', path, why: reason(error) }, error);
  }
}
