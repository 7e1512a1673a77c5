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

const signalName = z.string().min(1).max(511);
/** As in `cairn signals PATTERN`. */
const signalPattern = signalName.describe('Names of signals, with * and ?; without them a part of the name.');
const ticks = whole.nonnegative().max(Number.MAX_SAFE_INTEGER);
/** The plugin takes no more at once. */
const MOST_PATTERNS = 32;
const signalPatterns = z.array(signalPattern).max(MOST_PATTERNS);
const bits = z.string().regex(/^[01xz]{1,255}$/, 'it is of binary digits, such as 0110');

/** As native-agent/faults/signals/fault-signals.schema.json has it, where each word is explained. */
export const SignalFaults = z
  .strictObject({
    model: z
      .enum(['upset', 'stuckAt', 'transient', 'intermittent', 'bridge', 'delay'])
      .describe(
        'Bits are turned over once; held at a value; held for a duration; now and then; get the value of another signal; or change later.',
      ),
    targets: signalPatterns.min(1).describe('Signals and memories: each bit of each of them is a place for a fault.'),
    exclude: signalPatterns.default([]).describe('But not these.'),
    adjacent: whole.min(1).max(64).default(1).describe('How many bits beside each other a fault has.'),
    values: z
      .array(z.union([z.literal(0), z.literal(1)]))
      .min(1)
      .optional()
      .describe(
        'At which they are held. Of stuckAt by default both; of a transient or an intermittent fault the inverse of what they are.',
      ),
    times: z
      .union([
        z.array(ticks).min(1).max(100_000),
        z
          .strictObject({ from: ticks.default(0), to: ticks, step: ticks.min(1).default(1) })
          .refine(({ from, to }) => from <= to, 'to is not before from'),
      ])
      .default([0])
      .describe('When it begins, in ticks of simulated time since the restart: some, or a range. Default: at once.'),
    duration: ticks.min(1).optional().describe('In ticks; of a transient fault it must be there.'),
    period: ticks.min(1).optional().describe('Of an intermittent fault.'),
    on: ticks.min(1).optional().describe('Ticks of each period in which it is there.'),
    from: signalName.optional().describe('Of a bridge: the other signal.'),
    kind: z.enum(['dominant', 'and', 'or']).optional().describe('Of a bridge.'),
    by: ticks.min(1).optional().describe('Of a delay: so many ticks, or cycles of its clock.'),
    clock: signalName.optional().describe('Of a delay by cycles.'),
  })
  .superRefine(({ model, values, duration, period, on, from, by, clock }, context) => {
    const missing = (path: string, is: boolean): void => {
      if (!is) context.addIssue({ code: 'custom', path: [path], message: `a model "${model}" needs it` });
    };
    if (model === 'transient') missing('duration', duration !== undefined);
    if (model === 'intermittent') missing('on', on !== undefined && period !== undefined && on < period);
    if (model === 'bridge') missing('from', from !== undefined);
    if (model === 'delay') missing('by', by !== undefined);
    if (model !== 'delay' && (by !== undefined || clock !== undefined))
      context.addIssue({ code: 'custom', path: [by === undefined ? 'clock' : 'by'], message: 'it is of a delay' });
    if (model === 'upset' && values !== undefined)
      context.addIssue({ code: 'custom', path: ['values'], message: 'an upset turns bits over' });
    if (model === 'delay' && values !== undefined)
      context.addIssue({ code: 'custom', path: ['values'], message: 'a delay has none' });
  });
export type SignalFaults = z.infer<typeof SignalFaults>;

/** Some numbers, or a range of them. */
const numbers = (most: number): z.ZodType<number[] | { from: number; to: number; step: number }> =>
  z.union([
    z.array(whole.nonnegative().max(most)).min(1).max(100_000),
    z
      .strictObject({
        from: whole.nonnegative().max(most).default(0),
        to: whole.nonnegative().max(most),
        step: whole.positive().default(1),
      })
      .refine(({ from, to }) => from <= to, 'to is not before from'),
  ]);

/** As native-agent/faults/process/fault-process.schema.json has it, where each word is explained. */
export const ProcessFaults = z
  .strictObject({
    memory: z
      .strictObject({
        symbol: z.string().min(1).max(199).optional(),
        object: z.string().max(199).optional().describe('How the path of the program or library that has the symbol ends.'),
        source: z.string().max(199).optional().describe('The source file of a static symbol.'),
        address: z
          .string()
          .regex(/^0[xX][0-9a-fA-F]{1,16}$/)
          .optional(),
        mapping: z.string().min(1).max(199).optional().describe('heap, stack, or how the path of a mapped file ends.'),
        writable: z.boolean().optional().describe('By chance only in memory that the program may write.'),
        offsets: numbers(Number.MAX_SAFE_INTEGER)
          .optional()
          .describe('Bytes from there, each of which is a place. Default: the first one.'),
      })
      .refine(({ symbol, address, mapping }) => [symbol, address, mapping].filter((one) => one !== undefined).length === 1, {
        message: 'memory is a symbol, an address or a mapping',
      })
      .optional(),
    registers: z
      .array(z.string().regex(/^(r(ax|bx|cx|dx|si|di|bp|sp|ip|flags|[89]|1[0-5])|[xy]mm([0-9]|1[0-5]))$/))
      .min(1)
      .optional()
      .describe('Each bit of each of them is a place for a fault.'),
    instruction: z.literal('skip').optional().describe('The next instruction of a thread is left out.'),
    bits: z
      .array(whole.min(0).max(255))
      .min(1)
      .optional()
      .describe('Only these bits of a byte or register. Default: each of them.'),
    chance: whole
      .positive()
      .max(10_000_000)
      .optional()
      .describe('In place of offsets and bits: so many faults, each at a byte and bit by chance, the same ones each time.'),
    thread: z
      .union([z.string().min(1).max(199), whole.positive()])
      .optional()
      .describe('Its name, or its number in the order of their ids; the first is 1.'),
    program: z.string().max(199).optional().describe('Only in programs that were started by this name.'),
    times: numbers(31_536_000_000_000)
      .default([0])
      .describe('Microseconds after the restart. Default: at once, before the program runs.'),
    processor: z.boolean().default(false).describe("Times are of the processor's time that the process takes."),
    calls: z
      .strictObject({
        function: z.string().min(1).max(199),
        library: z.string().max(199).optional(),
        first: whole.positive().default(1),
        last: whole.positive(),
      })
      .refine(({ first, last }) => first <= last, 'last is not before first')
      .optional()
      .describe('In place of times: before each of these calls of a function.'),
  })
  .refine(
    ({ memory, registers, instruction }) => [memory, registers, instruction].filter((one) => one !== undefined).length === 1,
    {
      message: 'it has one of memory, registers and instruction',
    },
  )
  .refine(({ memory, chance }) => chance === undefined || memory !== undefined, {
    message: 'chance is about memory',
    path: ['chance'],
  });
export type ProcessFaults = z.infer<typeof ProcessFaults>;

/** As native-agent/faults/messages/fault-messages.schema.json has it, where each word is explained. */
export const MessageEffect = z
  .strictObject({
    drop: z.literal(true).optional(),
    corrupt: z
      .strictObject({
        offset: whole.nonnegative().optional(),
        bytes: z
          .string()
          .regex(/^([0-9a-fA-F]{2}){1,64}$/)
          .optional(),
        flip: z
          .string()
          .regex(/^([0-9a-fA-F]{2}){1,64}$/)
          .optional(),
      })
      .optional(),
    delayUs: whole.nonnegative().max(3_600_000_000).optional(),
    duplicate: z.literal(true).optional(),
    reorder: z.literal(true).optional(),
  })
  .describe('What becomes of the message: drop, corrupt, delayUs, duplicate or reorder, as in settings of fault-messages.');

export const MessageFaults = z.strictObject({
  connection: z
    .strictObject({
      peer: z.string().max(199).optional().describe('How the address of the other end ends, such as :4711.'),
      local: z.string().max(199).optional(),
      path: z.string().max(199).optional().describe('How the path of a Unix socket or FIFO ends.'),
      kind: z.enum(['socket', 'pipe', 'fifo']).optional(),
    })
    .refine((of) => Object.values(of).some((one) => one !== undefined), 'it needs peer, local, path or kind'),
  direction: z.enum(['send', 'receive']),
  program: z.string().max(199).optional().describe('Only in programs that were started by this name.'),
  rule: z
    .strictObject({
      size: whole.positive().optional(),
      line: z.literal(true).optional(),
      extension: z.string().min(1).max(63).optional(),
      lengthBytes: whole.min(1).max(8).optional(),
      lengthOffset: whole.min(0).max(56).optional(),
      bigEndian: z.boolean().optional(),
      header: whole.nonnegative().optional(),
    })
    .optional()
    .describe('Where a message ends. Default: each call is one.'),
  messages: z
    .strictObject({ first: whole.positive().default(1), last: whole.positive() })
    .refine(({ first, last }) => first <= last, 'last is not before first')
    .describe('Each of these messages since the restart, counted from 1, is a place for a fault.'),
  effects: z.array(MessageEffect).min(1).max(1000),
});
export type MessageFaults = z.infer<typeof MessageFaults>;

const anything = z.record(z.string(), z.unknown());
/** A fault model of the user's own. */
export const PluginFaults = z.strictObject({
  library: z.string().min(1).describe('The plugin: its path, relative to this file.'),
  settings: anything.default({}).describe('For each of its faults.'),
  faults: z.array(anything).min(1).max(100_000).optional().describe('Each is a fault: the settings that are its own.'),
  parameters: z
    .record(z.string(), z.union([numbers(Number.MAX_SAFE_INTEGER), z.array(z.unknown()).min(1).max(100_000)]))
    .default({})
    .describe('Settings that have several values: each combination of them is a fault.'),
});
export type PluginFaults = z.infer<typeof PluginFaults>;

export const FaultModel = z
  .strictObject({
    name: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,47}$/)
      .describe('By which results name it.'),
    calls: CallFaults.optional().describe('Faults in calls of a function.'),
    signals: SignalFaults.optional().describe('Faults on signals of the simulated design.'),
    process: ProcessFaults.optional().describe('Bits of memory or registers of the programs, or instructions left out.'),
    messages: MessageFaults.optional().describe('Faults in messages on a connection.'),
    plugin: PluginFaults.optional().describe('Faults of a plugin of your own: cairn plugin new --fault NAME.'),
  })
  .refine(
    ({ calls, signals, process, messages, plugin }) =>
      [calls, signals, process, messages, plugin].filter((one) => one !== undefined).length === 1,
    { message: 'a model has one of calls, signals, process, messages and plugin' },
  );
export type FaultModel = z.infer<typeof FaultModel>;

const pattern = z.string().refine((text) => {
  try {
    return new RegExp(text, 'u') instanceof RegExp;
  } catch {
    return false;
  }
}, 'it is no regular expression');

/**
 * masked: as without a fault. latent: so is the output, but the state at the end is another. timing: so is the output, but it ended at another
 * simulated time. silentDataCorruption: other output, and nobody noticed. detected: the design said so. trap: it ended with another
 * status. hang: it did not end. crash: a signal ended it. toolError: nothing is known of the design, since the run itself failed.
 */
export const Outcome = z.enum([
  'masked',
  'latent',
  'timing',
  'silentDataCorruption',
  'detected',
  'trap',
  'hang',
  'crash',
  'toolError',
]);
export type Outcome = z.infer<typeof Outcome>;

/** How a run comes into being: as a copy of a process that has the snapshot in memory, or by a restart from disk. */
export const StartKind = z.enum(['resident', 'disk']);
export type StartKind = z.infer<typeof StartKind>;
/** Paths are relative to the campaign's file, where the commands run. */
export const Preparation = z.strictObject({
  build: z.array(z.string().min(1)).min(1).optional().describe('A command that builds what is run, such as [make, faults].'),
  command: z.array(z.string().min(1)).min(1).describe('What is run under Cairn.'),
  until: pattern.describe('A line of its console that matches: there the snapshot is made, and the run ended.'),
});
export type Preparation = z.infer<typeof Preparation>;

/** `cairn campaign` beside Slurm: jobs on other machines that see the store by the same path. */
export const SlurmRunner = z.strictObject({
  kind: z.literal('slurm'),
  options: z
    .array(z.string().regex(/^-/, 'it begins with -'))
    .default([])
    .describe('Options of sbatch, such as --partition=sim, --account=… or --time=60.'),
  runsPerTask: whole
    .positive()
    .optional()
    .describe(
      'How many runs a task of the job array makes, each of which restores the snapshot once. Default: eight tasks for each worker.',
    ),
  stage: z
    .string()
    .regex(/^\//, 'it is an absolute path')
    .default('/tmp')
    .describe('A folder on the nodes themselves, where each keeps its copy of the snapshot until the campaign has ended.'),
});
export type SlurmRunner = z.infer<typeof SlurmRunner>;

export const Runner = z.discriminatedUnion('kind', [z.strictObject({ kind: z.literal('local') }), SlurmRunner]);
export type Runner = z.infer<typeof Runner>;

export const EarlyStop = z.strictObject({
  margin: z.number().gt(0).lt(0.5).describe('Half of the width that the interval of each of the rates may have.'),
  outcomes: z
    .array(Outcome.exclude(['toolError']))
    .min(1)
    .optional()
    .describe('Whose rates are meant. Default: those of all.'),
  atLeast: whole.positive().default(100).describe('Runs that are made in any case.'),
});
export type EarlyStop = z.infer<typeof EarlyStop>;

const CampaignShape = z.strictObject({
  $schema: z.string().optional(),
  snapshot: z.string().min(1).describe('Where each run begins: id or name of a snapshot.'),
  prepare: Preparation.optional().describe('How the snapshot is made where there is none of that name.'),
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
  runner: Runner.optional().describe('Where runs are made. Default: on this machine.'),
  stop: EarlyStop.optional().describe(
    'Ends the campaign before all of its runs are made, when rates are known well enough. The order of runs, and so where it ends, is decided by the seed.',
  ),
  start: StartKind.default('resident').describe(
    'resident: each worker restores the snapshot once, and runs are copies of it; where that cannot be they are restarted from disk, as with disk.',
  ),
  timeout: z
    .number()
    .min(1)
    .max(1000)
    .default(5)
    .describe(
      'A run has hung after so many times what the run without a fault takes: of simulated time, where faults or observations are of signals, else of time, at least 2 s.',
    ),
  observe: z
    .strictObject({
      console: z.boolean().default(true).describe('What the programs print.'),
      files: z.array(z.string().min(1)).default([]).describe('Files that a run writes, by patterns such as *.vcd or out/**.'),
      ignore: z.array(pattern).default([]).describe('Lines of the console that match are not compared.'),
      signals: signalPatterns
        .default([])
        .describe(
          'Signals and memories whose values at the end of the simulation are compared: what differs there alone is latent.',
        ),
    })
    .prefault({})
    .describe('What is compared with the run without a fault.'),
  detect: z
    .strictObject({
      console: pattern
        .optional()
        .describe('A line that matches, and that the run without a fault has not, says that the fault was detected.'),
      status: z.array(whole.min(0).max(255)).default([]).describe('Exit statuses that say so.'),
      signals: z
        .array(z.strictObject({ signal: signalName, value: bits }))
        .max(16)
        .default([])
        .describe('A signal that has this value after the fault has begun says so.'),
    })
    .prefault({})
    .describe('How the design tells that it has detected a fault.'),
  hang: z
    .strictObject({ status: z.array(whole.min(0).max(255)).default([]) })
    .prefault({})
    .describe('Exit statuses by which the test bench says that the design hangs: it need not be waited for then.'),
  limits: z
    .partialRecord(Outcome, z.number().min(0).max(1))
    .optional()
    .describe('Largest share of runs with an outcome; one that has more makes the command end with status 1.'),
});

export const Campaign = CampaignShape.superRefine((campaign, context) => {
  if (targetPatterns(campaign).length > MOST_PATTERNS)
    context.addIssue({
      code: 'custom',
      path: ['models'],
      message: `there are more than ${MOST_PATTERNS} patterns of targets in all`,
    });
});
export type Campaign = z.infer<typeof CampaignShape>;

/** Of all models, each once. */
export function targetPatterns({ models }: Pick<Campaign, 'models'>): string[] {
  return [...new Set(models.flatMap(({ signals }) => signals?.targets ?? []))];
}

/** What a run was seen to do. */
export interface Observation {
  /** Exit status; 128 and the signal's number where a signal ended it. null: it was ended after its time. */
  status: number | null;
  lines: readonly string[];
  /** Checksums by name. */
  files: Readonly<Record<string, string>>;
  /** Of the simulated design; null: nothing was asked of it. */
  design: DesignObservation | null;
}

/** All times in ticks of simulated time. */
export interface DesignObservation {
  /** When it was entered after the restart; null: it never was. */
  begin: number | null;
  /** null: it did not end by itself. */
  end: number | null;
  /** When a signal first said that a fault was detected; null: none has. */
  detected: number | null;
  /** How many of the signals to detect by it does not have. */
  missing: number;
  /** It was ended after so many ticks, as one that hangs; null: it was not. */
  limit?: number | null;
  /** What was to be observed, at the end: the bits of a signal, the words of a memory. */
  state: Readonly<Record<string, string>>;
}

/** A signal of the design that faults may be in. */
export interface Target {
  name: string;
  memory: boolean;
  /** Bits, of a memory those of a word. */
  width: number;
  /** Of a memory's words. */
  left: number;
  right: number;
  /** A net, which its drivers assign; not there: the simulator makes no difference, or an older Cairn has listed it. */
  net?: boolean | undefined;
}

/** The run without a fault, and what its design has. */
export interface Golden extends Observation {
  targets: readonly Target[];
}

export const Run = z.object({
  /** From 0, in the order of the sample. */
  number: whole,
  model: z.string(),
  /** The fault in words. */
  fault: z.string(),
  /** Where it is: the signal, or the word of a memory; of a call its function. */
  target: z.string(),
  /** The module's instance that has the signal; of a call the program; empty: none that is known. */
  scope: z.string(),
  /** When it is to begin, in ticks since the restart; null: not at a time of its own. */
  at: whole.nullable(),
  outcome: Outcome,
  /** Whether the fault changed anything at its place; null: that is not known, since the run failed. */
  effective: z.boolean().nullable(),
  /** What the injection came to in words: effective, overwritten (the design has assigned another value), unchanged, not reached, … */
  injection: z.string(),
  /** Simulated time of the injection, in ticks since the restart; null: it is not known. */
  injectedAt: whole.nullable(),
  /** Ticks from there to the moment when a signal said that it was detected. */
  latency: whole.nullable(),
  /** Where it first differs from the run without a fault. */
  deviation: z.string(),
  status: whole.nullable(),
  start: StartKind,
  /** Why it was restarted from disk, where the campaign wants no such thing; or which other run has the same fault, and was made for both. */
  startReason: z.string(),
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
  /** After so many runs the rates were known well enough, and no more are made; null: they are not, or nothing asks for it. */
  endedAfter: whole.nullable(),
  runsPerSecond: z.number(),
});
export type CampaignSummary = z.infer<typeof CampaignSummary>;

/** What `cairn campaign status --json` prints: the summary, and what views show beside it. */
export const CampaignStatus = CampaignSummary.extend({
  name: z.string(),
  /** Absolute; where its results are. */
  folder: z.string(),
  /** Somebody runs it now. */
  running: z.boolean(),
  /** No run begins before it is resumed, whoever runs it. */
  paused: z.boolean(),
  models: z.array(z.object({ model: z.string(), outcome: Outcome, count: whole })),
});
export type CampaignStatus = z.infer<typeof CampaignStatus>;

/** What `cairn campaign show --limit … --json` prints. `more`: there are at least so many. */
export const RunPage = z.object({ total: whole, more: z.boolean().optional(), offset: whole, runs: z.array(Run) });
export type RunPage = z.infer<typeof RunPage>;

/** What `cairn campaign show FILE RUN --json` prints. */
export const RunDetail = Run.extend({ console: z.string(), again: z.string() });
export type RunDetail = z.infer<typeof RunDetail>;

/** Where a file is no campaign. Lines are counted from 1; 0: at none. `path`: the setting at fault, from the file's root. */
export const CampaignProblem = z.object({
  line: whole,
  message: z.string(),
  path: z.array(z.union([z.string(), z.number()])).default([]),
});
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
  latent: { label: 'Latent', meaning: 'the same output, but another state at the end' },
  timing: { label: 'Timing', meaning: 'the same output, but it ended at another simulated time' },
  silentDataCorruption: { label: 'Silent data corruption', meaning: 'other output, and nobody noticed' },
  detected: { label: 'Detected', meaning: 'the design said so' },
  trap: { label: 'Trap', meaning: 'it ended with another status' },
  hang: { label: 'Hang', meaning: 'it did not end' },
  crash: { label: 'Crash', meaning: 'a signal ended it' },
  toolError: { label: 'Tool error', meaning: 'the run itself failed, and counts as no result' },
};
