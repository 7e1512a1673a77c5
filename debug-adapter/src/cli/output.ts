/**
 * What the command prints: results on standard output, everything else on standard error. Written by descriptor, so that
 * Node's streams never touch what a program will inherit.
 */

import { writeSync } from 'node:fs';
import { isatty } from 'node:tty';
import { asCairnError, describe, INTERRUPTED } from '../protocol/errors.js';

function writeAll(fd: number, text: string): void {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(fd, bytes, at);
    } catch (error) {
      // A pipe that somebody has made non-blocking, and that is full just now.
      if (error instanceof Error && 'code' in error && error.code === 'EAGAIN')
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
      else return; // Whoever read it has gone.
    }
  }
}

export function print(text: string): void {
  writeAll(1, `${text}\n`);
}

export function printJson(value: unknown): void {
  print(JSON.stringify(value, null, 2));
}

export function note(text: string): void {
  writeAll(2, `cairn: ${text}\n`);
}

export function printRaw(text: string): void {
  writeAll(1, text);
}

/** What failed and what to do; the exit status for it: 2 for a wrong call, that of an interrupted command where it was cancelled, else 1. */
export function printError(error: unknown): number {
  const cairn = asCairnError(error);
  note(describe(cairn).split('\n').join('\n  '));
  if (process.env['CAIRN_DEBUG'])
    writeAll(2, `${cairn.stack ?? ''}\n${cairn.cause instanceof Error ? (cairn.cause.stack ?? '') : ''}\n`);
  if (cairn.code === 'cancelled') return INTERRUPTED;
  return cairn.code === 'usage' ? 2 : 1;
}

/** One line on a terminal that says what goes on, and is gone when it has ended. Nothing where stderr is no terminal. */
export class Progress {
  readonly #shows = isatty(2);
  #shown = false;

  show(text: string): void {
    if (!this.#shows) return;
    writeAll(2, `\r\x1b[2K${text}`);
    this.#shown = true;
  }

  clear(): void {
    if (this.#shown) writeAll(2, '\r\x1b[2K');
    this.#shown = false;
  }
}
