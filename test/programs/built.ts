/** Programs of our own from test/programs/sources, built into build/test/programs when one of these is newer. */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { inTree } from '../support/tree.js';

const run = promisify(execFile);

export const source = (name: string): string => inTree('test/programs/sources', name);
export const built = (name: string): string => inTree('build/test/programs', name);

/** Builds a program by one call of a compiler; `words` has options and libraries. */
export async function build(name: string, sources: readonly string[], compiler: string, ...words: string[]): Promise<void> {
  const program = built(name);
  const inputs = sources.map(source);
  // Any of them may be a header of it.
  const newest = Math.max(...readdirSync(source('')).map((file) => statSync(source(file)).mtimeMs));
  if (existsSync(program) && statSync(program).mtimeMs > newest) return;
  mkdirSync(dirname(program), { recursive: true });
  const partial = join(dirname(program), `.${name}.${process.pid}`);
  await run(compiler, ['-O1', '-g', '-o', partial, ...inputs, ...words]);
  renameSync(partial, program);
}

const verilated = new Map<string, Promise<unknown>>();

/** Verilates a design, with its main(), into a program of that name; `words` has options. Gives the program. */
export async function verilate(name: string, sources: readonly string[], ...words: string[]): Promise<string> {
  const folder = built(`${name}.verilated`);
  mkdirSync(dirname(folder), { recursive: true });
  const flags = ['--cc', '--exe', '--build', '-Wno-fatal', '-CFLAGS', `-I${dirname(source(name))}`];
  // What is up to date is not built again; but once is enough to find that out.
  const making =
    verilated.get(name) ?? run('verilator', [...flags, '-Mdir', folder, '-o', name, ...words, ...sources.map(source)]);
  verilated.set(name, making);
  await making;
  return join(folder, name);
}
