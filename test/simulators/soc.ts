/**
 * The RISC-V SoC of examples/, built in a folder of the test's own: its two simulations as commands, what they have to print,
 * and how to compare what they write. Nothing here knows Cairn.
 */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inTree } from '../support/tree.js';

export type SimulatorName = 'Icarus' | 'Verilator';
export type Result = { status: number; stdout: string; stderr: string };

const folder = inTree('examples/riscv-soc');

/** Runs a command to its end; a busy machine gets three minutes. */
export function runToEnd(command: readonly string[], cwd: string): Promise<Result> {
  const [file, ...args] = command;
  if (file === undefined) throw new Error('no command');
  return new Promise((done, fail) => {
    const child = execFile(file, args, { cwd, timeout: 180_000, maxBuffer: 1 << 26 }, (error, stdout, stderr) => {
      if (error && typeof error.code !== 'number') fail(new Error(`${command.join(' ')}: ${error.message}\n${stdout}${stderr}`));
      else done({ status: child.exitCode ?? -1, stdout, stderr });
    });
  });
}

export class Soc {
  /** `build`: an absolute path; made by `make`. */
  constructor(readonly build: string) {}

  make(...args: string[]): Promise<Result> {
    return runToEnd(['make', '-C', folder, `BUILD=${this.build}`, ...args], folder);
  }

  /** The simulation without its plusargs. */
  command(simulator: SimulatorName): string[] {
    return simulator === 'Icarus' ? ['vvp', join(this.build, 'soc.vvp')] : [join(this.build, 'verilator/soc')];
  }

  /** The signature line that a run with these plusargs has to print, by the reference model. */
  async signature(simulator: SimulatorName, plusargs: readonly string[]): Promise<string> {
    const { status, stdout } = await runToEnd(
      [join(this.build, `reference-${simulator.toLowerCase()}`), ...plusargs],
      this.build,
    );
    if (status !== 0) throw new Error(`the reference model ended with status ${status}`);
    return stdout.trimEnd();
  }
}

/** What the SoC itself printed, a line each: not what Icarus says of the waveform. */
export const consoleLines = (stdout: string): string[] =>
  stdout
    .trimEnd()
    .split('\n')
    .filter((line) => !line.startsWith('VCD info:'));

/** A waveform's bytes without the date in the header, the only thing in which two equal runs may differ. */
export function waveform(file: string): Buffer {
  const bytes = readFileSync(file);
  const header = /^\$date\n[^$]*\$end\n/.exec(bytes.subarray(0, 256).toString('latin1'))?.[0] ?? '';
  return bytes.subarray(header.length);
}
