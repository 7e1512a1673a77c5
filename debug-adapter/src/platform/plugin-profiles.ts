/**
 * The profiles of plugins of the workspace that a folder is in, for the command line and for clients of the debug adapter.
 * Tests: test/unit/plugin-profiles.test.ts, test/dap/launch.test.ts.
 */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { failure, reason } from '../protocol/errors.js';
import { PROFILES_FILE, parseProfiles, pluginsOfProfile } from '../protocol/plugin-profiles.js';

/** What a profile loads, of the nearest folder at or above `cwd` that has profiles. `asked`: by what it was, for messages. */
export function profilePlugins(name: string, cwd: string, asked: string): { library: string; settings: string }[] {
  for (let root = cwd; ; root = dirname(root)) {
    const file = join(root, PROFILES_FILE);
    if (existsSync(file)) {
      const plugins = pluginsOfProfile(parseProfiles(read(file)), name, root);
      return plugins.map(({ library, settings }) => ({ library: existing(library), settings: JSON.stringify(settings ?? {}) }));
    }
    if (root === dirname(root))
      throw failure('usage', {
        what: `${asked}: there is no ${PROFILES_FILE} in ${cwd} or above`,
        remedy: 'The view Plugins of the editor makes it; plugins can be named one by one, too.',
      });
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
