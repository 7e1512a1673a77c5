/**
 * What a campaign comes to before it is run: what `cairn campaign plan --json` and `cairn campaign design --json` print, and the Faults panel
 * shows.
 */
import * as z from 'zod';
import { CampaignProblem, Rate, type Target } from './campaign.js';
import { SimulatedTime } from './snapshot.js';

const whole = z.number().int();

/** What patterns mean. */
export const TargetCount = z.object({
  /** Whether the simulator tells nets from registers: else all vectors are counted as these. */
  told: z.boolean(),
  registers: whole,
  nets: whole,
  memories: whole,
  /** Of all of them, memories with each word. */
  bits: whole,
});
export type TargetCount = z.infer<typeof TargetCount>;

export const DesignTarget = z.object({
  name: z.string(),
  memory: z.boolean(),
  width: whole,
  left: whole,
  right: whole,
  net: z.boolean().optional(),
}) satisfies z.ZodType<Target>;

/** The signals of a snapshot's design. */
export const SnapshotDesign = z.object({ snapshot: z.string(), targets: z.array(DesignTarget) });
export type SnapshotDesign = z.infer<typeof SnapshotDesign>;

export const CampaignPlan = z.object({
  problems: z.array(CampaignProblem),
  /** Of the results. */
  name: z.string(),
  store: z.string(),
  /** null: there is none of that name; `prepares`: the campaign makes it. */
  snapshot: z.object({ id: z.string(), name: z.string(), simulatedTime: SimulatedTime.nullable() }).nullable(),
  prepares: z.boolean(),
  /** Whether the design's signals have been read from the snapshot. */
  designKnown: z.boolean(),
  models: z.array(
    z.object({
      name: z.string(),
      /** null: it is not about signals, or they are not known. */
      targets: TargetCount.nullable(),
      faults: whole.nullable(),
    }),
  ),
  /** All faults, and how many are tried; null: the design's signals are not known. */
  population: whole.nullable(),
  runs: whole.nullable(),
  confidence: z.number(),
  /** Wilson's interval of a rate of one half, than which none has a wider one. */
  interval: Rate.nullable(),
  /** As measured; null: no campaign of this snapshot has been run. */
  runsPerSecond: z.number().nullable(),
  /** By which campaign. */
  measuredBy: z.string(),
  seconds: z.number().nullable(),
  /** Ticks from the restart to the end of the run without a fault; null: it is not known. */
  end: whole.nullable(),
});
export type CampaignPlan = z.infer<typeof CampaignPlan>;

/** A run's fault, ready to be put: what `cairn campaign arm --json` prints, in the words of a launch configuration. */
export const ArmedFault = z.object({
  /** The snapshot's folder. */
  snapshot: z.string(),
  store: z.string(),
  plugin: z.object({ library: z.string(), settings: z.record(z.string(), z.unknown()) }),
  fault: z.string(),
  /** Whether the computation is held just before it. */
  holds: z.boolean(),
});
export type ArmedFault = z.infer<typeof ArmedFault>;

/** What `cairn campaign waveform --json` prints. */
export const WaveformDifference = z.object({
  /** Absolute; a VCD file with the scopes "difference", "golden" and "fault". Empty: nothing differs. */
  file: z.string(),
  signals: whole,
  /** In the waveform's own time; null: nothing differs. */
  first: z.object({ signal: z.string(), time: whole }).nullable(),
});
export type WaveformDifference = z.infer<typeof WaveformDifference>;

/** Whether the simulator makes a difference between nets and registers, seen by all signals of a design. */
export const tellsNets = (design: readonly Target[]): boolean => design.some(({ net }) => net);

export function countTargets(targets: readonly Target[], told: boolean): TargetCount {
  const count = { told, registers: 0, nets: 0, memories: 0, bits: 0 };
  for (const { memory, net, width, left, right } of targets) {
    count[memory ? 'memories' : net ? 'nets' : 'registers']++;
    count.bits += width * (memory ? Math.abs(left - right) + 1 : 1);
  }
  return count;
}
