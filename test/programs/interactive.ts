/** Programs in a terminal, under Cairn: what is typed, what shows, checkpoints that end the run, and restarts in a new terminal. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { waitFor } from '../support/processes.js';
import type { Program } from '../support/program.js';
import { Scratch } from '../support/scratch.js';
import { isThere } from './program-under-cairn.js';

export class Conversation {
  #program: Program | undefined;
  #count = 0;
  #seen = 0;
  readonly folder: string;

  constructor(readonly scratch: Scratch) {
    this.folder = join(scratch.work, 'run');
    mkdirSync(this.folder);
  }

  get program(): Program {
    assert.ok(this.#program !== undefined);
    return this.#program;
  }
  get session(): string {
    return `s${this.#count}`;
  }

  #begin(program: Program): void {
    this.#program = program;
    this.#seen = 0;
  }

  /** `pty: false`: with standard input from nowhere, and output into pipes. */
  start(command: readonly string[], env: Record<string, string> = {}, pty = true, ...options: string[]): void {
    this.#count++;
    const words = ['run', '--session', this.session, ...options, '--', ...command];
    this.#begin(this.scratch.cairnProgram(words, { cwd: this.folder, env, pty }));
  }

  type(text: string): void {
    this.program.type(text);
  }

  /** Waits for what shows after what was seen before; gives it. */
  async see(pattern: RegExp, seconds = 20): Promise<string> {
    const found = await waitFor(
      `${pattern} in the terminal`,
      () => pattern.exec(this.program.stdout.slice(this.#seen)) ?? undefined,
      seconds,
    ).catch((error: Error) => {
      throw new Error(`${error.message}; it shows ${JSON.stringify(this.program.stdout.slice(-2000))}\n${this.scratch.logs()}`);
    });
    this.#seen += found.index + found[0].length;
    return found[0];
  }

  /** A snapshot, the end of this run, and the same in a new terminal. */
  async restart(pty = true, ...args: string[]): Promise<void> {
    const name = `snapshot${this.#count}`;
    await this.scratch.checkpoint(this.session, '--name', name, '--then', 'kill');
    await this.program.exit();
    this.#count++;
    this.#begin(
      this.scratch.cairnProgram(['restart', name, '--session', this.session, ...args], { cwd: this.scratch.folder, pty }),
    );
    const session = this.session;
    await waitFor('the restart', async () => {
      assert.equal(this.program.status, undefined, `${this.program.transcript()}\n${this.scratch.logs()}`);
      const { stdout } = await this.scratch.cairn(['status', '--session', session, '--json']);
      return /"state":\s*"running"/.test(stdout);
    });
  }

  /** Where this run's files are. */
  get runFolder(): string {
    return this.runFolderOf(this.session);
  }

  runFolderOf(session: string): string {
    const runs = join(this.scratch.store, 'runs');
    const own = existsSync(runs) ? readdirSync(runs).find((name) => name.startsWith(`${session}-`)) : undefined;
    return own === undefined ? this.folder : join(runs, own);
  }

  /** Runs a command beside the computation; gives its output. */
  async beside(command: readonly string[]): Promise<string> {
    const [file = '', ...args] = command;
    return new Promise((resolve, reject) => {
      execFile(file, args, { env: this.scratch.env, cwd: this.scratch.folder, timeout: 20_000 }, (error, stdout, stderr) => {
        if (error) reject(new Error(`${command.join(' ')}: ${stderr || error.message}`));
        else resolve(stdout);
      });
    });
  }
}

export function interactiveTest(name: string, needs: readonly string[], steps: (talk: Conversation) => Promise<void>): void {
  test(name, { timeout: 180_000 }, async (context) => {
    const missing = needs.filter((one) => !isThere(one));
    if (missing.length > 0) {
      context.skip(`needs ${missing.join(', ')}`);
      return;
    }
    const scratch = new Scratch();
    try {
      await steps(new Conversation(scratch));
    } catch (error) {
      // What a failed test has left behind is not the failure.
      await scratch.clear();
      throw error;
    } finally {
      await scratch.close();
    }
  });
}
