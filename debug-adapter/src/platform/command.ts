/**
 * The `cairn` command, as a program that another one starts and observes.
 */
import { constants } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { execa } from 'execa';
import { distFolder } from './installation.js';

export interface CommandResult {
  /** 128 and the signal's number where a signal ended it. */
  status: number;
  /** It printed more than it may, and was ended. */
  tooMuch: boolean;
  stdout: string;
  stderr: string;
}

interface CommandOptions {
  /** Of each of its outputs. */
  mostBytes?: number;
  /** Then it is killed. */
  timeoutMs?: number;
  /** Likewise. */
  signal?: AbortSignal;
}

export const cairnPath = (): string => join(distFolder(), '..', 'bin', 'cairn');

/** Of a session in which the caller may be. */
const environment = { CAIRN_SESSION: undefined, CAIRN_STORE: undefined, CAIRN_PLAN: undefined };

/** For whoever has got its output from a command that has ended. */
const LEFT_OPEN_MS = 1000;

/** In a process group of its own: what the user presses is for the caller. */
export async function cairnCommand(
  args: readonly string[],
  { mostBytes = 1 << 20, timeoutMs, signal }: CommandOptions = {},
): Promise<CommandResult> {
  const running = execa(cairnPath(), args, {
    stdin: 'ignore',
    env: environment,
    reject: false,
    detached: true,
    cleanup: false,
    maxBuffer: mostBytes,
    stripFinalNewline: false,
    forceKillAfterDelay: false,
    killSignal: 'SIGKILL',
    ...(timeoutMs === undefined ? {} : { timeout: timeoutMs }),
    ...(signal === undefined ? {} : { cancelSignal: signal }),
  });
  // A process that it has left behind may keep them open for ever.
  running.once('exit', () => {
    setTimeout(() => {
      running.stdout.destroy();
      running.stderr.destroy();
    }, LEFT_OPEN_MS).unref();
  });
  const { exitCode, signal: killed, isMaxBuffer, stdout, stderr } = await running;
  const number = killed === undefined ? undefined : constants.signals[killed];
  return {
    status: exitCode ?? (number === undefined ? 1 : 128 + number),
    tooMuch: isMaxBuffer,
    stdout: stdout ?? '',
    stderr: stderr ?? '',
  };
}

/** Any program, in a folder, until it ends or is aborted. */
export async function runInFolder(command: readonly string[], cwd: string, signal: AbortSignal): Promise<CommandResult> {
  const [program = '', ...args] = command;
  const { exitCode, isMaxBuffer, stdout, stderr, shortMessage } = await execa(program, args, {
    cwd,
    stdin: 'ignore',
    reject: false,
    cancelSignal: signal,
  });
  const status = exitCode ?? 1;
  return { status, tooMuch: isMaxBuffer, stdout: stdout ?? '', stderr: stderr || (status === 0 ? '' : (shortMessage ?? '')) };
}

/** A `cairn` command that runs while its lines are looked at, and others beside it. */
export class CommandOutput {
  /** Its last whole line. */
  last = '';
  readonly #running;
  readonly #seen = new Set<(line: string | undefined) => void>();
  #ended = false;

  constructor(args: readonly string[], cwd: string, signal: AbortSignal) {
    this.#running = execa(cairnPath(), args, {
      cwd,
      stdin: 'ignore',
      env: environment,
      reject: false,
      detached: true,
      cleanup: false,
      buffer: false,
      cancelSignal: signal,
    });
    const follow = (stream: Readable): void => {
      let rest = '';
      stream.setEncoding('utf8').on('data', (chunk: string) => {
        const lines = (rest + chunk).split(/\r?\n/);
        rest = lines.pop() ?? '';
        for (const line of lines) this.#tell(line);
      });
    };
    follow(this.#running.stdout);
    follow(this.#running.stderr);
    void this.#running.finally(() => {
      this.#ended = true;
      this.#tell(undefined);
    });
  }

  /** true: a whole line that matches has been printed since this was called; false: it has ended without. */
  async line(pattern: RegExp): Promise<boolean> {
    if (this.#ended) return false;
    return new Promise((resolve) => {
      const look = (line: string | undefined): void => {
        if (line !== undefined && !pattern.test(line)) return;
        this.#seen.delete(look);
        resolve(line !== undefined);
      };
      this.#seen.add(look);
    });
  }

  async end(): Promise<void> {
    await this.#running;
  }

  /** undefined: it has ended. */
  #tell(line: string | undefined): void {
    if (line !== undefined) this.last = line;
    for (const one of this.#seen) one(line);
  }
}

/** With the caller's terminal or files; gives its exit status. */
export async function cairnForeground(args: readonly string[]): Promise<number> {
  const { exitCode } = await execa(cairnPath(), args, { stdio: 'inherit', env: environment, reject: false });
  return exitCode ?? 1;
}
