/**
 * A campaign: the run without a fault, twice, then the runs of the sample, as many at a time as there are workers; each is in the results when
 * it has ended. What was counted before is not run again. Tests: test/faults/campaign.test.ts.
 */
import { readdirSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { type Fault, FaultSpace } from '../model/fault-space.js';
import { deviationOf, judge } from '../model/outcome.js';
import { sampleOf, sampleSize, wilson } from '../model/statistics.js';
import { takeLock } from '../platform/lock.js';
import type { Campaign, CampaignSummary, Observation, Outcome, Run } from '../protocol/campaign.js';
import { failure } from '../protocol/errors.js';
import { campaignFolder } from '../store/campaign-file.js';
import { CampaignResults } from '../store/campaign-results.js';
import { Store } from '../store/store.js';
import { type RunRequest, type RunResult, removeRun, removeSession, restartRun } from './restart-run.js';

/** A run that failed says nothing; it is tried again. */
const ATTEMPTS = 3;
const LEAST_TIMEOUT_MS = 2000;
const GOLDEN_TIMEOUT_MS = 3_600_000;
const CONFIDENCE = 0.95;
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
export function plannedFaults(campaign: Campaign): { space: FaultSpace; indices: number[] } {
  const space = new FaultSpace(campaign);
  const { sample } = campaign;
  const count = typeof sample === 'object' ? sampleSize(space.size, sample.margin, sample.confidence) : (sample ?? space.size);
  return { space, indices: sampleOf(space.size, count, campaign.seed) };
}

const confidenceOf = ({ sample }: Campaign): number => (typeof sample === 'object' ? sample.confidence : CONFIDENCE);

/** Gives the summary; throws `cancelled` where the signal came first: what has been counted stays. */
export async function runCampaign(options: CampaignOptions): Promise<CampaignSummary> {
  const { name, campaign, signal, progress } = options;
  const store = new Store(options.store);
  const snapshot = store.find(campaign.snapshot);
  if (snapshot.problem !== '') throw failure('snapshotDamaged', { id: snapshot.id, why: snapshot.problem });
  const { space, indices } = plannedFaults(campaign);
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
    const plan = planText(campaign, snapshot.id);
    const { golden, goldenMs } = await begun(results, plan, runner, campaign);
    const had = results.numbers();
    const missing = indices.map((index, number) => ({ number, fault: space.at(index) })).filter(({ number }) => !had.has(number));
    const timeoutMs = Math.max(LEAST_TIMEOUT_MS, goldenMs * campaign.timeout);
    const start = performance.now();
    let made = 0;
    const summary = (): CampaignSummary => ({
      ...summaryOf(results, campaign, indices.length, space.size),
      runsPerSecond: made / ((performance.now() - start) / 1000),
    });
    progress(summary());
    const work = async (worker: number): Promise<void> => {
      for (let next = missing.shift(); next !== undefined && !signal.aborted; next = missing.shift()) {
        const { run, console } = await runner.judged(worker, next.number, next.fault, golden, timeoutMs);
        if (signal.aborted) return;
        results.add(run, console);
        made++;
        progress(summary());
      }
    };
    const workers = options.workers ?? campaign.workers ?? cpus().length;
    await Promise.all(Array.from({ length: Math.min(workers, missing.length) }, (_, worker) => work(worker)));
    if (signal.aborted)
      throw failure('cancelled', { kind: 'campaign', detail: 'What has been counted stays; run it again to go on.' });
    return summary();
  } finally {
    results.close();
    await runner.close();
    lock.release();
  }
}

/** What has been counted by now. */
export function summaryOf(results: CampaignResults, campaign: Campaign, planned: number, population: number): CampaignSummary {
  const counts = results.counts();
  const { toolError = 0, ...told } = counts;
  const runs = Object.values(told).reduce((sum, count) => sum + count, 0);
  const confidence = confidenceOf(campaign);
  const outcomes = Object.fromEntries(
    Object.entries(told).map(([outcome, count]) => [outcome, wilson(count, runs, confidence)]),
  ) as CampaignSummary['outcomes'];
  if (toolError > 0) outcomes.toolError = { count: toolError, rate: 0, low: 0, high: 0 };
  return { runs: runs + toolError, planned, population, outcomes, notEffective: results.notEffective, runsPerSecond: 0 };
}

/** What decides the runs. */
function planText(
  { snapshot: _snapshot, store: _store, workers: _workers, $schema: _schema, ...rest }: Campaign,
  id: string,
): string {
  return JSON.stringify({ ...rest, snapshot: id });
}

async function begun(
  results: CampaignResults,
  plan: string,
  runner: Runner,
  { observe }: Campaign,
): Promise<{ golden: Observation; goldenMs: number }> {
  const before = results.begun;
  if (before !== undefined) {
    if (before.plan === plan) return before;
    const [was, is] = [JSON.parse(before.plan), JSON.parse(plan)] as Record<string, unknown>[];
    const keys = Object.keys({ ...was, ...is }).filter((key) => JSON.stringify(was?.[key]) !== JSON.stringify(is?.[key]));
    throw failure('campaignOther', { path: results.path, what: keys.join(', ') });
  }
  const first = await runner.golden();
  const second = await runner.golden();
  const deviation =
    deviationOf(first.observation, second.observation, observe) ||
    (first.observation.status === second.observation.status
      ? ''
      : `status ${second.observation.status} instead of ${first.observation.status}`);
  if (deviation !== '') throw failure('goldenVaries', { deviation });
  const goldenMs = Math.max(first.elapsedMs, second.elapsedMs);
  results.begin(plan, first.observation, goldenMs);
  return { golden: first.observation, goldenMs };
}

class Runner {
  readonly #options: CampaignOptions;
  readonly #common: Pick<RunRequest, 'snapshot' | 'store' | 'files' | 'signal'>;
  readonly #folder: string;
  readonly #sessions = new Set<string>();

  constructor(options: CampaignOptions, snapshot: string, store: string, folder: string) {
    this.#options = options;
    const { campaign, signal } = options;
    this.#common = { snapshot, store, files: campaign.observe.files, signal };
    this.#folder = folder;
  }

  /** What runners that were killed have left. */
  async clear(): Promise<void> {
    const left = readdirSync(this.#folder).filter((name) => name.startsWith(WORKER));
    await Promise.all(left.map((name) => removeRun(join(this.#folder, name))));
  }

  async golden(): Promise<RunResult> {
    const result = await this.#run(0, [], GOLDEN_TIMEOUT_MS);
    if (this.#options.signal.aborted) throw failure('cancelled', { kind: 'campaign', detail: 'Nothing has been counted.' });
    if (result.problem !== '') throw failure('goldenFailed', { why: result.problem });
    return result;
  }

  async judged(
    worker: number,
    number: number,
    fault: Fault,
    golden: Observation,
    timeoutMs: number,
  ): Promise<{ run: Run; console: string }> {
    let result: RunResult;
    let attempt = 0;
    do result = await this.#run(worker, [{ name: fault.plugin, settings: fault.settings }], timeoutMs);
    while (result.problem !== '' && ++attempt < ATTEMPTS && !this.#options.signal.aborted);
    const { observation, problem } = result;
    const { outcome, deviation }: { outcome: Outcome; deviation: string } =
      problem === '' ? judge(golden, observation, this.#options.campaign) : { outcome: 'toolError', deviation: problem };
    const run: Run = {
      number,
      model: fault.model,
      fault: fault.text,
      outcome,
      effective: result.effective,
      deviation,
      status: observation.status,
      elapsedMs: result.elapsedMs,
      finishedAt: new Date().toISOString(),
    };
    return { run, console: observation.lines.join('\n') };
  }

  /** Nothing is left of its sessions. */
  async close(): Promise<void> {
    await Promise.all([...this.#sessions].map(removeSession));
  }

  #run(worker: number, plugins: RunRequest['plugins'], timeoutMs: number): Promise<RunResult> {
    const session = sessionName(this.#options.name, worker);
    this.#sessions.add(session);
    return restartRun({ ...this.#common, session, folder: join(this.#folder, `${WORKER}${worker}`), plugins, timeoutMs });
  }
}

/** Sessions of several campaigns do not meet. */
function sessionName(campaign: string, worker: number): string {
  return `${campaign.replace(/[^A-Za-z0-9._-]/g, '_').slice(0, 28)}.${process.pid}.${worker}`;
}
