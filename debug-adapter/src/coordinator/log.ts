/**
 * The session's log: one JSON object a line, with one clock for all its processes. Clients see it as `session/log`.
 */
import { hostname } from 'node:os';
import { reason } from '../protocol/errors.js';

export type LogLevel = 'debug' | 'info' | 'warning' | 'error';

export interface LogEntry {
  /** ISO 8601. */
  time: string;
  level: LogLevel;
  /** 0: the coordinator itself. */
  virtualPid: number;
  text: string;
}

export class Log {
  readonly #write: (line: string) => void;
  readonly #listeners = new Set<(entry: LogEntry) => void>();
  readonly #host = hostname();

  constructor(write: (line: string) => void) {
    this.#write = write;
  }

  onEntry(listener: (entry: LogEntry) => void): void {
    this.#listeners.add(listener);
  }

  add(
    level: LogLevel,
    text: string,
    fields: { virtualPid?: number; operation?: number; phase?: string; time?: string } = {},
  ): void {
    const { virtualPid = 0, time = new Date().toISOString(), ...rest } = fields;
    this.#write(`${JSON.stringify({ time, level, host: this.#host, virtualPid, ...rest, text })}\n`);
    if (level === 'debug') return;
    for (const listener of this.#listeners) listener({ time, level, virtualPid, text });
  }

  /** An error with all its causes. */
  failure(text: string, error: unknown): void {
    const causes: string[] = [];
    for (let at: unknown = error; at !== undefined && causes.length < 8; at = at instanceof Error ? at.cause : undefined) {
      causes.push(reason(at));
    }
    this.add('error', `${text}: ${causes.join('; caused by: ')}`);
  }
}
