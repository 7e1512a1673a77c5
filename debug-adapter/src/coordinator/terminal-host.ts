/**
 * The terminal of a computation that the coordinator itself has started: what it printed last is kept for whoever opens it
 * later, and all of it goes to terminal.log in the runtime folder.
 */
import { closeSync, openSync, writeSync } from 'node:fs';
import { openTerminal, type Terminal, type TerminalOptions } from '../platform/terminal.js';
import type { TerminalState } from '../protocol/control.js';

const SCROLLBACK = 1 << 20;

export class TerminalHost {
  #columns: number;
  #rows: number;
  #scrollback: string[] = [];
  #length = 0;
  #log: number;
  readonly #terminal: Terminal;
  readonly #listeners = new Set<(data: string) => void>();

  private constructor(terminal: Terminal, options: TerminalOptions, logFile: string, onExit: (status: number) => void) {
    this.#terminal = terminal;
    this.#columns = options.columns;
    this.#rows = options.rows;
    this.#log = openSync(logFile, 'w', 0o600);
    terminal.onData((data) => this.#take(data));
    terminal.onExit((status) => {
      closeSync(this.#log);
      onExit(status);
    });
  }

  static async open(options: TerminalOptions, logFile: string, onExit: (status: number) => void): Promise<TerminalHost> {
    return new TerminalHost(await openTerminal(options), options, logFile, onExit);
  }

  /** Of the launcher, the leader of the terminal's session. */
  get pid(): number {
    return this.#terminal.pid;
  }

  get state(): TerminalState {
    return { columns: this.#columns, rows: this.#rows, scrollback: this.#scrollback.join('') };
  }

  onData(listener: (data: string) => void): void {
    this.#listeners.add(listener);
  }

  write(data: string): void {
    this.#terminal.write(data);
  }

  resize(columns: number, rows: number): void {
    this.#terminal.resize(columns, rows);
    this.#columns = columns;
    this.#rows = rows;
  }

  #take(data: string): void {
    writeSync(this.#log, data);
    this.#scrollback.push(data);
    this.#length += data.length;
    while (this.#length > SCROLLBACK && this.#scrollback.length > 1) this.#length -= this.#scrollback.shift()?.length ?? 0;
    for (const listener of this.#listeners) listener(data);
  }
}
