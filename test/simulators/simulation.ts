/**
 * The sample simulations as tests see them: how they are built and started, and what an uninterrupted run prints and writes.
 */
import { readFileSync } from 'node:fs';
import { Program } from '../support/program.js';
import type { Scratch } from '../support/scratch.js';
import { inTree } from '../support/tree.js';
import { Soc, waveform } from './soc.js';

const soc = new Soc(inTree('build/test/soc'));

export type Simulation = {
  name: string;
  command: string[];
  env: Record<string, string>;
  /** In the working folder. */
  waveform: string;
  /** Its content without what differs between two runs. */
  read(file: string): Buffer;
};

/** An FST's first block holds the date, as text of 119 bytes. */
function fstWithoutDate(file: string): Buffer {
  const content = readFileSync(file);
  if (content[0] !== 0) throw new Error(`${file} does not begin with the header of an FST`);
  return content.fill(0, 202, 321);
}

export const icarus: Simulation = {
  name: 'Icarus, VCD',
  command: [...soc.command('Icarus'), '+init=4', '+work=3'],
  env: {},
  waveform: 'soc.vcd',
  read: waveform,
};
export const icarusFst: Simulation = { ...icarus, name: 'Icarus, FST', env: { IVERILOG_DUMPER: 'fst' }, read: fstWithoutDate };
export const verilator: Simulation = {
  name: 'Verilator with two threads, VCD',
  command: [...soc.command('Verilator'), '+init=24', '+work=6'],
  env: {},
  waveform: 'soc.vcd',
  read: waveform,
};

export async function build(): Promise<void> {
  const { status, stderr } = await soc.make('icarus', 'verilator');
  if (status !== 0) throw new Error(stderr);
}

export type Reference = { console: string; waveform: Buffer; status: number; seconds: number };

/** What the simulation does when nobody disturbs it. */
export async function uninterrupted(simulation: Simulation, scratch: Scratch): Promise<Reference> {
  const cwd = scratch.makeFolder(`${scratch.folder}/reference`);
  const start = performance.now();
  const program = new Program(simulation.command, { cwd, env: { ...scratch.env, ...simulation.env } });
  const status = await program.exit(120);
  const seconds = (performance.now() - start) / 1000;
  if (!/^signature: /m.test(program.stdout)) throw new Error(`the simulation prints no signature\n${program.transcript()}`);
  return { console: program.stdout, waveform: simulation.read(`${cwd}/${simulation.waveform}`), status, seconds };
}
