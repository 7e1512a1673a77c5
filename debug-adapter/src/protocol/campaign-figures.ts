/**
 * What a campaign's results come to, beyond the rates: by module, by time, by register, and as the figures by which designs are assessed. What
 * `cairn campaign figures --json` prints, and what the page and the report of a campaign show.
 */
import * as z from 'zod';
import { Outcome, Rate } from './campaign.js';

const whole = z.number().int();
export const OutcomeCounts = z.partialRecord(Outcome, whole);
export type OutcomeCounts = z.infer<typeof OutcomeCounts>;

/** What a fault is to a safety goal: ISO 26262-5, with the words of its annexes. */
export const FaultClass = z.enum(['safe', 'detected', 'residual', 'latent']);
export type FaultClass = z.infer<typeof FaultClass>;

/** Outcome → what it counts as, over what is assumed by default. */
export const Assumptions = z.partialRecord(Outcome, FaultClass);
export type Assumptions = z.infer<typeof Assumptions>;

export const SafetyFigures = z.object({
  /** What each outcome counts as. */
  classes: z.record(z.string(), FaultClass),
  counts: z.record(FaultClass, whole),
  /** Single-point fault metric, latent-fault metric, and diagnostic coverage of residual faults; null: no run tells. */
  spfm: Rate.nullable(),
  lfm: Rate.nullable(),
  coverage: Rate.nullable(),
  /** In sentences. */
  assumptions: z.array(z.string()),
});
export type SafetyFigures = z.infer<typeof SafetyFigures>;

export const CampaignFigures = z.object({
  /** Of all intervals. */
  confidence: z.number(),
  /** Those with most runs; of calls a scope is a program. */
  scopes: z.array(z.object({ scope: z.string(), counts: OutcomeCounts })),
  /** How many there are in all. */
  allScopes: whole,
  /** Parts of the time in which faults begin, in ticks after the restart; null: they have no times. */
  times: z.object({ first: whole, width: whole, parts: whole }).nullable(),
  /** Of the scopes above, where there are runs. */
  cells: z.array(z.object({ scope: z.string(), part: whole, counts: OutcomeCounts })),
  /** Rates as they came to be, the first runs first. */
  steps: z.array(z.object({ runs: whole, rates: z.partialRecord(Outcome, Rate) })),
  /** By the lower end of the interval of their rate of failures. */
  targets: z.array(z.object({ target: z.string(), scope: z.string(), runs: whole, failures: Rate })),
  /** Share of faults that become errors that can be seen; of that, what nobody noticed, and what was noticed or ended the run. */
  avf: z.object({ all: Rate, silent: Rate, noticed: Rate }),
  safety: SafetyFigures,
});
export type CampaignFigures = z.infer<typeof CampaignFigures>;

/** Outcomes that can be seen from outside as errors. */
export const FAILURES: readonly Outcome[] = ['silentDataCorruption', 'detected', 'trap', 'hang', 'crash'];

export const classWords: Readonly<Record<FaultClass, string>> = {
  safe: 'safe',
  detected: 'detected',
  residual: 'single-point or residual',
  latent: 'latent multiple-point',
};

/** What may be assumed of each outcome otherwise; of the others nothing. */
export const ASSUMABLE: Readonly<Partial<Record<Outcome, readonly FaultClass[]>>> = {
  latent: ['latent', 'safe'],
  timing: ['residual', 'safe', 'detected'],
  trap: ['residual', 'detected'],
  hang: ['residual', 'detected'],
  crash: ['residual', 'detected'],
};
