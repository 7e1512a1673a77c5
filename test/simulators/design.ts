/**
 * The small design of sources/signals.v, built for Icarus and by Verilator, under Cairn.
 */
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { DesignSignal, SignalsResult, SignalWritesResult } from '../../debug-adapter/src/protocol/signals.js';
import { waitFor } from '../support/processes.js';
import type { Program } from '../support/program.js';
import { Scratch } from '../support/scratch.js';
import { inTree } from '../support/tree.js';
import { runToEnd } from './soc.js';

export const folder = inTree('build/test/signals');
const source = inTree('test/simulators/sources/signals.v');

export async function make(...command: string[]): Promise<void> {
  const { status, stdout, stderr } = await runToEnd(command, folder);
  assert.equal(status, 0, `${command.join(' ')}\n${stdout}${stderr}`);
}

export const verilate = (name: string, ...options: string[]): Promise<void> =>
  make('verilator', '--binary', '-Wno-fatal', '--Mdir', name, '--prefix', 'Vdesign', ...options, source);

/** The two that every test of signals needs. */
export async function buildDesign(): Promise<void> {
  mkdirSync(folder, { recursive: true });
  await make('iverilog', '-g2005', '-o', 'signals.vvp', source);
  await verilate('plain', '--vpi', '--public-flat-rw');
}

export const simulators = {
  Icarus: { command: ['vvp', join(folder, 'signals.vvp')], scope: 'signals' },
  Verilator: { command: [join(folder, 'plain/Vdesign')], scope: 'TOP.signals' },
  'Verilator with -rdynamic': { command: [join(folder, 'exporting/Vdesign')], scope: 'TOP.signals' },
};

export class Design {
  constructor(
    readonly scratch: Scratch,
    readonly program: Program,
    readonly scope: string,
    readonly session: string,
  ) {}

  static async start(
    scratch: Scratch,
    { command, scope }: { command: string[]; scope: string },
    session = 'design',
  ): Promise<Design> {
    const program = scratch.cairnProgram(['run', '--detach', '--session', session, '--', ...command]);
    assert.equal(await program.exit(60), 0, program.transcript());
    return new Design(scratch, program, scope, session);
  }

  async list(pattern: string, ...options: string[]): Promise<SignalsResult> {
    const args = ['signals', pattern, '--session', this.session, '--json', ...options];
    const { status, stdout, stderr } = await this.scratch.cairn(args);
    assert.equal(status, 0, stderr);
    return JSON.parse(stdout) as SignalsResult;
  }

  async read(name: string): Promise<DesignSignal> {
    const { signals } = await this.list(`${this.scope}.${name}`);
    const found = signals.find((one) => one.name === `${this.scope}.${name}`);
    assert.ok(found, `${name} is not among ${signals.map((one) => one.name).join(', ')}`);
    return found;
  }

  async write(action: string, ...texts: string[]): Promise<SignalWritesResult & { status: number }> {
    const args = ['signals', action, ...texts.map((text) => `${this.scope}.${text}`), '--session', this.session, '--json'];
    const { status, stdout, stderr } = await this.scratch.cairn(args);
    assert.notEqual(stdout, '', stderr);
    return { ...(JSON.parse(stdout) as SignalWritesResult), status };
  }

  async set(text: string): Promise<string | null> {
    const { written, status } = await this.write('set', text);
    assert.deepEqual([written[0]?.outcome, status], ['effective', 0], `${text}: ${written[0]?.why}`);
    return written[0]?.after ?? null;
  }
}

/** Its session is there, and it runs. */
export function running({ scratch, session, program }: Design): Promise<true> {
  return waitFor(
    `session ${session}`,
    async () => {
      assert.equal(program.status, undefined, program.transcript());
      const { status, stdout } = await scratch.cairn(['status', '--session', session, '--json']);
      return status === 0 && (JSON.parse(stdout) as { state: string }).state === 'running';
    },
    60,
  );
}

export const number = ({ value }: Pick<DesignSignal, 'value'>): number => Number.parseInt(value?.replace(/^.*'h/, '') ?? '', 16);

export async function within(work: (scratch: Scratch) => Promise<void>): Promise<void> {
  const scratch = new Scratch();
  try {
    await work(scratch);
  } finally {
    for (const session of ['design', 'again']) await scratch.cairn(['stop', '--session', session]);
    await scratch.close();
  }
}
