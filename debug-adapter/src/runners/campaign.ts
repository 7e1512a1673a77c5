/**
 * A campaign: the run without a fault, twice, then the runs of the sample, as many at a time as there are workers; each is in the results when
 * it has ended. What was counted before is not run again. Tests: test/faults/campaign.test.ts.
 */
import { readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { type Fault, FaultSpace } from '../model/fault-space.js';
import { judge, varies } from '../model/outcome.js';
import { sampleOf, sampleSize, shuffled, wilson } from '../model/statistics.js';
import { pluginLibrary } from '../platform/installation.js';
import { takeLock } from '../platform/lock.js';
import {
  type Campaign,
  type CampaignSummary,
  type Golden,
  type Outcome,
  type Run,
  type Target,
  targetPatterns,
} from '../protocol/campaign.js';
import { failure, reason } from '../protocol/errors.js';
import { campaignFolder } from '../store/campaign-file.js';
import { CampaignResults } from '../store/campaign-results.js';
import { fileChecksum } from '../store/checksum.js';
import { Store } from '../store/store.js';
import { keepSession, nothingInjected, type RunRequest, type RunResult, removeRun, restartRun } from './restart-run.js';
import { asks, type DesignRequest } from './run-plugins.js';
import { type RunStart, RunStarts } from './run-starts.js';

/** A run that failed says nothing; it is tried again. */
const ATTEMPTS = 3;
const LEAST_TIMEOUT_MS = 2000;
const GOLDEN_TIMEOUT_MS = 3_600_000;
const CONFIDENCE = 0.95;
const MOST_RUNS = 10_000_000;
/** Of a console, at its beginning and at its end. */
const KEPT_CHARACTERS = 65_536;
const WORKER = 'worker';

export interface CampaignOptions {
  name: string;
  /** Absolute. */
  store: string;
  campaign: Campaign;
  workers?: number;
  signal: AbortSignal;
  progress: (summary: CampaignSummary) => void;
}

/** The faults of a campaign, by the number of their runs. */
export function plannedFaults(campaign: Campaign, targets: readonly Target[]): { space: FaultSpace; indices: number[] } {
  const space = new FaultSpace(campaign, targets);
  if (space.size === 0)
    throw failure('usage', {
      what: `The campaign has no faults: no signal of the design is meant by ${targetPatterns(campaign).join(', ')}`,
      remedy: 'See what the design has: cairn restart SNAPSHOT --detach, then cairn signals PATTERN',
    });
  const { sample } = campaign;
  const count = typeof sample === 'object' ? sampleSize(space.size, sample.margin, sample.confidence) : (sample ?? space.size);
  if (Math.min(count, space.size) > MOST_RUNS)
    throw failure('usage', {
      what: `The campaign has ${Math.min(count, space.size)} runs: there can be ${MOST_RUNS}`,
      remedy: 'Let "sample" say how many of the faults, or how exact the rates are to be.',
    });
  return { space, indices: sampleOf(space.size, count, campaign.seed) };
}

export const confidenceOf = ({ sample }: Campaign): number => (typeof sample === 'object' ? sample.confidence : CONFIDENCE);

/** Gives the summary; throws `cancelled` where the signal came first: what has been counted stays. */
export async function runCampaign(options: CampaignOptions): Promise<CampaignSummary> {
  const { name, campaign } = options;
  const store = new Store(options.store);
  const snapshot = store.find(campaign.snapshot);
  if (snapshot.problem !== '') throw failure('snapshotDamaged', { id: snapshot.id, why: snapshot.problem });
  const folder = campaignFolder(store.path, name);
  const results = new CampaignResults(folder);
  const lock = await takeLock(join(folder, 'lock'));
  if (lock === undefined) {
    results.close();
    throw failure('campaignRuns', { name });
  }
  const runner = new Runner(options, snapshot.path, store.path, folder);
  try {
    await runner.clear();
    const { golden, goldenMs } = await begun(results, await planText(campaign, snapshot.id), runner, campaign);
    const planned = plannedFaults(campaign, golden.targets);
    const summary = await runAll(options, planned, results, runner, golden, goldenMs);
    if (options.signal.aborted)
      throw failure('cancelled', { kind: 'campaign', detail: 'What has been counted stays; run it again to go on.' });
    return summary;
  } finally {
    results.close();
    await runner.close();
    lock.release();
  }
}

/** Until all workers are through. Where one of them fails the others take no further runs, and that is thrown. */
async function runAll(
  { campaign, signal, progress, workers }: CampaignOptions,
  { space, indices }: ReturnType<typeof plannedFaults>,
  results: CampaignResults,
  runner: Runner,
  golden: Golden,
  goldenMs: number,
): Promise<CampaignSummary> {
  const had = results.numbers();
  const timeoutMs = Math.max(LEAST_TIMEOUT_MS, goldenMs * campaign.timeout);
  const start = performance.now();
  const counts = results.counts();
  let { notEffective } = results;
  let made = 0;
  let next = 0;
  let failed = false;
  const summary = (): CampaignSummary => ({
    ...summaryFrom(counts, notEffective, campaign, indices.length, space.size),
    runsPerSecond: made / ((performance.now() - start) / 1000),
  });
  // Those that have been made at any moment are a sample of them all.
  const order = shuffled(indices.length, campaign.seed);
  const take = (): number | undefined => {
    while (next < order.length && had.has(order[next] ?? 0)) next++;
    return signal.aborted || failed ? undefined : order[next++];
  };
  const work = async (worker: number): Promise<void> => {
    for (let number = take(); number !== undefined; number = take()) {
      const fault = space.at(indices[number] ?? 0);
      const { run, console } = await runner.judged(worker, number, fault, golden, timeoutMs * fault.slowdown);
      if (signal.aborted) return;
      results.add(run, console);
      counts[run.outcome] = (counts[run.outcome] ?? 0) + 1;
      if (run.effective === false && run.outcome !== 'toolError') notEffective++;
      made++;
      progress(summary());
    }
  };
  // Those that could not be made before are tried anew.
  counts.toolError = 0;
  progress(summary());
  const missing = indices.length - had.size;
  const count = Math.min(workers ?? campaign.workers ?? availableParallelism(), missing);
  const all = Array.from({ length: count }, async (_, worker) => {
    try {
      await work(worker);
    } catch (error) {
      failed = true;
      throw error;
    }
  });
  const broken = (await Promise.allSettled(all)).find((one) => one.status === 'rejected');
  if (broken !== undefined) throw broken.reason;
  return summary();
}

/** What has been counted by now. */
export function summaryOf(results: CampaignResults, campaign: Campaign): CampaignSummary {
  const { space, indices } = plannedFaults(campaign, results.begun?.golden.targets ?? []);
  return summaryFrom(results.counts(), results.notEffective, campaign, indices.length, space.size);
}

function summaryFrom(
  counts: Partial<Record<Outcome, number>>,
  notEffective: number,
  campaign: Campaign,
  planned: number,
  population: number,
): CampaignSummary {
  const { toolError = 0, ...told } = counts;
  const runs = Object.values(told).reduce((sum, count) => sum + count, 0);
  const confidence = confidenceOf(campaign);
  const outcomes = Object.fromEntries(
    Object.entries(told).map(([outcome, count]) => [outcome, wilson(count, runs, confidence, population)]),
  ) as CampaignSummary['outcomes'];
  // A share of what was tried, not of what is known.
  const rate = toolError / (runs + toolError);
  if (toolError > 0) outcomes.toolError = { count: toolError, rate, low: rate, high: rate };
  return { runs: runs + toolError, planned, population, outcomes, notEffective, runsPerSecond: 0 };
}

/** What decides the runs: with the snapshot's id, without what only says how they are made and judged as a whole. */
async function planText(campaign: Campaign, snapshot: string): Promise<string> {
  const {
    store: _store,
    workers: _workers,
    limits: _limits,
    start: _start,
    $schema: _schema,
    prepare: _prepare,
    ...rest
  } = campaign;
  // What a model of the user's own does is in its library: runs of another one are none of these.
  const libraries = campaign.models.flatMap(({ plugin }) => (plugin === undefined ? [] : [plugin.library]));
  const sums = await Promise.all([...new Set(libraries)].map((named) => checksumOf(pluginLibrary(named, '.'))));
  return JSON.stringify({ ...rest, snapshot, ...(sums.length > 0 ? { libraries: sums } : {}) });
}

async function checksumOf(path: string): Promise<string> {
  try {
    return await fileChecksum(path);
  } catch (cause) {
    throw failure('fileNotReadable', { what: 'plugin', path, why: reason(cause) }, cause);
  }
}

/** The campaign that results are of. undefined: nothing was begun. */
export function campaignOf(results: CampaignResults): Campaign | undefined {
  const { begun: before } = results;
  return before === undefined ? undefined : (JSON.parse(before.plan) as Campaign);
}

async function begun(
  results: CampaignResults,
  plan: string,
  runner: Runner,
  campaign: Campaign,
): Promise<{ golden: Golden; goldenMs: number }> {
  const before = results.begun;
  if (before !== undefined) {
    if (before.plan === plan) return before;
    const [was, is] = [JSON.parse(before.plan), JSON.parse(plan)] as Record<string, unknown>[];
    const keys = Object.keys({ ...was, ...is }).filter((key) => JSON.stringify(was?.[key]) !== JSON.stringify(is?.[key]));
    throw failure('campaignOther', { path: results.path, what: keys.join(', ') });
  }
  const first = await runner.golden();
  const second = await runner.golden();
  const deviation = varies(first.observation, second.observation, campaign.observe);
  if (deviation !== '') throw failure('goldenVaries', { deviation });
  const goldenMs = Math.max(first.elapsedMs, second.elapsedMs);
  const golden = { ...first.observation, targets: first.targets };
  // Before anything is kept: a campaign without faults is none.
  plannedFaults(campaign, golden.targets);
  results.begin(plan, golden, goldenMs);
  return { golden, goldenMs };
}

interface Judged {
  outcome: Outcome;
  deviation: string;
  result: RunResult;
  start: RunStart;
}

class Runner {
  readonly #options: CampaignOptions;
  readonly #common: Pick<RunRequest, 'snapshot' | 'store' | 'files' | 'signal'>;
  readonly #design: DesignRequest;
  readonly #folder: string;
  /** Of workers; each is known to whoever clears, too. */
  readonly #sessions = new Set<string>();
  readonly #starts: RunStarts;

  constructor(options: CampaignOptions, snapshot: string, store: string, folder: string) {
    this.#options = options;
    const { campaign, signal } = options;
    this.#common = { snapshot, store, files: campaign.observe.files, signal };
    this.#design = { targets: [], observe: campaign.observe.signals, detect: campaign.detect.signals };
    this.#folder = folder;
    this.#starts = new RunStarts(campaign.start, { snapshot, store });
  }

  /** What its runs have left, or those of runners that were killed. */
  async clear(): Promise<void> {
    const left = readdirSync(this.#folder).filter((name) => name.startsWith(WORKER));
    await Promise.all(left.map((name) => removeRun(join(this.#folder, name))));
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
        why: "the simulation ends without $finish (of a model of Verilator's: without its final()), so that the signals to observe have no value at the end",
      });
    if (design.observe.length > 0 && Object.keys(seen?.state ?? {}).length === 0)
      throw failure('goldenFailed', { why: 'no signal of the design is meant by "observe: signals"; see cairn signals' });
    return result;
  }

  async judged(
    worker: number,
    number: number,
    fault: Fault,
    golden: Golden,
    timeoutMs: number,
  ): Promise<{ run: Run; console: string }> {
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
    const { result, start } = await this.#run(worker, [{ name, settings }], timeoutMs);
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
    const session = sessionName(this.#options.name, worker);
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
  return impossible === '' && (outcome === 'toolError' || outcome === 'hang' || (effective === false && outcome !== 'masked'));
}

function latencyOf({ observation: { design }, injection }: RunResult): number | null {
  if (design?.detected == null || design.begin === null || injection.at === null) return null;
  return design.detected - design.begin - injection.at;
}

function shortened(console: string): string {
  if (console.length <= 2 * KEPT_CHARACTERS) return console;
  return `${console.slice(0, KEPT_CHARACTERS)}\n…\n${console.slice(-KEPT_CHARACTERS)}`;
}

/** Sessions of several campaigns do not meet. */
function sessionName(campaign: string, worker: number): string {
  return `${campaign.slice(0, 28)}.${process.pid}.${worker}`;
}
