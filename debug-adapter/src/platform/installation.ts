/**
 * Where Cairn's own files are: dist/ of the built tree or of the installed extension. The bundles are in dist/ itself; tests
 * that run from the sources find the tree's dist/, or name one with CAIRN_DIST.
 */
import { accessSync, constants, existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { failure } from '../protocol/errors.js';

let found: string | undefined;

export function distFolder(): string {
  found ??= process.env['CAIRN_DIST'] ?? search();
  return found;
}

function search(): string {
  const start = dirname(fileURLToPath(import.meta.url));
  for (let folder = start; ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'native', 'libcairn.so'))) return folder;
    if (existsSync(join(folder, 'dist', 'native')) || existsSync(join(folder, 'dist', 'coordinator.js')))
      return join(folder, 'dist');
    if (existsSync(join(folder, 'coordinator.js'))) return folder;
    if (folder === dirname(folder)) return start;
  }
}

export type NativeFile = 'libcairn.so' | 'cairn-launch' | 'cairn-restore';

/** The path of a native part that can be used; throws `notInstalled` else. */
export function nativeFile(name: NativeFile): string {
  const path = join(distFolder(), 'native', name);
  try {
    accessSync(path, name === 'libcairn.so' ? constants.R_OK : constants.X_OK);
  } catch (cause) {
    throw failure('notInstalled', { path }, cause);
  }
  return path;
}
