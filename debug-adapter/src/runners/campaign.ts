/**
 * Runs of a campaign, made here: the one without a fault, and each with one, tried again where what it says is doubtful, and judged. Whoever asks for
 * them has them counted. Several at once, each as a worker of its own. Tests: test/faults/campaign.test.ts.
 */
import { existsSync, readdirSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import type { Fault } from '../model/fault-space.js';
import { judge } from '../model/outcome.js';
import { type Campaign, type Golden, type Outcome, type Run, targetPatterns } from '../protocol/campaign.js';
import { failure, reason } from '../protocol/errors.js';
import type { CountedRun } from '../store/campaign-results.js';
import { keepSession, nothingInjected, type RunRequest, type RunResult, removeRun, restartRun } from './restart-run.js';
import { asks, type DesignRequest } from './run-plugins.js';
import { type RunStart, RunStarts } from './run-starts.js';

/** A run that failed says nothing; it is tried again. */
const ATTEMPTS = 3;
const LEAST_TIMEOUT_MS = 2000;
const GOLDEN_TIMEOUT_MS = 3_600_000;
/** Of a console, at its beginning and at its end. */
const KEPT_CHARACTERS = 65_536;
const WORKER = 'worker';
/** Statuses of what may have been ended from outside: by the system where memory was short, or by who ends a job. */
const ENDED = (['SIGHUP', 'SIGINT', 'SIGKILL', 'SIGTERM'] as const).map((name) => 128 + constants.signals[name]);

export interface CampaignRunsOptions {
  campaign: Campaign;
  /** Its folder. */
  snapshot: string;
  store: string;
  /** Taken by its runs. */
  folder: string;
  /** What names of its sessions begin with: at most 40 characters, nobody else's. */
  prefix: string;
  signal: AbortSignal;
}

interface Judged {
  outcome: Outcome;
  deviation: string;
  result: RunResult;
  start: RunStart;
}

/** What runs of a runner that is there no more have left in a folder. */
export async function clearRuns(folder: string): Promise<void> {
  if (!existsSync(folder)) return;
  const left = readdirSync(folder).filter((name) => name.startsWith(WORKER));
  await Promise.all(left.map((name) => removeRun(join(folder, name))));
}

export class CampaignRuns {
  readonly #options: CampaignRunsOptions;
  readonly #common: Pick<RunRequest, 'snapshot' | 'store' | 'files' | 'signal'>;
  readonly #design: DesignRequest;
  readonly #folder: string;
  /** Of workers; each is known to whoever clears, too. */
  readonly #sessions = new Set<string>();
  readonly #starts: RunStarts;

  constructor(options: CampaignRunsOptions) {
    this.#options = options;
    const { campaign, signal, snapshot, store, folder } = options;
    this.#common = { snapshot, store, files: campaign.observe.files, signal };
    this.#design = { targets: [], observe: campaign.observe.signals, detect: campaign.detect.signals, limit: null };
    this.#folder = folder;
    this.#starts = new RunStarts(campaign.start, { snapshot, store });
  }

  /** What its runs have left, or those of runners that were killed. */
  async clear(): Promise<void> {
    await clearRuns(this.#folder);
  }

  async golden(): Promise<RunResult> {
    const design = { ...this.#design, targets: targetPatterns(this.#options.campaign) };
    const { result } = await this.#run(0, [], GOLDEN_TIMEOUT_MS, design);
    if (this.#options.signal.aborted) throw failure('cancelled', { kind: 'campaign', detail: 'Nothing has been counted.' });
    if (result.problem !== '') throw failure('goldenFailed', { why: result.problem });
    if (result.observation.status === null)
      throw failure('goldenFailed', { why: 'it does not end within an hour, or prints more than 16 MiB' });
    const seen = result.observation.design;
    if (asks(design) && seen?.begin == null)
      throw failure('goldenFailed', {
        why: 'none of its processes is a simulation whose signals can be read; see cairn signals',
      });
    if (seen !== null && seen.missing > 0)
      throw failure('goldenFailed', {
        why: `${seen.missing} of the signals of "detect" are not in the design; see cairn signals`,
      });
    if (seen !== null && seen.detected !== null)
      throw failure('goldenFailed', {
        why: 'a signal of "detect" has its value without a fault, too, and would tell nothing',
      });
    if (design.observe.length > 0 && seen?.end == null)
      throw failure('goldenFailed', {
        why: "the simulation ends without $finish (of a model of Verilator's: without its final() and destructor), so that the signals to observe have no value at the end",
      });
    if (design.observe.length > 0 && Object.keys(seen?.state ?? {}).length === 0)
      throw failure('goldenFailed', { why: 'no signal of the design is meant by "observe: signals"; see cairn signals' });
    return result;
  }

  async judged(worker: number, number: number, fault: Fault, golden: Golden, goldenMs: number): Promise<CountedRun> {
    const { campaign } = this.#options;
    const simulated = limitOf(golden, campaign) !== null;
    const timeoutMs = Math.max(LEAST_TIMEOUT_MS, goldenMs * campaign.timeout) * (simulated ? 1 : fault.slowdown);
    let last = await this.#attempt(worker, fault, golden, timeoutMs);
    for (let attempt = 1; attempt < ATTEMPTS && isDoubtful(last) && !this.#options.signal.aborted; attempt++) {
      const again = await this.#attempt(worker, fault, golden, timeoutMs * 2);
      // Twice the same, with twice the time.
      const settled = again.outcome === last.outcome && again.outcome !== 'toolError';
      last = again;
      if (settled) break;
    }
    const { outcome, deviation, result } = last;
    const run: Run = {
      number,
      model: fault.model,
      fault: fault.text,
      ...fault.place,
      outcome,
      effective: result.injection.effective,
      injection: result.injection.text,
      injectedAt: result.injection.at,
      latency: latencyOf(result),
      deviation,
      status: result.observation.status,
      start: last.start.how,
      startReason: last.start.why,
      elapsedMs: result.elapsedMs,
      finishedAt: new Date().toISOString(),
    };
    return { run, console: shortened(result.observation.lines.join('\n')) };
  }

  /** Nothing is left of its sessions. */
  async close(): Promise<void> {
    await this.#starts.close();
    await this.clear();
  }

  async #attempt(worker: number, { plugin: name, settings }: Fault, golden: Golden, timeoutMs: number): Promise<Judged> {
    const design = { ...this.#design, limit: limitOf(golden, this.#options.campaign) };
    const { result, start } = await this.#run(worker, [{ name, settings }], timeoutMs, design);
    const problem = result.problem || result.injection.impossible;
    if (problem !== '') return { outcome: 'toolError', deviation: problem, result, start };
    return { ...judge(golden, result.observation, this.#options.campaign), result, start };
  }

  async #run(
    worker: number,
    plugins: RunRequest['plugins'],
    timeoutMs: number,
    design: DesignRequest = this.#design,
  ): Promise<{ result: RunResult; start: RunStart }> {
    const session = `${this.#options.prefix}.${worker}`;
    if (!this.#sessions.has(session)) keepSession(join(this.#folder, `${WORKER}${worker}.session`), session);
    this.#sessions.add(session);
    const { execute, ...start } = await this.#starts.of(session);
    try {
      const folder = join(this.#folder, `${WORKER}${worker}`);
      return { result: await restartRun({ ...this.#common, session, folder, plugins, design, timeoutMs }, execute), start };
    } catch (error) {
      const observation = { status: null, lines: [], files: {}, design: null };
      return { result: { problem: reason(error), observation, injection: nothingInjected, targets: [], elapsedMs: 0 }, start };
    }
  }
}

/** A machine that is busy, or was stopped, makes runs slow; and what a fault that was none has done was something else. */
function isDoubtful({ outcome, result }: Judged): boolean {
  const { effective, impossible } = result.injection;
  const hung = outcome === 'hang' && result.observation.design?.limit == null;
  const maybe = outcome === 'toolError' || hung || ENDED.includes(result.observation.status ?? 0);
  return impossible === '' && (maybe || (effective === false && outcome !== 'masked'));
}

/** Of simulated time, which no busy machine and nothing that is done for a fault makes longer. null: the run without a fault has told no such time. */
function limitOf({ design }: Pick<Golden, 'design'>, { timeout }: Pick<Campaign, 'timeout'>): number | null {
  if (design?.begin == null || design.end === null || design.end <= design.begin) return null;
  return Math.ceil((design.end - design.begin) * timeout);
}

function latencyOf({ observation: { design }, injection }: RunResult): number | null {
  if (design?.detected == null || design.begin === null || injection.at === null) return null;
  return design.detected - design.begin - injection.at;
}

function shortened(console: string): string {
  if (console.length <= 2 * KEPT_CHARACTERS) return console;
  return `${console.slice(0, KEPT_CHARACTERS)}\n…\n${console.slice(-KEPT_CHARACTERS)}`;
}
