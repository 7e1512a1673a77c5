/**
 * What it costs that a plugin could change the design's signals, but does not: how fast a simulation runs that was restarted with it, against the
 * same restart without. With a limit of simulated time as runs of campaigns have it, and without.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Soc } from '../simulators/soc.js';
import { Scratch } from '../support/scratch.js';
import { inTree } from '../support/tree.js';
import type { Row } from './row.js';

const soc = new Soc(inTree('build/test/soc'));
const simulations = [
  { name: 'Icarus', command: [...soc.command('Icarus'), '+novcd', '+init=4', '+work=8'] },
  {
    name: 'Verilator',
    command: [join(soc.build, 'faults/soc'), '+novcd', '+init=100', '+work=3000', '+maxcycles=1000000000'],
  },
];

/** None of them does anything by itself. */
const kinds = [
  { what: 'idle', settings: { faults: [] } },
  { what: 'waiting for a limit of simulated time', settings: { faults: [], limit: Number.MAX_SAFE_INTEGER } },
];

/** From the first line after the restart to the last. */
async function runMs(scratch: Scratch, options: readonly string[]): Promise<number> {
  const program = scratch.cairnProgram(['restart', 'begun', '--session', 'bench', ...options]);
  await program.line(/^init /, 120);
  const start = performance.now();
  await program.line(/^signature: /, 300);
  const elapsed = performance.now() - start;
  await program.exit(60);
  return elapsed;
}

async function measure({ name, command }: (typeof simulations)[number], rounds: number): Promise<Row[]> {
  const scratch = new Scratch();
  try {
    const program = scratch.cairnProgram(['run', '--session', 'bench', '--', ...command], { cwd: scratch.work });
    await program.line(/^init=/, 60);
    await scratch.checkpoint('bench', '--name', 'begun', '--then', 'kill');
    await program.exit();
    const options = kinds.map(({ settings }, index) => {
      const file = join(scratch.work, `settings${index}.json`);
      writeFileSync(file, JSON.stringify(settings));
      return ['--plugin', `fault-signals=${file}`];
    });
    const plain: number[] = [];
    const present: number[][] = kinds.map(() => []);
    // In turns, so that what else the machine does falls on all; the best of each is the least disturbed.
    for (let round = 0; round < rounds; round++) {
      plain.push(await runMs(scratch, []));
      for (const [index, given] of options.entries()) present[index]?.push(await runMs(scratch, given));
    }
    const without = Math.min(...plain);
    return kinds.map(({ what }, index) => {
      const best = Math.min(...(present[index] ?? []));
      return {
        question: `Run time with the plugin of faults on signals, ${what}: ${name}`,
        measured: `${best.toFixed(0)} ms`,
        compared: `without: ${without.toFixed(0)} ms`,
        ratio: best / without,
        aim: 1.01,
      };
    });
  } finally {
    await scratch.close();
  }
}

export async function measureIdle(rounds: number): Promise<Row[]> {
  const { status, stderr } = await soc.make('icarus', 'faults');
  if (status !== 0) throw new Error(stderr);
  const rows: Row[] = [];
  for (const simulation of simulations) rows.push(...(await measure(simulation, rounds)));
  return rows;
}
