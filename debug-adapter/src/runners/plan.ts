/**
 * What a campaign comes to before it is run: how many faults its patterns mean, how exact the rates will be, and how long it will take where
 * runs of the snapshot have been measured. Test: test/simulators/campaign-plan.test.ts.
 */
import { readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { FaultSpace, meant } from '../model/fault-space.js';
import { sampleSize, wilson } from '../model/statistics.js';
import type { Campaign, CampaignProblem, Golden, Target } from '../protocol/campaign.js';
import { type CampaignPlan, countTargets, tellsNets } from '../protocol/campaign-plan.js';
import { CairnError } from '../protocol/errors.js';
import type { SnapshotSummary } from '../protocol/snapshot.js';
import { type CampaignFile, campaignFolder } from '../store/campaign-file.js';
import { CampaignResults } from '../store/campaign-results.js';
import { designOf } from '../store/designs.js';
import { Store } from '../store/store.js';
import { campaignOf, confidenceOf } from './campaign-plan.js';
import { WORKERS } from './slurm-runner.js';

/** Of each campaign, so many runs say how long one takes. */
const MEASURED_RUNS = 200;

export function planOf({ name, store: path, campaign }: CampaignFile): CampaignPlan {
  const store = new Store(path);
  const snapshot = snapshotOf(store, campaign);
  const targets = snapshot === null ? undefined : designOf(store, snapshot.id);
  const { population, models } = spaceOf(campaign, targets);
  const runs = population === null ? null : runsOf(campaign, population);
  const confidence = confidenceOf(campaign);
  const measured = snapshot === null ? undefined : measuredOf(store, snapshot.id, name);
  const workers = campaign.workers ?? (campaign.runner?.kind === 'slurm' ? WORKERS : availableParallelism());
  const runsPerSecond = measured === undefined ? null : (1000 * workers) / Math.max(0.01, measured.msOfRun);
  return {
    problems: problemsOf(campaign, snapshot, targets),
    name,
    store: store.path,
    snapshot: snapshot && { id: snapshot.id, name: snapshot.name, simulatedTime: snapshot.simulatedTime },
    prepares: campaign.prepare !== undefined,
    designKnown: targets !== undefined,
    models,
    population,
    runs,
    confidence,
    interval: runs === null || runs === 0 ? null : wilson(Math.round(runs / 2), runs, confidence, population ?? runs),
    runsPerSecond,
    measuredBy: measured?.name ?? '',
    seconds: runs === null || runsPerSecond === null ? null : runs / runsPerSecond,
    end: measured?.end ?? null,
  };
}

function snapshotOf(store: Store, campaign: Campaign): SnapshotSummary | null {
  try {
    return store.find(campaign.snapshot);
  } catch (error) {
    if (error instanceof CairnError) return null;
    throw error;
  }
}

function spaceOf(
  campaign: Campaign,
  targets: readonly Target[] | undefined,
): { population: number | null; models: CampaignPlan['models'] } {
  const models = campaign.models.map((model) => {
    const { name, signals } = model;
    if (signals !== undefined && targets === undefined) return { name, targets: null, faults: null };
    const count = signals && countTargets(meant(targets ?? [], signals.targets, signals.exclude), tellsNets(targets ?? []));
    return { name, targets: count ?? null, faults: new FaultSpace({ models: [model] }, targets).size };
  });
  const known = models.every(({ faults }) => faults !== null);
  return { models, population: known ? models.reduce((sum, { faults }) => sum + (faults ?? 0), 0) : null };
}

/** As plannedFaults draws them. */
function runsOf({ sample }: Campaign, population: number): number {
  if (sample === undefined || population === 0) return population;
  return typeof sample === 'number' ? Math.min(sample, population) : sampleSize(population, sample.margin, sample.confidence);
}

/** What only the design and the store can tell. */
function problemsOf(
  campaign: Campaign,
  snapshot: SnapshotSummary | null,
  targets: readonly Target[] | undefined,
): CampaignProblem[] {
  if (snapshot === null && campaign.prepare === undefined)
    return [{ line: 0, path: ['snapshot'], message: 'there is no such snapshot, and nothing says how to prepare it' }];
  if (snapshot !== null && snapshot.problem !== '')
    return [{ line: 0, path: ['snapshot'], message: `it cannot be restarted: ${snapshot.problem}` }];
  if (targets === undefined) return [];
  const none = (patterns: readonly string[], path: (string | number)[]): CampaignProblem[] =>
    patterns.flatMap((one, index) =>
      meant(targets, [one], []).length > 0
        ? []
        : [{ line: 0, path: [...path, index], message: `no signal of the design is meant by ${one}` }],
    );
  return [
    ...campaign.models.flatMap(({ signals }, index) => none(signals?.targets ?? [], ['models', index, 'signals', 'targets'])),
    ...none(campaign.observe.signals, ['observe', 'signals']),
  ];
}

interface Measured {
  name: string;
  msOfRun: number;
  runs: number;
  end: number | null;
}

/** By this campaign itself, else by the one with most runs. */
function measuredOf(store: Store, snapshot: string, name: string): Measured | undefined {
  const own = measure(store, snapshot, name);
  if (own !== undefined) return own;
  const others = namesIn(join(store.path, 'campaigns')).flatMap((one) => measure(store, snapshot, one) ?? []);
  return others.sort((a, b) => b.runs - a.runs)[0];
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function measure(store: Store, snapshot: string, name: string): Measured | undefined {
  try {
    const results = new CampaignResults(campaignFolder(store.path, name), true);
    try {
      if (campaignOf(results)?.snapshot !== snapshot) return undefined;
      const [row] = results.rows(
        `SELECT avg(elapsed_ms) AS ms, count(*) AS runs FROM (SELECT elapsed_ms FROM run WHERE outcome <> 'toolError' LIMIT ${MEASURED_RUNS})`,
      );
      const runs = Number(row?.['runs'] ?? 0);
      if (runs === 0) return undefined;
      return { name, runs, msOfRun: Number(row?.['ms']), end: lengthOf(results.begun?.golden) };
    } finally {
      results.close();
    }
  } catch {
    // There are none, or they are of another Cairn.
    return undefined;
  }
}

function lengthOf(golden: Golden | undefined): number | null {
  const design = golden?.design;
  return design?.end == null || design.begin === null ? null : design.end - design.begin;
}
