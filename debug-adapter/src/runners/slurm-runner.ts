/**
 * Runs of a campaign by Slurm: a job array whose tasks each make a part of the runs that are missing, and tell of them by files (slurm-exchange.ts); what
 * they tell is counted here. What Slurm loses, and does not begin again by itself, is submitted anew. This process may be killed: its jobs go on, and the
 * next one counts what they have made. Tests: test/faults/slurm.test.ts.
 */
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { cairnPath } from '../platform/command.js';
import { beginSoon, cancel, type QueuedJob, queued, runOn, submit } from '../platform/slurm.js';
import type { SlurmRunner } from '../protocol/campaign.js';
import { failure } from '../protocol/errors.js';
import { shellWord } from '../protocol/format.js';
import type { RunnerContext } from './run-campaign.js';
import { EXCHANGE, Submission } from './slurm-exchange.js';
import { NODES } from './slurm-task.js';

/** Between two looks at what has been made, and at the queue. */
const LOOK_MS = 300;
const QUEUE_MS = 2000;
/** How many parts a worker makes, one after the other. */
const PARTS = 8;
/** Where nothing says how many there are. */
export const WORKERS = 32;
/** Slurm's own limit, MaxArraySize, is 1001 where nothing else is said. */
const MOST_TASKS = 1000;
/** Job arrays in a row that have made no run. */
const MOST_VAIN = 3;
/** For a controller that does not answer. */
const MOST_SILENCE_MS = 600_000;
const MOST_END_MS = 120_000;

export async function runBySlurm(context: RunnerContext, runner: SlurmRunner): Promise<void> {
  const jobs = new Jobs(context, runner);
  try {
    await jobs.run();
  } finally {
    await jobs.end();
  }
}

class Jobs {
  readonly #context: RunnerContext;
  readonly #runner: SlurmRunner;
  #submissions: Submission[];
  #vain = 0;
  /** Of the controller. */
  #silentSince: number | undefined;
  #lastWords = '';

  constructor(context: RunnerContext, runner: SlurmRunner) {
    this.#context = context;
    this.#runner = runner;
    this.#submissions = Submission.all(context.folder);
  }

  async run(): Promise<void> {
    const { ledger, signal, told, note } = this.#context;
    let looked = 0;
    let paused = false;
    for (;;) {
      this.#collect();
      if (ledger.over || signal.aborted) return;
      if (ledger.paused !== paused) {
        paused = ledger.paused;
        if (paused) note('The campaign is paused: its jobs end; cairn campaign resume lets it go on.');
        told();
      }
      if (performance.now() - looked >= QUEUE_MS) {
        await this.#look();
        if (this.#submissions.length === 0 && !ledger.paused && !ledger.over && !signal.aborted) await this.#submit();
        looked = performance.now();
      }
      await sleep(LOOK_MS);
    }
  }

  /** No job of it runs any more, what they have made has been counted, and nothing is left of them. */
  async end(): Promise<void> {
    await Promise.all(this.#submissions.map(({ jobName }) => cancel(jobName)));
    const deadline = performance.now() + MOST_END_MS;
    while (this.#submissions.length > 0 && performance.now() < deadline) {
      await this.#look();
      if (this.#submissions.length > 0) await sleep(LOOK_MS);
    }
    if (this.#submissions.length > 0) return;
    await this.#unstage();
    rmSync(join(this.#context.folder, EXCHANGE), { recursive: true, force: true });
  }

  #collect(): boolean {
    const { ledger, told } = this.#context;
    const counted = this.#submissions.flatMap((one) => one.collect());
    for (const one of counted) ledger.add(one);
    if (counted.length === 0) return false;
    this.#vain = 0;
    told();
    return true;
  }

  /** Which of its jobs Slurm still has. */
  async #look(): Promise<void> {
    const left: Submission[] = [];
    for (const one of this.#submissions) {
      const jobs = await queued(one.jobName);
      if (jobs === undefined) this.#silence();
      else this.#silentSince = undefined;
      if (jobs?.length !== 0) left.push(one);
      if (jobs?.length === 0) {
        // What it has written last may have come after the last look.
        this.#collect();
        this.#lastWords = one.lastWords() || this.#lastWords;
        one.remove();
      } else if (jobs?.every(({ state }) => state === 'PENDING')) await this.#waiting(one, jobs);
    }
    this.#submissions = left;
  }

  /** None of them runs. */
  async #waiting({ jobName }: Submission, jobs: readonly QueuedJob[]): Promise<void> {
    // Slurm holds jobs that it could not begin, for ever: what is missing is submitted anew.
    if (jobs.every(({ why }) => /held/i.test(why))) await cancel(jobName);
    for (const { job } of jobs.filter(({ why }) => why === 'BeginTime')) await beginSoon(job);
  }

  #silence(): void {
    this.#silentSince ??= performance.now();
    if (performance.now() - this.#silentSince > MOST_SILENCE_MS)
      throw failure('slurmFailed', { why: 'its controller has not answered for ten minutes' });
  }

  async #submit(): Promise<void> {
    const { ledger, campaign, golden, goldenMs, name, snapshot, store, folder, workers } = this.#context;
    if (this.#vain++ === MOST_VAIN)
      throw failure('slurmFailed', {
        why: `${MOST_VAIN} job arrays have made no run${this.#lastWords && `; ${this.#lastWords}`}`,
      });
    const tasks = (workers ?? WORKERS) * PARTS;
    // Where it may end early, runs are counted in their order: of those far ahead most would be made in vain.
    const missing = ledger.missing(campaign.stop && Math.max(2 * campaign.stop.atLeast, tasks));
    const wanted = this.#runner.runsPerTask ?? Math.ceil(missing.length / tasks);
    const size = Math.max(wanted, Math.ceil(missing.length / MOST_TASKS));
    const parts = Array.from({ length: Math.ceil(missing.length / size) }, (_, at) => missing.slice(at * size, (at + 1) * size));
    const submission = Submission.new(folder);
    submission.write({ name, campaign, golden, goldenMs, folder, store, snapshot, stage: this.#runner.stage }, parts);
    const most = workers === undefined ? '' : `%${workers}`;
    const array = [`--array=0-${parts.length - 1}${most}`, `--job-name=${submission.jobName}`, `--output=${submission.output}`];
    const words = [cairnPath(), 'campaign', 'task', submission.folder].map(shellWord).join(' ');
    const { ok, text } = await submit(`#!/bin/sh\nexec ${words}\n`, [...array, '--ntasks=1', '--requeue'], this.#runner.options);
    // One whose answer got lost is in the queue all the same.
    this.#submissions.push(submission);
    if (!ok) this.#lastWords = text;
  }

  /** Copies of the snapshot on the nodes go, as far as these can be reached now. */
  async #unstage(): Promise<void> {
    const nodes = join(this.#context.folder, EXCHANGE, NODES);
    if (!existsSync(nodes)) return;
    const words = [cairnPath(), 'campaign', 'unstage', this.#context.folder, this.#runner.stage];
    await Promise.all(
      readdirSync(nodes).map(async (node) => {
        const { ok, text } = await runOn(node, this.#runner.options, words);
        if (!ok) this.#context.note(`The copy of the snapshot on ${node} stays, in ${this.#runner.stage}: ${text}`);
      }),
    );
  }
}
