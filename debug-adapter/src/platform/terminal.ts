/**
 * Pseudo-terminals, by node-pty, which is loaded only when the first one is opened.
 */
import { failure, reason } from '../protocol/errors.js';

export interface TerminalOptions {
  command: readonly string[];
  env: Readonly<Record<string, string>>;
  cwd: string;
  columns: number;
  rows: number;
}

export interface Terminal {
  /** Of the command's process, the leader of the terminal's session. */
  readonly pid: number;
  write(data: string): void;
  resize(columns: number, rows: number): void;
  onData(listener: (data: string) => void): void;
  /** As a shell gives it: 128+n for signal n. Called once, after the last data. */
  onExit(listener: (status: number) => void): void;
}

export async function openTerminal(options: TerminalOptions): Promise<Terminal> {
  const [file, ...args] = options.command;
  if (file === undefined) throw new RangeError('openTerminal: no command');
  try {
    const pty = await import('node-pty');
    const child = pty.spawn(file, args, {
      name: options.env['TERM'] ?? 'xterm-256color',
      cols: options.columns,
      rows: options.rows,
      cwd: options.cwd,
      env: { ...options.env },
      encoding: 'utf8',
    });
    return {
      pid: child.pid,
      write: (data) => child.write(data),
      resize: (columns, rows) => child.resize(columns, rows),
      onData: (listener) => void child.onData(listener),
      onExit: (listener) => void child.onExit(({ exitCode, signal }) => listener(signal ? 128 + signal : exitCode)),
    };
  } catch (cause) {
    throw failure('terminalUnavailable', { why: reason(cause) }, cause);
  }
}
