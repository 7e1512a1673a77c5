/**
 * A campaign: the run without a fault, twice, then the runs of the sample, here or as jobs of Slurm; each is in the results when it has ended. What was
 * counted before is not run again. Tests: test/faults/campaign.test.ts.
 */
import { join } from 'node:path';
import { varies } from '../model/outcome.js';
import { takeLock } from '../platform/lock.js';
import type { Campaign, CampaignSummary, Golden } from '../protocol/campaign.js';
import { failure } from '../protocol/errors.js';
import { campaignFolder } from '../store/campaign-file.js';
import { CampaignResults } from '../store/campaign-results.js';
import { Store } from '../store/store.js';
import { CampaignRuns } from './campaign.js';
import { Ledger } from './campaign-ledger.js';
import { plannedFaults, planText } from './campaign-plan.js';
import { runHere } from './local-runner.js';
import { runBySlurm } from './slurm-runner.js';

/** Of a campaign's name, in those of its sessions. */
const NAME_CHARACTERS = 28;

export interface CampaignOptions {
  name: string;
  /** Absolute. */
  store: string;
  campaign: Campaign;
  workers?: number;
  signal: AbortSignal;
  progress: (summary: CampaignSummary & { paused: boolean }) => void;
  /** Of what somebody may want to know while it goes on. */
  note: (text: string) => void;
}

/** What makes the runs that are missing. Throws where it cannot go on. */
export interface RunnerContext {
  ledger: Ledger;
  campaign: Campaign;
  name: string;
  golden: Golden;
  goldenMs: number;
  /** Of the snapshot, the store and the campaign. */
  snapshot: string;
  store: string;
  folder: string;
  /** Runs at the same time; undefined: as many as it can. */
  workers: number | undefined;
  signal: AbortSignal;
  /** A run has been counted, or the campaign is paused or resumed. */
  told: () => void;
  note: (text: string) => void;
}

/** Gives the summary; throws `cancelled` where the signal came first: what has been counted stays. */
export async function runCampaign(options: CampaignOptions): Promise<CampaignSummary> {
  const { name, campaign, signal, note, progress } = options;
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
  const common = { campaign, snapshot: snapshot.path, store: store.path, folder, signal };
  // Sessions of several campaigns do not meet.
  const runs = new CampaignRuns({ ...common, prefix: `${name.slice(0, NAME_CHARACTERS)}.${process.pid}` });
  try {
    await runs.clear();
    const { golden, goldenMs } = await begun(results, await planText(campaign, snapshot.id), runs, campaign);
    const ledger = new Ledger(results, folder, campaign, plannedFaults(campaign, golden.targets));
    const told = (): void => progress({ ...ledger.summary(), paused: ledger.paused });
    told();
    const workers = options.workers ?? campaign.workers;
    const context: RunnerContext = { ...common, ledger, name, golden, goldenMs, workers, told, note };
    if (campaign.runner?.kind === 'slurm') {
      // Its copy of the snapshot is not needed here any more.
      await runs.close();
      await runBySlurm(context, campaign.runner);
    } else await runHere(context, runs);
    if (signal.aborted)
      throw failure('cancelled', { kind: 'campaign', detail: 'What has been counted stays; run it again to go on.' });
    return ledger.summary();
  } finally {
    results.close();
    await runs.close();
    lock.release();
  }
}

async function begun(
  results: CampaignResults,
  plan: string,
  runs: CampaignRuns,
  campaign: Campaign,
): Promise<{ golden: Golden; goldenMs: number }> {
  const before = results.begun;
  if (before !== undefined) {
    if (before.plan === plan) return before;
    const [was, is] = [JSON.parse(before.plan), JSON.parse(plan)] as Record<string, unknown>[];
    const keys = Object.keys({ ...was, ...is }).filter((key) => JSON.stringify(was?.[key]) !== JSON.stringify(is?.[key]));
    throw failure('campaignOther', { path: results.path, what: keys.join(', ') });
  }
  const first = await runs.golden();
  const second = await runs.golden();
  const deviation = varies(first.observation, second.observation, campaign.observe);
  if (deviation !== '') throw failure('goldenVaries', { deviation });
  const goldenMs = Math.max(first.elapsedMs, second.elapsedMs);
  const golden = { ...first.observation, targets: first.targets };
  // Before anything is kept: a campaign without faults is none.
  plannedFaults(campaign, golden.targets);
  results.begin(plan, golden, goldenMs);
  return { golden, goldenMs };
}
