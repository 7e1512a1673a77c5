/**
 * A program under test: its output as lines, on pipes or in a terminal, and how it ended. Every wait has a deadline and fails
 * with all that was printed so far.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, readdirSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { waitFor } from './processes.js';
import { nodePty, type Terminal } from './tree.js';

export type ProgramOptions = {
  cwd: string;
  env: Record<string, string>;
  /** In a pseudo-terminal of 100 columns and 30 rows. */
  pty?: boolean;
  /** Standard input is a pipe; see `type`. */
  input?: boolean;
};

export const TERMINAL_COLUMNS = 100;
export const TERMINAL_ROWS = 30;

/**
 * Closes what this process got from whoever started it (a build server's pipe, say) and would hand on: a program under test has
 * the descriptors that the test gives it.
 */
function closeInherited(): void {
  const closeOnExec = 0o2000000;
  for (const fd of readdirSync('/proc/self/fd').map(Number)) {
    if (fd <= 2 || String(fd) === process.env['NODE_CHANNEL_FD']) continue;
    try {
      const flags = /^flags:\s+(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1] ?? '0';
      if ((Number.parseInt(flags, 8) & closeOnExec) === 0) closeSync(fd);
    } catch {
      // It was the folder's own, which is closed by now.
    }
  }
}
closeInherited();

const signalNumber = (name: string): number => constants.signals[name as NodeJS.Signals] ?? 0;

export class Program {
  readonly lines: string[] = [];
  readonly pid: number;
  /** Everything printed on standard output (in a terminal: on the terminal). */
  stdout = '';
  stderr = '';
  /** As a shell gives it; undefined while the program runs. */
  status: number | undefined;
  readonly #child: ChildProcess | undefined;
  readonly #terminal: Terminal | undefined;
  #rest = '';

  constructor(
    readonly command: readonly string[],
    options: ProgramOptions,
  ) {
    const [file, ...args] = command;
    if (file === undefined) throw new Error('no command');
    if (options.pty) {
      const { cwd, env } = options;
      const terminal = nodePty().spawn(file, args, {
        cols: TERMINAL_COLUMNS,
        rows: TERMINAL_ROWS,
        cwd,
        env,
        name: 'xterm-256color',
        encoding: 'utf8',
      });
      terminal.onData((data) => this.#take(data));
      terminal.onExit(({ exitCode, signal }) => this.#ended(signal ? 128 + signal : exitCode));
      this.#terminal = terminal;
      this.pid = terminal.pid;
    } else {
      const child = spawn(file, args, {
        cwd: options.cwd,
        env: options.env,
        stdio: [options.input ? 'pipe' : 'ignore', 'pipe', 'pipe'],
      });
      child.stdout?.setEncoding('utf8').on('data', (data: string) => this.#take(data));
      child.stderr?.setEncoding('utf8').on('data', (data: string) => {
        this.stderr += data;
      });
      child.on('error', (error) => {
        this.stderr += error.message;
        this.#ended(127);
      });
      child.on('close', (code, signal) => this.#ended(signal ? 128 + signalNumber(signal) : (code ?? 255)));
      this.#child = child;
      this.pid = child.pid ?? -1;
    }
  }

  #take(data: string): void {
    this.stdout += data;
    const lines = (this.#rest + data).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) this.lines.push(line.replace(/\r+$/, ''));
  }

  #ended(status: number): void {
    if (this.#rest !== '') this.lines.push(this.#rest.replace(/\r+$/, ''));
    this.#rest = '';
    this.status = status;
  }

  /** The first line from `from` on that matches; fails when the program ends without it. */
  async line(pattern: RegExp, seconds = 20, from = 0): Promise<string> {
    const found = await waitFor(
      `a line ${pattern} of ${this.command.join(' ')}`,
      () => {
        const line = this.lines.slice(from).find((candidate) => pattern.test(candidate));
        if (line !== undefined) return line;
        return this.status === undefined ? undefined : { ended: this.status };
      },
      seconds,
    ).catch((error: Error) => {
      throw new Error(`${error.message}\n${this.transcript()}`);
    });
    if (typeof found === 'string') return found;
    throw new Error(`ended with status ${found.ended} before a line ${pattern}\n${this.transcript()}`);
  }

  async exit(seconds = 20): Promise<number> {
    return waitFor(
      `the end of ${this.command.join(' ')}`,
      () => (this.status === undefined ? undefined : { status: this.status }),
      seconds,
    )
      .then(({ status }) => status)
      .catch((error: Error) => {
        throw new Error(`${error.message}\n${this.transcript()}`);
      });
  }

  /** To the command that was started; not to what it started. */
  signal(name: NodeJS.Signals): void {
    if (this.status === undefined) process.kill(this.pid, name);
  }

  type(text: string): void {
    if (this.#terminal) this.#terminal.write(text);
    else if (this.#child?.stdin) this.#child.stdin.write(text);
    else throw new Error('this program has neither a terminal nor a pipe for its input');
  }

  closeInput(): void {
    this.#child?.stdin?.end();
  }

  resize(columns: number, rows: number): void {
    this.#terminal?.resize(columns, rows);
  }

  transcript(): string {
    const out = [...this.lines, this.#rest].slice(-40).join('\n    ');
    return `  command: ${this.command.join(' ')}\n  output:\n    ${out}\n  errors:\n    ${this.stderr.trim().split('\n').slice(-20).join('\n    ')}`;
  }

  /** Ends the command itself if it is still there (whatever it started is swept by the folder's owner). */
  end(): void {
    if (this.status === undefined && this.pid > 0) {
      try {
        process.kill(this.pid, 'SIGKILL');
      } catch {
        // It has just ended.
      }
    }
    this.#child?.stdin?.destroy();
    this.#child?.stdout?.destroy();
    this.#child?.stderr?.destroy();
  }
}
