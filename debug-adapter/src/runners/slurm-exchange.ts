/**
 * What a campaign and its jobs tell each other, in <campaign>/slurm/<submission>/ of a file system that all of them see: `task.json` says what is run,
 * `part-I.json` which runs task I of the array makes, and I.JOB-RESTARTS.jsonl has their results, a line each, written by one process alone. A file of
 * results is only ever longer, and a line without its end is none: so whoever reads them again, from whichever place, gets each run once, and a task that
 * is begun again knows what it has done. No database: those of network file systems have no locks that one can rely on.
 * Tests: test/unit/slurm-exchange.test.ts, test/faults/slurm.test.ts.
 */
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import * as z from 'zod';
import { type Campaign, type Golden, Run } from '../protocol/campaign.js';
import { failure, reason } from '../protocol/errors.js';
import type { CountedRun } from '../store/campaign-results.js';

const TASK = 'task.json';
const RESULTS = '.jsonl';
/** The folder in a campaign's. */
export const EXCHANGE = 'slurm';
const READ_BYTES = 4 << 20;

/** What all tasks are told. */
export interface TaskDescription {
  name: string;
  campaign: Campaign;
  golden: Golden;
  goldenMs: number;
  /** Folders that all nodes see: of the campaign, its store, and the snapshot. */
  folder: string;
  store: string;
  snapshot: string;
  /** A folder of the nodes' own. */
  stage: string;
}

const Line = z.object({ run: Run, console: z.string() });

export class Submission {
  readonly folder: string;
  /** Of its jobs, nobody else's. */
  readonly jobName: string;
  /** Bytes of each file of results that have been taken. */
  readonly #taken = new Map<string, number>();

  private constructor(folder: string) {
    this.folder = folder;
    this.jobName = `cairn-${basename(folder)}`;
  }

  static at(folder: string): Submission {
    return new Submission(folder);
  }

  static new(campaignFolder: string): Submission {
    return new Submission(join(campaignFolder, EXCHANGE, randomBytes(6).toString('hex')));
  }

  /** Those that a campaign has, of a runner that was killed, too. */
  static all(campaignFolder: string): Submission[] {
    const folder = join(campaignFolder, EXCHANGE);
    if (!existsSync(folder)) return [];
    // One that was not written to its end was not submitted.
    const names = readdirSync(folder).filter((name) => existsSync(join(folder, name, TASK)));
    return names.map((name) => new Submission(join(folder, name)));
  }

  /** Written whole before a job is submitted. */
  write(task: TaskDescription, parts: readonly (readonly number[])[]): void {
    mkdirSync(join(this.folder, 'out'), { recursive: true });
    parts.forEach((numbers, index) => {
      writeFileSync(this.#part(index), JSON.stringify(numbers));
    });
    const path = join(this.folder, TASK);
    writeFileSync(`${path}.new`, JSON.stringify(task));
    renameSync(`${path}.new`, path);
  }

  /** Where output of its jobs goes; sbatch puts in the numbers. */
  get output(): string {
    return join(this.folder, 'out', '%a.%A');
  }

  /** The last words of one of its jobs, where one has said something. */
  lastWords(): string {
    const folder = join(this.folder, 'out');
    const said = existsSync(folder) ? readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8').trim()) : [];
    return (
      said
        .findLast((text) => text !== '')
        ?.split('\n')
        .at(-1) ?? ''
    );
  }

  get isThere(): boolean {
    return existsSync(join(this.folder, TASK));
  }

  task(): TaskDescription {
    return JSON.parse(readFileSync(join(this.folder, TASK), 'utf8')) as TaskDescription;
  }

  /** What task `index` is still to make. */
  missing(index: number): number[] {
    const numbers = JSON.parse(readFileSync(this.#part(index), 'utf8')) as number[];
    const files = this.#files().filter((name) => name.startsWith(`${index}.`));
    const made = new Set(files.flatMap((name) => this.#lines(name, 0).runs.map(({ run }) => run.number)));
    return numbers.filter((number) => !made.has(number));
  }

  /** For the results of a task, by the one process that is it now. */
  writer(index: number, job: string, restarts: number): ResultWriter {
    return new ResultWriter(join(this.folder, `${index}.${job}-${restarts}${RESULTS}`));
  }

  /** Results that were not there at the last call. */
  collect(): CountedRun[] {
    return this.#files().flatMap((name) => {
      const { runs, end } = this.#lines(name, this.#taken.get(name) ?? 0);
      this.#taken.set(name, end);
      return runs;
    });
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  #part(index: number): string {
    return join(this.folder, `part-${index}.json`);
  }

  #files(): string[] {
    return readdirSync(this.folder).filter((name) => name.endsWith(RESULTS));
  }

  #lines(name: string, from: number): { runs: CountedRun[]; end: number } {
    const text = readFrom(join(this.folder, name), from);
    const end = text.lastIndexOf(10) + 1;
    const lines = text.subarray(0, end).toString().split('\n').slice(0, -1);
    try {
      return { runs: lines.map((line) => Line.parse(JSON.parse(line))), end: from + end };
    } catch (cause) {
      throw failure('campaignUnusable', { path: join(this.folder, name), why: reason(cause) }, cause);
    }
  }
}

function readFrom(path: string, from: number): Buffer {
  const fd = openSync(path, 'r');
  try {
    const parts: Buffer[] = [];
    for (let at = from; ; ) {
      const part = Buffer.alloc(READ_BYTES);
      const size = readSync(fd, part, 0, part.length, at);
      if (size === 0) return Buffer.concat(parts);
      parts.push(part.subarray(0, size));
      at += size;
    }
  } finally {
    closeSync(fd);
  }
}

export class ResultWriter {
  readonly #fd: number;

  constructor(path: string) {
    this.#fd = openSync(path, 'a');
  }

  /** It is on disk when this is back. */
  add(counted: CountedRun): void {
    const line = Buffer.from(`${JSON.stringify(counted)}\n`);
    for (let at = 0; at < line.length; ) at += writeSync(this.#fd, line, at);
    fsyncSync(this.#fd);
  }

  close(): void {
    closeSync(this.#fd);
  }
}
