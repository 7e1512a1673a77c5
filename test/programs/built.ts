/** Programs of our own from test/programs/sources, built into build/test/programs when a source is newer. */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { inTree } from '../support/tree.js';

const run = promisify(execFile);

export const source = (name: string): string => inTree('test/programs/sources', name);
export const built = (name: string): string => inTree('build/test/programs', name);

/** Builds a program by one call of a compiler; `words` has the sources and libraries. */
export async function build(name: string, sources: readonly string[], compiler: string, ...words: string[]): Promise<void> {
  const program = built(name);
  const inputs = sources.map(source);
  const newest = Math.max(...inputs.map((file) => statSync(file).mtimeMs));
  if (existsSync(program) && statSync(program).mtimeMs > newest) return;
  mkdirSync(dirname(program), { recursive: true });
  const partial = join(dirname(program), `.${name}.${process.pid}`);
  await run(compiler, ['-O1', '-g', '-o', partial, ...inputs, ...words]);
  renameSync(partial, program);
}
