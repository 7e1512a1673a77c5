/**
 * What a call of a library's function costs through the wrappers of one, two and five plugins from outside, and where a plugin is loaded
 * that wraps another function: test/bench/wraps.c in five sessions, in turns. The function itself does nothing, so that the ratios are the
 * largest that there can be.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { compile } from '../probes/catalogue.js';
import type { Program } from '../support/program.js';
import { Scratch } from '../support/scratch.js';
import { inTree } from '../support/tree.js';
import type { Row } from './row.js';

const folder = inTree('build/test/bench/wraps');
const source = inTree('test/bench/wraps.c');

/** `layers` of plugins that wrap the function; `other`: one that wraps another one. */
const lives: readonly { what: string; layers: number; other: boolean; aim: number | null }[] = [
  { what: '', layers: 0, other: false, aim: null },
  { what: 'a plugin is loaded that wraps another function', layers: 0, other: true, aim: 1.02 },
  { what: 'through one layer', layers: 1, other: false, aim: null },
  { what: 'through two layers', layers: 2, other: false, aim: null },
  { what: 'through five layers', layers: 5, other: false, aim: null },
];

async function plugin(name: string, wrapped: string): Promise<string> {
  const library = join(folder, `${name}.so`);
  const flags = ['-O2', '-shared', '-fPIC', '-fvisibility=hidden', '-DLAYER', `-DNAME="${name}"`, `-DFUNCTION="${wrapped}"`];
  await compile(source, library, flags);
  return library;
}

async function measure(program: Program, pid: number): Promise<number> {
  const from = program.lines.length;
  process.kill(pid, 'SIGUSR1');
  return Number((await program.line(/^value /, 60, from)).split(' ')[1]);
}

export async function measureWraps(rounds: number): Promise<Row[]> {
  mkdirSync(folder, { recursive: true });
  await compile(source, join(folder, 'libbench.so'), ['-O2', '-shared', '-fPIC', '-DLIBRARY', '-Wl,-soname,libbench.so']);
  const helper = join(folder, 'calls');
  await compile(source, helper, ['-O2', join(folder, 'libbench.so'), '-Wl,-rpath,$ORIGIN']);
  const scratch = new Scratch();
  try {
    const running: { program: Program; pid: number; session: string; best: number }[] = [];
    for (const [index, { layers, other }] of lives.entries()) {
      const names = other ? ['other'] : Array.from({ length: layers }, (_, layer) => `layer${layer}`);
      const libraries = await Promise.all(names.map((name) => plugin(name, other ? 'other_value' : 'bench_value')));
      const session = `wraps-${index}`;
      const plugins = libraries.flatMap((library) => ['--plugin', library]);
      const program = scratch.cairnProgram(['run', '--session', session, ...plugins, '--', helper]);
      await program.line(/^ready$/);
      running.push({ program, pid: await scratch.application(program), session, best: Number.POSITIVE_INFINITY });
    }
    for (let round = 0; round < rounds; round++)
      for (const one of running) one.best = Math.min(one.best, await measure(one.program, one.pid));
    for (const { session } of running) await scratch.json(['stop', '--session', session]);
    const base = running[0]?.best ?? Number.NaN;
    return lives.flatMap(({ what, aim }, index) => {
      const time = running[index]?.best ?? Number.NaN;
      const question = `A call of a library's function that does nothing: ${what}`;
      return what === ''
        ? []
        : [
            {
              question,
              measured: `${time.toFixed(2)} ns`,
              compared: `without plugins: ${base.toFixed(2)} ns`,
              ratio: time / base,
              aim,
            },
          ];
    });
  } finally {
    await scratch.close();
  }
}
