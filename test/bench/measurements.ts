/**
 * The measurements themselves, one function each. All are ratios of two times of the same run on the same machine, so that a
 * busy or slow machine shows in both.
 */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { compile } from '../probes/catalogue.js';
import { build as buildSimulations, icarus, type Simulation, verilator } from '../simulators/simulation.js';
import type { Program } from '../support/program.js';
import { Scratch } from '../support/scratch.js';
import { inTree } from '../support/tree.js';
import { median, type Row } from './row.js';

const run = promisify(execFile);
const helper = inTree('build/test/bench/measure');

export async function prepare(): Promise<void> {
  await compile(inTree('test/bench/measure.c'), helper, ['-O2']);
  await buildSimulations();
}

const ms = (milliseconds: number): string => `${milliseconds < 10 ? milliseconds.toFixed(2) : milliseconds.toFixed(0)} ms`;

const size = (megabytes: number): string => (megabytes >= 1024 ? `${megabytes / 1024} GB` : `${megabytes} MB`);

/** What the helper says after `word`, in milliseconds. */
async function helperTime(word: string, ...args: string[]): Promise<number> {
  const { stdout } = await run(helper, [word, ...args]);
  const nanoseconds = new RegExp(`^${word} (\\d+)$`, 'm').exec(stdout)?.[1];
  if (nanoseconds === undefined) throw new Error(`measure ${word} said: ${stdout}`);
  return Number(nanoseconds) / 1e6;
}

/** The largest time in which the program's busy thread did not run, since it was last asked. */
async function gap(scratch: Scratch, program: Program): Promise<number> {
  const from = program.lines.length;
  process.kill(await scratch.application(program), 'SIGUSR1');
  const line = await program.line(/^gap /, 30, from);
  return Number(line.split(' ')[1]) / 1e6;
}

async function beating(scratch: Scratch, megabytes: number): Promise<Program> {
  const program = scratch.cairnProgram(['run', '--session', 'bench', '--', helper, 'hold', String(megabytes)]);
  await program.line(/^beat$/, 120);
  return program;
}

export type SizeResult = { megabytes: number; rows: Row[]; restartMs: number };

/** Hold time, time of a whole checkpoint and of a restart with so much touched random memory. */
export async function measureSize(megabytes: number, rounds: number): Promise<SizeResult> {
  const scratch = new Scratch();
  try {
    const forkMs = await helperTime('fork', String(megabytes));
    const program = await beating(scratch, megabytes);
    const held: number[] = [];
    const seen: number[] = [];
    const whole: number[] = [];
    let bytes = 0;
    let snapshot = '';
    for (let round = 0; round < rounds; round++) {
      await sleep(300);
      await gap(scratch, program);
      const made = await scratch.checkpoint('bench');
      seen.push(await gap(scratch, program));
      held.push(made.pauseMs);
      whole.push(made.totalMs);
      bytes = made.bytes;
      if (snapshot !== '') await scratch.json(['rm', snapshot]);
      snapshot = made.snapshot;
    }
    await scratch.json(['stop', '--session', 'bench']);
    await program.exit();
    const writeMs = await helperTime('write', String(bytes), join(scratch.store, 'same-bytes'));
    const restarts: number[] = [];
    for (let round = 0; round < rounds; round++) restarts.push(await timeRestart(scratch, snapshot, `again${round}`));
    const holdMs = median(held);
    return {
      megabytes,
      restartMs: median(restarts),
      rows: [
        {
          question: `Hold time of a checkpoint, ${size(megabytes)} of touched memory, beyond 3 ms`,
          measured: `${ms(holdMs)} (the program saw ${ms(median(seen))})`,
          compared: `fork() of an equal process: ${ms(forkMs)}`,
          ratio: Math.max(0, holdMs - 3) / forkMs,
          aim: 1.3,
        },
        {
          question: `Whole checkpoint, ${size(megabytes)}, on disk`,
          measured: ms(median(whole)),
          compared: `write() and fdatasync() of the same ${(bytes / 2 ** 20).toFixed(0)} MB: ${ms(writeMs)}`,
          ratio: median(whole) / writeMs,
          aim: 1.2,
        },
      ],
    };
  } finally {
    await scratch.close();
  }
}

/** From the command's start to the first thing that the application does. */
async function timeRestart(scratch: Scratch, snapshot: string, session: string): Promise<number> {
  const start = performance.now();
  const program = scratch.cairnProgram(['restart', snapshot, '--session', session]);
  await program.line(/^beat$/, 120);
  const elapsed = performance.now() - start;
  await scratch.json(['stop', '--session', session]);
  await program.exit();
  return elapsed;
}

export function restartRow(small: SizeResult, large: SizeResult): Row {
  return {
    question: `Restart to the application's first instruction, ${size(large.megabytes)}`,
    measured: ms(large.restartMs),
    compared: `the same with ${size(small.megabytes)}: ${ms(small.restartMs)}`,
    ratio: large.restartMs / small.restartMs,
    aim: 1.5,
  };
}

/** From the simulation's first line to its last: what it costs to run under Cairn, not to start. */
async function simulationTime(scratch: Scratch, simulation: Simulation, cairn: boolean, round: number): Promise<number> {
  const cwd = scratch.makeFolder(join(scratch.work, `${cairn ? 'cairn' : 'plain'}${round}`));
  const options = { cwd, env: simulation.env };
  const program = cairn
    ? scratch.cairnProgram(['run', '--session', `sim${round}`, '--', ...simulation.command], options)
    : scratch.start(simulation.command, options);
  await program.line(/^init /, 60);
  const start = performance.now();
  await program.line(/^signature: /, 300);
  const elapsed = performance.now() - start;
  await program.exit(60);
  return elapsed;
}

export async function measureSimulation(simulation: Simulation, rounds: number): Promise<Row> {
  const scratch = new Scratch();
  try {
    const plain: number[] = [];
    const under: number[] = [];
    // In turns, so that what else the machine does falls on both; the best of each is the least disturbed.
    for (let round = 0; round < rounds; round++) {
      plain.push(await simulationTime(scratch, simulation, false, round));
      under.push(await simulationTime(scratch, simulation, true, round));
    }
    return {
      question: `Run time under Cairn: ${simulation.name}`,
      measured: ms(Math.min(...under)),
      compared: `without: ${ms(Math.min(...plain))}`,
      ratio: Math.min(...under) / Math.min(...plain),
      aim: 1.01,
    };
  } finally {
    await scratch.close();
  }
}

export const simulations: readonly Simulation[] = [
  { ...icarus, command: [...icarus.command.slice(0, 2), '+init=8', '+work=4'] },
  { ...verilator, command: [...verilator.command.slice(0, 1), '+init=100', '+work=30'] },
];
