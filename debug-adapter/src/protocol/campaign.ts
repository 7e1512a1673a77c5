/**
 * A campaign as its file says it, and what became of its runs. The file is YAML; schemas/campaign.schema.json is made from this. Pure.
 */
import * as z from 'zod';

const whole = z.number().int();

/** What a fault does to a call; as native-agent/faults/calls/fault-calls.schema.json has it, where each word is explained. */
export const CallEffect = z
  .strictObject({
    call: z.boolean().optional(),
    return: z.union([whole, z.string().regex(/^0[xX][0-9a-fA-F]{1,16}$/)]).optional(),
    returnDouble: z.number().optional(),
    errno: z.union([whole.positive(), z.string()]).optional(),
    flip: z.union([whole, z.string().regex(/^0[xX][0-9a-fA-F]{1,16}$/)]).optional(),
    output: z
      .strictObject({
        argument: whole.min(1).max(6),
        offset: whole.nonnegative().optional(),
        bytes: z.string().optional(),
        flip: z.string().optional(),
        withinResult: z.boolean().optional(),
      })
      .optional(),
    delayUs: whole.nonnegative().max(3_600_000_000).optional(),
  })
  .describe('What becomes of the call: return, returnDouble, errno, flip, output or delayUs, as in settings of fault-calls.');

export const CallFaults = z.strictObject({
  function: z.string().min(1).max(199).describe('Name in tables of symbols, such as write.'),
  library: z.string().max(199).optional().describe('As the library names itself, such as libc.so.6.'),
  program: z.string().max(199).optional().describe('Only in programs that were started by this name.'),
  calls: z
    .strictObject({ first: whole.positive().default(1), last: whole.positive() })
    .refine(({ first, last }) => first <= last, 'last is not before first')
    .describe('Each of these calls since the restart, counted from 1, is a place for a fault.'),
  effects: z.array(CallEffect).min(1).max(1000),
});
export type CallFaults = z.infer<typeof CallFaults>;

export const FaultModel = z.strictObject({
  name: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,47}$/)
    .describe('By which results name it.'),
  calls: CallFaults.describe('Faults in calls of a function.'),
});
export type FaultModel = z.infer<typeof FaultModel>;

const pattern = z.string().refine((text) => {
  try {
    return new RegExp(text, 'u') instanceof RegExp;
  } catch {
    return false;
  }
}, 'it is no regular expression');

/**
 * masked: as without a fault. silentDataCorruption: other output, and nobody noticed. detected: the design said so. trap: it ended with another
 * status. hang: it did not end. crash: a signal ended it. toolError: nothing is known of the design, since the run itself failed.
 */
export const Outcome = z.enum(['masked', 'silentDataCorruption', 'detected', 'trap', 'hang', 'crash', 'toolError']);
export type Outcome = z.infer<typeof Outcome>;

export const Campaign = z.strictObject({
  $schema: z.string().optional(),
  snapshot: z.string().min(1).describe('Where each run begins: id or name of a snapshot.'),
  store: z.string().optional().describe('Folder of the snapshot, relative to this file. Default: .cairn beside it.'),
  models: z.array(FaultModel).min(1).describe('The faults: each place of each model is one.'),
  seed: whole.nonnegative().default(0).describe('Of the sample: the same seed, the same faults.'),
  sample: z
    .union([
      whole.positive(),
      z.strictObject({
        margin: z.number().gt(0).lt(1).default(0.05).describe('Half of the interval that a rate is to have.'),
        confidence: z.number().gt(0).lt(1).default(0.95),
      }),
    ])
    .optional()
    .describe('How many of the faults, or how exact rates are to be. Default: all faults.'),
  workers: whole.positive().max(256).optional().describe('Runs at the same time. Default: one for each processor.'),
  timeout: z
    .number()
    .min(1)
    .max(1000)
    .default(5)
    .describe('A run has hung after so many times what the run without a fault takes, at least 2 s.'),
  observe: z
    .strictObject({
      console: z.boolean().default(true).describe('What the programs print.'),
      files: z.array(z.string().min(1)).default([]).describe('Files that a run writes, by patterns such as *.vcd or out/**.'),
      ignore: z.array(pattern).default([]).describe('Lines of the console that match are not compared.'),
    })
    .prefault({})
    .describe('What is compared with the run without a fault.'),
  detect: z
    .strictObject({
      console: pattern
        .optional()
        .describe('A line that matches, and that the run without a fault has not, says that the fault was detected.'),
      status: z.array(whole.min(0).max(255)).default([]).describe('Exit statuses that say so.'),
    })
    .prefault({})
    .describe('How the design tells that it has detected a fault.'),
  limits: z
    .partialRecord(Outcome, z.number().min(0).max(1))
    .optional()
    .describe('Largest share of runs with an outcome; one that has more makes the command end with status 1.'),
});
export type Campaign = z.infer<typeof Campaign>;

/** What a run was seen to do. */
export interface Observation {
  /** Exit status; 128 and the signal's number where a signal ended it. null: it was ended after its time. */
  status: number | null;
  lines: readonly string[];
  /** Checksums by name. */
  files: Readonly<Record<string, string>>;
}

export const Run = z.object({
  /** From 0, in the order of the sample. */
  number: whole,
  model: z.string(),
  /** The fault in words. */
  fault: z.string(),
  outcome: Outcome,
  /** Whether the fault changed anything at its place; null: that is not known, since the run failed. */
  effective: z.boolean().nullable(),
  /** Where it first differs from the run without a fault. */
  deviation: z.string(),
  status: whole.nullable(),
  elapsedMs: z.number(),
  /** ISO 8601 */
  finishedAt: z.string(),
});
export type Run = z.infer<typeof Run>;

/** A share of the runs with its interval (Wilson), in which the true rate is at the campaign's confidence. */
export const Rate = z.object({ count: whole, rate: z.number(), low: z.number(), high: z.number() });
export type Rate = z.infer<typeof Rate>;

export const CampaignSummary = z.object({
  runs: whole,
  planned: whole,
  /** All faults that there are. */
  population: whole,
  outcomes: z.partialRecord(Outcome, Rate),
  notEffective: whole,
  runsPerSecond: z.number(),
});
export type CampaignSummary = z.infer<typeof CampaignSummary>;

/** What `cairn campaign status --json` prints: the summary, and what views show beside it. */
export const CampaignStatus = CampaignSummary.extend({
  name: z.string(),
  /** Absolute; where its results are. */
  folder: z.string(),
  models: z.array(z.object({ model: z.string(), outcome: Outcome, count: whole })),
});
export type CampaignStatus = z.infer<typeof CampaignStatus>;

/** What `cairn campaign show --limit … --json` prints. */
export const RunPage = z.object({ total: whole, offset: whole, runs: z.array(Run) });
export type RunPage = z.infer<typeof RunPage>;

/** What `cairn campaign show FILE RUN --json` prints. */
export const RunDetail = Run.extend({ console: z.string(), again: z.string() });
export type RunDetail = z.infer<typeof RunDetail>;

/** Where a file is no campaign. Lines are counted from 1; 0: at none. */
export const CampaignProblem = z.object({ line: whole, message: z.string() });
export type CampaignProblem = z.infer<typeof CampaignProblem>;

/**
 * What `cairn campaign check --json` prints: where the file is no campaign; also the name of its results, and the folder where they are; both empty where it is no campaign.
 * `begun`: there are results.
 */
export const CampaignCheck = z.object({
  problems: z.array(CampaignProblem),
  name: z.string(),
  folder: z.string(),
  begun: z.boolean(),
});
export type CampaignCheck = z.infer<typeof CampaignCheck>;

/** What each outcome is called, and what it says of the design. */
export const outcomeWords: Readonly<Record<Outcome, { label: string; meaning: string }>> = {
  masked: { label: 'Masked', meaning: 'as without a fault' },
  silentDataCorruption: { label: 'Silent data corruption', meaning: 'other output, and nobody noticed' },
  detected: { label: 'Detected', meaning: 'the design said so' },
  trap: { label: 'Trap', meaning: 'it ended with another status' },
  hang: { label: 'Hang', meaning: 'it did not end' },
  crash: { label: 'Crash', meaning: 'a signal ended it' },
  toolError: { label: 'Tool error', meaning: 'the run itself failed, and counts as no result' },
};
