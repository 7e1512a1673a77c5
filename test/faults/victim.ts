/**
 * A stand-in for a simulation, with what it has to print and write when nobody disturbs it, and the checks that every test of
 * faults ends with: it came to its right end, and no partial snapshot is there.
 */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tool } from '../probes/tools.js';
import { childrenOf, waitFor } from '../support/processes.js';
import type { Program } from '../support/program.js';
import { Scratch } from '../support/scratch.js';

export type Size = { lines: number; microseconds: number; megabytes: number };
/** Its image is so large that a write to disk can be met in the middle. */
export const large: Size = { lines: 500, microseconds: 4000, megabytes: 192 };
export const small: Size = { lines: 400, microseconds: 3000, megabytes: 1 };

const MAY_END = 'may-end';

export class Victim {
  private constructor(
    readonly scratch: Scratch,
    readonly session: string,
    readonly program: Program,
    readonly expected: string,
  ) {}

  /** Started, and already counting. */
  static async start(scratch: Scratch, session: string, size: Size, prefix: readonly string[] = []): Promise<Victim> {
    const counter = await tool('counter');
    const until = join(scratch.folder, MAY_END);
    const args = (file: string, microseconds: number): string[] => [
      counter,
      String(size.lines),
      file,
      String(microseconds),
      String(size.megabytes),
      until,
    ];
    writeFileSync(until, '');
    const reference = scratch.start(args(join(scratch.folder, 'expected'), 0));
    assert.equal(await reference.exit(60), 0, reference.transcript());
    rmSync(until);
    const cwd = scratch.makeFolder(join(scratch.work, session));
    const run = ['run', '--session', session, '--', ...args('out', size.microseconds)];
    const program = prefix.length > 0 ? scratch.start([...prefix, ...run], { cwd }) : scratch.cairnProgram(run, { cwd });
    await program.line(/^5 /);
    return new Victim(scratch, session, program, reference.stdout);
  }

  pid(): Promise<number> {
    return this.scratch.application(this.program);
  }

  /** A process that Cairn has made beside the application: the one that holds its threads, or the one that writes. */
  async helper(seconds = 10, except: readonly number[] = []): Promise<number> {
    const pid = await this.pid();
    return waitFor('a helper process', () => childrenOf(pid).find((child) => !except.includes(child)), seconds);
  }

  coordinator(): number {
    const record = JSON.parse(readFileSync(join(this.scratch.runtime, 'cairn', this.session, 'session.json'), 'utf8')) as {
      coordinator: number;
    };
    return record.coordinator;
  }

  socket(name: 'agent' | 'control'): string {
    return join(this.scratch.runtime, 'cairn', this.session, `${name}.sock`);
  }

  /** Until then it waits before its last line, however long a test takes. */
  mayEnd(): void {
    writeFileSync(join(this.scratch.folder, MAY_END), '');
  }

  /** It prints and writes what it would have, and ends as it would have. */
  async comesToItsEnd(): Promise<void> {
    this.mayEnd();
    assert.equal(await this.program.exit(60), 0, `${this.program.transcript()}\n${this.scratch.logs()}`);
    assert.equal(this.program.stdout, this.expected, 'what it printed');
    assert.equal(readFileSync(join(this.scratch.work, this.session, 'out'), 'utf8'), this.expected, 'what it wrote');
  }

  /** Every snapshot that is listed can be restarted to the right end; returns how many there are. */
  async snapshotsAreWhole(): Promise<number> {
    const listed = await this.scratch.json<{ id: string; problem: string }[]>(['ls']);
    if (listed.length > 0) this.mayEnd();
    for (const [index, { id, problem }] of listed.entries()) {
      assert.equal(problem, '', `snapshot ${id} is listed and damaged`);
      const restarted = this.scratch.cairnProgram(['restart', id, '--session', `${this.session}-r${index}`]);
      assert.equal(await restarted.exit(60), 0, restarted.transcript());
      assert.ok(this.expected.endsWith(restarted.stdout) && restarted.stdout.includes('signature'), restarted.transcript());
    }
    return listed.length;
  }

  /** Nothing of an interrupted checkpoint is left in the store (a coordinator's next checkpoint at the latest takes it away). */
  async storeIsClean(): Promise<void> {
    const partial = join(this.scratch.store, 'tmp');
    const left = existsSync(partial) ? readdirSync(partial) : [];
    assert.deepEqual(left, [], 'parts of a snapshot are left behind');
  }

  /** As ever: a checkpoint of the session works. */
  async canBeCheckpointed(): Promise<void> {
    const { snapshot } = await this.scratch.checkpoint(this.session);
    assert.match(snapshot, /^[0-9a-f]{12}$/);
  }
}

export async function withVictim(session: string, size: Size, work: (victim: Victim) => Promise<void>): Promise<void> {
  const scratch = new Scratch();
  try {
    await work(await Victim.start(scratch, session, size));
  } finally {
    await scratch.close();
  }
}
