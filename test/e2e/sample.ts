/**
 * The sample folder in end-to-end tests: built beforehand, and what an uninterrupted run of it prints and writes.
 */
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { inTree } from '../../scripts/lib/tree.mjs';
import type { Window } from './harness/window.js';

const execute = promisify(execFile);

export const sampleFolder = inTree('examples/riscv-soc');

export interface Simulator {
  /** Name of the launch configuration. */
  configuration: string;
  target: string;
  command: [string, ...string[]];
  /** Besides those of the launch configuration. */
  args: string[];
  waveform: string;
}

export const icarus: Simulator = {
  configuration: 'RISC-V SoC (Icarus)',
  target: 'icarus',
  command: ['vvp', join(sampleFolder, 'build/soc.vvp')],
  args: [],
  waveform: 'icarus.vcd',
};

export const verilator: Simulator = {
  configuration: 'RISC-V SoC (Verilator)',
  target: 'verilator',
  command: [join(sampleFolder, 'build/verilator/soc')],
  // Its threads spin: a long run crawls on a loaded machine.
  args: ['+init=110', '+work=12'],
  waveform: 'verilator.vcd',
};

export interface Uninterrupted {
  console: string;
  signature: string;
  waveform: Buffer;
}

/** Builds the sample and runs it once, without Cairn. */
export async function uninterrupted(simulator: Simulator): Promise<Uninterrupted> {
  await execute('make', ['-C', sampleFolder, simulator.target], { maxBuffer: 1 << 26 });
  const folder = mkdtempSync(join(tmpdir(), 'cairn-reference-'));
  try {
    const [program, ...args] = simulator.command;
    const { stdout } = await execute(program, [...args, `+vcd=${simulator.waveform}`, ...simulator.args], {
      cwd: folder,
      timeout: 240_000,
    });
    const signature = /^signature: \w+/m.exec(stdout)?.[0];
    if (!signature) throw new Error(`the uninterrupted run of ${simulator.configuration} printed no signature:\n${stdout}`);
    return { console: plainLines(stdout), signature, waveform: readWaveform(join(folder, simulator.waveform)) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Gives the launch configuration the simulator's `args`, and makes it the one that F5 means. */
export function shorten(folder: string, simulator: Simulator): void {
  const file = join(folder, '.vscode/launch.json');
  const launch = JSON.parse(readFileSync(file, 'utf8')) as { configurations: { name: string; args: string[] }[] };
  const configuration = launch.configurations.find(({ name }) => name === simulator.configuration);
  if (!configuration) throw new Error(`${file} has no configuration ${simulator.configuration}`);
  configuration.args.push(...simulator.args);
  launch.configurations.sort((a, b) => Number(b === configuration) - Number(a === configuration));
  writeFileSync(file, JSON.stringify(launch));
}

/** A waveform without the date that Icarus writes into it. */
export function readWaveform(file: string): Buffer {
  const bytes = readFileSync(file);
  const head = bytes.subarray(0, 4096).toString('latin1');
  const date = /\$date[^$]*\$end/.exec(head);
  if (!date) return bytes;
  return Buffer.concat([bytes.subarray(0, date.index), bytes.subarray(date.index + date[0].length)]);
}

/** The newest waveform that a restarted run wrote, in a run folder of its own. */
export function runWaveform(folder: string, simulator: Simulator): string {
  const runs = join(folder, '.cairn/runs');
  const newest = existsSync(runs) ? readdirSync(runs).sort().at(-1) : undefined;
  if (newest === undefined) throw new Error(`no run folder in ${runs}`);
  return join(runs, newest, simulator.waveform);
}

/** Waits until the simulation in the active terminal ended with status 0; returns all that it printed there. */
export async function printedToTheEnd(window: Window, deadlineMs: number): Promise<string> {
  const text = await window.terminalHas(/ended with status \d+/, deadlineMs);
  const note = /\S+ ended with status (\d+)/.exec(text);
  if (note?.[1] !== '0') throw new Error(`the simulation failed:\n${text}`);
  return plainLines(text.slice(0, note.index));
}

/** Lines as both a terminal and a pipe show them. */
export function plainLines(text: string): string {
  return text
    .replaceAll('\r', '')
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')
    .trim();
}
