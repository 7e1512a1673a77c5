/**
 * What a campaign's file and the design decide: which faults there are, which of them are run, in which order; and by which words results know the
 * campaign that they are of. The same everywhere. Tests: test/unit/fault-space.test.ts, test/faults/campaign.test.ts.
 */
import { FaultSpace } from '../model/fault-space.js';
import { sampleOf, sampleSize, shuffled, wilson } from '../model/statistics.js';
import { pluginLibrary } from '../platform/installation.js';
import { type Campaign, type CampaignSummary, type Outcome, type Target, targetPatterns } from '../protocol/campaign.js';
import { failure, reason } from '../protocol/errors.js';
import type { CampaignResults } from '../store/campaign-results.js';
import { fileChecksum } from '../store/checksum.js';

const CONFIDENCE = 0.95;
const MOST_RUNS = 10_000_000;

export interface Planned {
  space: FaultSpace;
  /** Of the faults in the space, by the number of their runs. */
  indices: number[];
}

/** The faults of a campaign, by the number of their runs. */
export function plannedFaults(campaign: Campaign, targets: readonly Target[]): Planned {
  const { space, planned } = extentIn(campaign, targets);
  return { space, indices: sampleOf(space.size, planned, campaign.seed) };
}

/** Without the choice of the faults, which takes time where they are many. */
function extentIn(campaign: Campaign, targets: readonly Target[]): Extent & { space: FaultSpace } {
  const space = new FaultSpace(campaign, targets);
  if (space.size === 0)
    throw failure('usage', {
      what: `The campaign has no faults: no signal of the design is meant by ${targetPatterns(campaign).join(', ')}`,
      remedy: 'See what the design has: cairn restart SNAPSHOT --detach, then cairn signals PATTERN',
    });
  const { sample } = campaign;
  const count = typeof sample === 'object' ? sampleSize(space.size, sample.margin, sample.confidence) : (sample ?? space.size);
  const planned = Math.min(count, space.size);
  if (planned > MOST_RUNS)
    throw failure('usage', {
      what: `The campaign has ${planned} runs: there can be ${MOST_RUNS}`,
      remedy: 'Let "sample" say how many of the faults, or how exact the rates are to be.',
    });
  return { space, planned, population: space.size };
}

export interface Extent {
  planned: number;
  population: number;
}

/** How many runs are planned, of how many faults. */
export const extentOf = ({ space, indices }: Planned): Extent => ({ planned: indices.length, population: space.size });

/** Of the runs: those that have been made at any moment are a sample of them all. */
export const orderOf = ({ indices }: Planned, { seed }: Pick<Campaign, 'seed'>): Uint32Array => shuffled(indices.length, seed);

export const confidenceOf = ({ sample }: Campaign): number => (typeof sample === 'object' ? sample.confidence : CONFIDENCE);

/** What decides the runs: with the snapshot's id, without what only says how and where they are made, and how they are judged as a whole. */
export async function planText(campaign: Campaign, snapshot: string): Promise<string> {
  const {
    store: _store,
    workers: _workers,
    runner: _runner,
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
export function campaignOf({ begun }: CampaignResults): Campaign | undefined {
  return begun === undefined ? undefined : (JSON.parse(begun.plan) as Campaign);
}

/** What has been counted by now. */
export function summaryOf(results: CampaignResults, campaign: Campaign): CampaignSummary {
  const { notEffective, endedAfter } = results;
  const { planned, population } = extentIn(campaign, results.begun?.golden.targets ?? []);
  return summaryFrom({ counts: results.counts(), notEffective, endedAfter, planned, population }, campaign);
}

export interface Counted extends Extent {
  counts: Partial<Record<Outcome, number>>;
  notEffective: number;
  endedAfter: number | null;
}

export function summaryFrom(
  { counts, notEffective, planned, population, endedAfter }: Counted,
  campaign: Campaign,
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
  return { runs: runs + toolError, planned, population, outcomes, notEffective, endedAfter, runsPerSecond: 0 };
}
