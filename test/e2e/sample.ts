/**
 * The sample folder in end-to-end tests: built beforehand, and what an uninterrupted run of it prints and writes.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Locator } from 'playwright-core';
import { inTree } from '../../scripts/lib/tree.mjs';
import { until } from './harness/until.js';
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
  args: ['+init=200', '+work=30'],
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
    return { console: stdout, signature, waveform: readWaveform(join(folder, simulator.waveform)) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Gives the launch configuration the simulator's `args`. */
export function shorten(folder: string, simulator: Simulator): void {
  const file = join(folder, '.vscode/launch.json');
  const launch = JSON.parse(readFileSync(file, 'utf8')) as { configurations: { name: string; args: string[] }[] };
  const configuration = launch.configurations.find(({ name }) => name === simulator.configuration);
  if (!configuration) throw new Error(`${file} has no configuration ${simulator.configuration}`);
  configuration.args.push(...simulator.args);
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

/** Rows of the snapshot tree that are snapshots. */
export function snapshotRows(window: Window): Locator {
  return window.tree(/^Snapshots/).getByRole('treeitem', { name: /\bheld [\d.]+ m?s/ });
}

/** Does what makes a snapshot; returns the milliseconds until its row is there. */
export async function snapshotAppears(window: Window, act: () => Promise<void>): Promise<number> {
  const before = await snapshotRows(window).count();
  const start = performance.now();
  await act();
  await until('a snapshot is in the tree', async () => (await snapshotRows(window).count()) > before);
  return performance.now() - start;
}

/** Waits until the active terminal is that of a run that has not ended, not that of the run before. */
export async function newTerminal(window: Window): Promise<void> {
  await until('the terminal of the restarted run is shown', async () => {
    const text = await window.terminalText();
    return text !== '' && !text.includes('ended with status');
  });
}
