/**
 * A folder of a test's own with a store, a runtime folder and a place to work, and the `cairn` command within it. `close` fails
 * when the test left a process behind, and always removes everything.
 */
import { execFile } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { applicationBelow, sweep, waitFor } from './processes.js';
import { Program } from './program.js';
import { cairnCommand } from './tree.js';

export type Checkpoint = { snapshot: string; path: string; bytes: number; pauseMs: number; totalMs: number };
export type CommandResult = { status: number; stdout: string; stderr: string };

export type StartOptions = { cwd?: string; env?: Record<string, string>; pty?: boolean; input?: boolean };

/** Somebody without privileges, to run the product as. */
export type User = { name: string; uid: number; gid: number };

export class Scratch {
  readonly folder: string;
  readonly runtime: string;
  readonly store: string;
  readonly work: string;
  readonly #programs: Program[] = [];

  constructor(readonly user?: User) {
    // Short: a socket's path has at most 107 bytes.
    this.folder = mkdtempSync(join(tmpdir(), 'cairn-x-'));
    this.runtime = join(this.folder, 'r');
    this.store = join(this.folder, 's');
    this.work = join(this.folder, 'w');
    chmodSync(this.folder, 0o755);
    if (user) chownSync(this.folder, user.uid, user.gid);
    for (const folder of [this.runtime, this.store, this.work]) this.makeFolder(folder);
    chmodSync(this.runtime, 0o700);
  }

  makeFolder(folder: string): string {
    mkdirSync(folder, { recursive: true });
    if (this.user) chownSync(folder, this.user.uid, this.user.gid);
    return folder;
  }

  get env(): Record<string, string> {
    return {
      PATH: process.env['PATH'] ?? '/usr/bin:/bin',
      LANG: 'C.UTF-8',
      HOME: this.folder,
      TERM: 'xterm-256color',
      CAIRN_RUNTIME_DIR: this.runtime,
      CAIRN_STORE: this.store,
      ...(process.env['CAIRN_NODE'] ? { CAIRN_NODE: process.env['CAIRN_NODE'] } : {}),
    };
  }

  #command(command: readonly string[]): string[] {
    return this.user ? ['runuser', '-u', this.user.name, '--', ...command] : [...command];
  }

  /** Starts any program in the scratch folder; with `user`, as that user. */
  start(command: readonly string[], options: StartOptions = {}): Program {
    const program = new Program(this.#command(command), {
      ...options,
      cwd: options.cwd ?? this.work,
      env: { ...this.env, ...options.env },
    });
    this.#programs.push(program);
    return program;
  }

  /** `cairn …` in the foreground. */
  cairnProgram(args: readonly string[], options: StartOptions = {}): Program {
    return this.start([cairnCommand, ...args], options);
  }

  /** `cairn …` to its end, whatever its status. */
  async cairn(
    args: readonly string[],
    options: { cwd?: string; env?: Record<string, string>; seconds?: number } = {},
  ): Promise<CommandResult> {
    const [file, ...rest] = this.#command([cairnCommand, ...args]);
    return new Promise((resolve) => {
      execFile(
        file ?? '',
        rest,
        {
          cwd: options.cwd ?? this.work,
          env: { ...this.env, ...options.env },
          timeout: (options.seconds ?? 60) * 1000,
          maxBuffer: 64 << 20,
          encoding: 'utf8',
        },
        (error, stdout, stderr) => {
          const status = error === null ? 0 : typeof error.code === 'number' ? error.code : 255;
          resolve({ status, stdout, stderr: error?.killed ? `${stderr}\n(ended by the test after its deadline)` : stderr });
        },
      );
    });
  }

  /** Runs `cairn … --json`, which must succeed, and returns what it printed. */
  async json<T>(args: readonly string[], options: { env?: Record<string, string>; seconds?: number } = {}): Promise<T> {
    const { status, stdout, stderr } = await this.cairn([...args, '--json'], options);
    if (status !== 0) throw new Error(`cairn ${args.join(' ')} gave ${status}: ${stderr.trim()}\n${this.logs()}`);
    return JSON.parse(stdout) as T;
  }

  checkpoint(session: string, ...args: string[]): Promise<Checkpoint> {
    return this.json<Checkpoint>(['checkpoint', '--session', session, ...args]);
  }

  /** The process of the application itself, below a `cairn run` or `cairn restart`. */
  async application(program: Program): Promise<number> {
    return waitFor(`the application below ${program.command.join(' ')}`, () => applicationBelow(program.pid), 10);
  }

  /** The folder that `cairn restart` has said to write to. */
  runFolder(restarted: Program): string {
    const folder = /(\/\S*\/runs\/[^\s,;:)]+)/.exec(restarted.stderr)?.[1]?.replace(/\.$/, '');
    if (folder === undefined) throw new Error(`cairn restart does not say where outputs go\n${restarted.transcript()}`);
    return folder;
  }

  /** A file that a restarted run wrote: the only one of that name below its run folder. */
  runFile(restarted: Program, name: string): string {
    const folder = this.runFolder(restarted);
    const found = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) => path.split('/').at(-1) === name);
    if (found.length !== 1)
      throw new Error(
        `${folder} has ${found.length} files named ${name}: ${readdirSync(folder, { recursive: true }).join(', ')}`,
      );
    return join(folder, found[0] ?? '');
  }

  /** Last lines of the coordinators' logs (or of one session's), for messages. `runtime`: another user's. */
  logs(session?: string, runtime = this.runtime): string {
    const sessions = join(runtime, 'cairn');
    if (!existsSync(sessions)) return '  (no coordinator)';
    return readdirSync(sessions)
      .filter((name) => session === undefined || name === session)
      .map((name) => ({ name, file: join(sessions, name, 'coordinator.log') }))
      .filter(({ file }) => existsSync(file))
      .map(
        ({ name, file }) => `  log of ${name}:\n    ${readFileSync(file, 'utf8').trim().split('\n').slice(-12).join('\n    ')}`,
      )
      .join('\n');
  }

  /** Ends what a test that failed has left behind. */
  async clear(): Promise<void> {
    await sweep(this.folder, 0);
  }

  /** Ends what the test started, and removes the folder. Returns the processes that had not left by themselves. */
  async close(seconds = 6): Promise<void> {
    const running = this.#programs.filter((program) => program.status === undefined);
    const left = await sweep(this.folder, running.length > 0 ? 0 : seconds);
    for (const program of this.#programs) program.end();
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 3 });
    if (left.length > 0 && running.length === 0) throw new Error(`left behind: ${left.join(', ')}`);
  }
}

/** A test within a scratch folder that is gone afterwards. */
export async function withScratch(work: (scratch: Scratch) => Promise<void>): Promise<void> {
  const scratch = new Scratch();
  try {
    await work(scratch);
  } finally {
    await scratch.close();
  }
}
