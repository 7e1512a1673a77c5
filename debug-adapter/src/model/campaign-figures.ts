/**
 * Figures by which designs are assessed, from counts of outcomes: the architectural vulnerability factor (Mukherjee et al., MICRO 2003) and the
 * hardware metrics of ISO 26262-5. Pure. Tests: test/unit/campaign-figures.test.ts.
 */
import { type Outcome, outcomeWords, type Rate } from '../protocol/campaign.js';
import {
  type Assumptions,
  type CampaignFigures,
  classWords,
  FAILURES,
  type FaultClass,
  type OutcomeCounts,
  type SafetyFigures,
} from '../protocol/campaign-figures.js';
import { wilson } from './statistics.js';

/** Without a word of the user's whatever can be seen outside, and nobody has noticed by a means that is made for it, is residual. */
const DEFAULT: Readonly<Record<Exclude<Outcome, 'toolError'>, FaultClass>> = {
  masked: 'safe',
  latent: 'latent',
  timing: 'residual',
  silentDataCorruption: 'residual',
  detected: 'detected',
  trap: 'residual',
  hang: 'residual',
  crash: 'residual',
};

export interface Sample {
  confidence: number;
  /** All faults that there are. */
  population: number;
}

const sum = (counts: OutcomeCounts, outcomes: readonly Outcome[]): number =>
  outcomes.reduce((all, one) => all + (counts[one] ?? 0), 0);

/** Runs that say something about the design. */
export function told({ toolError: _toolError, ...counts }: OutcomeCounts): number {
  return Object.values(counts).reduce((all, one) => all + one, 0);
}

export function avfOf(counts: OutcomeCounts, { confidence, population }: Sample): CampaignFigures['avf'] {
  const runs = told(counts);
  const share = (outcomes: readonly Outcome[]): Rate => wilson(sum(counts, outcomes), runs, confidence, population);
  return {
    all: share(FAILURES),
    silent: share(['silentDataCorruption']),
    noticed: share(FAILURES.filter((one) => one !== 'silentDataCorruption')),
  };
}

export function safetyOf(counts: OutcomeCounts, { confidence, population }: Sample, assumed: Assumptions = {}): SafetyFigures {
  const classes = { ...DEFAULT, ...assumed };
  const outcomes = Object.keys(DEFAULT) as (keyof typeof DEFAULT)[];
  const of = (wanted: FaultClass): Outcome[] => outcomes.filter((one) => classes[one] === wanted);
  const had: Record<FaultClass, number> = {
    safe: sum(counts, of('safe')),
    detected: sum(counts, of('detected')),
    residual: sum(counts, of('residual')),
    latent: sum(counts, of('latent')),
  };
  const runs = told(counts);
  // Of a part of the faults nobody knows how many there are in all; as many of them as of the whole have been tried.
  const share = (count: number, part: number): Rate | null =>
    part === 0 ? null : wilson(count, part, confidence, Math.max(part, Math.round((population * part) / runs)));
  const without = (rate: Rate | null, part: number): Rate | null =>
    rate && { count: part - rate.count, rate: 1 - rate.rate, low: 1 - rate.high, high: 1 - rate.low };
  return {
    classes,
    counts: had,
    spfm: without(share(had.residual, runs), runs),
    lfm: without(share(had.latent, runs - had.residual), runs - had.residual),
    coverage: share(had.detected, had.detected + had.residual),
    assumptions: [
      ...(['safe', 'detected', 'residual', 'latent'] as const).flatMap((one) => sentence(one, of(one))),
      'Each fault of the campaign is as likely as any other: all bits have the same failure rate, which cancels out, and the times are evenly spread.',
      'Only what the campaign has faults in counts; what is not among its targets is neither safe nor covered.',
      'A fault that changed nothing at its place (overwritten in the same time step, or the bit was so already) counts by its outcome, as any other.',
      'The observation ends with the run: what would be seen or detected only later is latent or masked here.',
    ],
  };
}

function sentence(what: FaultClass, outcomes: readonly Outcome[]): string[] {
  if (outcomes.length === 0) return [];
  return [`Counted as ${classWords[what]}: ${outcomes.map((one) => outcomeWords[one].label.toLowerCase()).join(', ')}.`];
}

export const percentText = (share: number): string => `${(100 * share).toFixed(1)} %`;

export const rateText = (rate: Rate | null): string =>
  rate === null ? 'not known' : `${percentText(rate.rate)} (${percentText(rate.low)} to ${percentText(rate.high)})`;
