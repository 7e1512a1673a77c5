/**
 * Finding the program to run, as execvp(3) does, before anything is started: a wrong name is an error of who asked for it, not
 * of a launcher that has already left it.
 */
import { accessSync, constants, statSync } from 'node:fs';
import { isAbsolute, resolve } from 'node:path';
import { failure } from '../protocol/errors.js';

function problem(path: string): string | undefined {
  try {
    if (statSync(path).isDirectory()) return 'it is a folder';
    accessSync(path, constants.X_OK);
    return undefined;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : '';
    if (code === 'ENOENT' || code === 'ENOTDIR') return 'there is no such file';
    return code === 'EACCES' ? 'it is not executable' : String(code);
  }
}

/** Throws `programNotFound`. The name itself is left as it was given: a program may look at it. */
export function checkProgram(name: string, env: Readonly<Record<string, string | undefined>>, cwd: string): void {
  if (name.includes('/')) {
    const why = problem(isAbsolute(name) ? name : resolve(cwd, name));
    if (why !== undefined) throw failure('programNotFound', { program: name, why });
    return;
  }
  const folders = (env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin').split(':');
  const found = folders.map((folder) => problem(resolve(cwd, folder, name)));
  if (name !== '' && found.includes(undefined)) return;
  throw failure('programNotFound', {
    program: name,
    why: found.includes('it is not executable') ? 'it is not executable' : 'it is not in any folder of PATH',
  });
}
