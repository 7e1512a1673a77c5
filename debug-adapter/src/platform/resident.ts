/**
 * The resident restorer (native-agent/src/restore/resident.h), as a program that is asked for runs, one after the other. It ends with whoever
 * has started it, and so does all that it has made. Tests: test/faults/resident.test.ts.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { failure } from '../protocol/errors.js';
import { nativeFile } from './installation.js';
import { shellStatus } from './processes.js';

export interface RunPaths {
  /** Of the run's coordinator. */
  socket: string;
  /** Where the restorer says why it failed. */
  restoreError: string;
  /** Its standard output and then its standard error are connected to it. */
  console: string;
}

const CONTROL = 3;
const KEPT_WORDS = 4096;

interface Listener {
  line(line: string): void;
  lost(error: Error): void;
}

export class ResidentRestorer {
  readonly #child: ChildProcess;
  readonly #control: Socket;
  readonly #gone: Promise<void>;
  #listener: Listener | undefined;
  /** Not undefined: it is there no more. */
  #why: string | undefined;

  private constructor(args: readonly string[]) {
    this.#child = spawn(nativeFile('cairn-restore'), [...args, '--resident', String(CONTROL)], {
      detached: true,
      cwd: '/',
      stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
    });
    this.#control = this.#child.stdio[CONTROL] as Socket;
    let text = '';
    this.#control.on('data', (chunk: Buffer) => {
      const lines = (text + chunk.toString()).split('\n');
      text = lines.pop() ?? '';
      for (const line of lines) this.#listener?.line(line);
    });
    this.#control.on('error', () => undefined);
    let words = '';
    (this.#child.stderr as Readable).on('data', (chunk: Buffer) => {
      words = `${words}${chunk.toString()}`.slice(-KEPT_WORDS);
    });
    this.#gone = new Promise((resolve) => {
      const end = (why: string): void => {
        this.#why ??= why;
        this.#listener?.lost(failure('residentLost', { why: this.#why }));
        resolve();
      };
      this.#child.once('error', (error) => end(error.message));
      this.#child.once('close', () => end(words.replaceAll('cairn-restore: ', '').trim() || 'it was ended'));
    });
  }

  /** `args`: those of a restart that are the same in every run. Resolves when the snapshot is in memory; throws why it cannot be. */
  static async start(args: readonly string[]): Promise<ResidentRestorer> {
    const made = new ResidentRestorer(args);
    await made.#hear<void>((line, resolve) => {
      if (line === 'ready') resolve();
    });
    return made;
  }

  get lives(): boolean {
    return this.#why === undefined;
  }

  /**
   * Begins a run, and resolves when that has ended, with its status as a shell gives it: then nothing of it is there any more. Throws when it
   * could not begin, or its restorer was lost.
   */
  run({ socket, restoreError, console }: RunPaths): Promise<number> {
    const ended = this.#hear<number>((line, resolve, reject) => {
      const [word = '', status] = line.split(' ');
      if (word === 'ended') resolve(shellStatus(Number(status)));
      if (word === 'failed') reject(failure('residentLost', { why: line.slice(word.length + 1) }));
    });
    this.#control.write([socket, restoreError, console].map((path) => `${path}\0`).join(''));
    return ended;
  }

  /** Ends the run that goes on, if one does. */
  endRun(): void {
    if (this.lives) this.#control.write('!');
  }

  /** Resolves when it and all that it has made are gone. */
  async close(): Promise<void> {
    this.#control.destroy();
    await this.#gone;
  }

  #hear<T>(take: (line: string, resolve: (found: T) => void, reject: (error: Error) => void) => void): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#why !== undefined) reject(failure('residentLost', { why: this.#why }));
      this.#listener = { line: (line) => take(line, resolve, reject), lost: reject };
    });
  }
}
