/**
 * The emulator of native-agent/examples/emulator as tests see it: built in a folder of the tests' own; emulators that share a store, the
 * test bench under Cairn and without, and what an uninterrupted run of as many turns gives.
 */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Program } from '../support/program.js';
import type { Scratch } from '../support/scratch.js';
import { inTree } from '../support/tree.js';
import { runToEnd } from './soc.js';

const build = inTree('build/test/emulator');
const example = inTree('native-agent/examples/emulator');

export async function buildEmulator(): Promise<void> {
  const { status, stdout, stderr } = await runToEnd(['make', '-C', example, `BUILD=${build}`], example);
  assert.equal(status, 0, `${stdout}${stderr}`);
}

/** More than any test needs: the test bench ends when it is told to. */
const NEVER = '1000000000';

export type Settings = { emulator?: string; slot?: number; standby?: string[]; patience_ms?: number; keep_ms?: number };
export type Total = { checksum: string; transactions: number; turns: number };

export class Emulators {
  /** Of the states that emulators save. */
  readonly store: string;
  #files = 0;

  constructor(
    readonly scratch: Scratch,
    store = 'emulator-store',
  ) {
    this.store = join(scratch.folder, store);
    mkdirSync(this.store);
  }

  /** Starts one: its address, and the program. */
  async start(...options: string[]): Promise<{ address: string; program: Program }> {
    const program = this.scratch.start([join(build, 'emulator'), '--store', this.store, ...options]);
    const line = await program.line(/^listening on /);
    return { address: line.replace('listening on ', ''), program };
  }

  /** `--plugin …` with these settings. */
  plugin(settings: Settings): string[] {
    const file = join(this.scratch.folder, `emulator-${++this.#files}.json`);
    writeFileSync(file, JSON.stringify({ patience_ms: 8000, keep_ms: 300, ...settings }));
    return ['--plugin', `${join(build, 'emulator_plugin.so')}=${file}`];
  }

  /** Its test bench under Cairn, until `stop`. */
  async run(session: string, address: string, stop: string, settings: Settings = {}): Promise<Program> {
    const command = [join(build, 'testbench'), address, '0', NEVER, stop];
    const program = this.scratch.cairnProgram(['run', '--session', session, ...this.plugin(settings), '--', ...command]);
    await goesOn(program);
    return program;
  }

  restart(snapshot: string, session: string, settings: Settings): Program {
    return this.scratch.cairnProgram(['restart', snapshot, '--session', session, ...this.plugin(settings)]);
  }

  /** What as many turns give that nobody interrupts. */
  async uninterrupted(turns: number): Promise<Total> {
    const { address, program: emulator } = await this.start('--latency', '0');
    const program = this.scratch.start([join(build, 'testbench'), address, '0', String(turns)]);
    assert.equal(await program.exit(120), 0, program.transcript());
    emulator.end();
    await emulator.exit();
    return total(program);
  }

  /** Ends what runs by its file, and compares all with uninterrupted runs. */
  async endRight(programs: readonly Program[], stop: string): Promise<Total[]> {
    writeFileSync(stop, '');
    const totals: Total[] = [];
    for (const program of programs) {
      await program.line(/^(checksum:|FAIL)/, 30);
      assert.equal(await program.exit(), 0, program.transcript());
      const found = total(program);
      assert.deepEqual(found, await this.uninterrupted(found.turns), 'transactions were lost, doubled or answered otherwise');
      totals.push(found);
    }
    return totals;
  }
}

function total(program: Program): Total {
  const line = program.lines.find((one) => one.startsWith('checksum: ')) ?? '';
  const match = /^checksum: ([0-9a-f]{16}) over (\d+) transactions in (\d+) turns$/.exec(line);
  assert.ok(match, program.transcript());
  return { checksum: match[1] ?? '', transactions: Number(match[2]), turns: Number(match[3]) };
}

/** Further turns, counted from now. */
export async function goesOn(program: Program): Promise<void> {
  const line = await program.line(/(^|\r)(turn \d+|FAIL)/, 30, program.lines.length);
  assert.doesNotMatch(line, /FAIL/, program.transcript());
}
