/**
 * Operations on a computation (checkpoint, hold, resume, restart) and their phases, as the control protocol tells of them.
 */
import * as z from 'zod';

export const OperationKind = z.enum(['checkpoint', 'hold', 'resume', 'restart']);
export type OperationKind = z.infer<typeof OperationKind>;

export const PhaseName = z.enum(['presuspend', 'suspend', 'barrier', 'save', 'resume', 'running', 'abort', 'restart', 'write']);
export type PhaseName = z.infer<typeof PhaseName>;

/** A phase of the operation in progress, or of the last one: who has arrived, and how long it took. */
export const PhaseStatus = z.object({
  phase: PhaseName,
  /** `plugin.barrier` for phase `barrier`, else empty. */
  barrier: z.string(),
  /** Virtual pids. */
  arrived: z.array(z.number()),
  waiting: z.array(z.number()),
  /** Milliseconds since the operation began. */
  startedMs: z.number(),
  /** null while it is going on. */
  endedMs: z.number().nullable(),
  error: z.string(),
});
export type PhaseStatus = z.infer<typeof PhaseStatus>;

/** A process that an operation waits for, for a reason of its own: a critical section, or what a plugin waits for at its barrier. */
export const HoldOff = z.object({
  virtualPid: z.number(),
  program: z.string(),
  /** In words: the section's name and age, or the plugin's words. */
  why: z.string(),
});
export type HoldOff = z.infer<typeof HoldOff>;

export const OperationStatus = z.object({
  id: z.number(),
  kind: OperationKind,
  phases: z.array(PhaseStatus),
  /** Not empty: it waits for these, without a deadline, until it is cancelled. */
  heldOff: z.array(HoldOff),
  /** Not empty: a breakpoint holds it before this phase or barrier, until it is told to go on or is cancelled. */
  heldAt: z.string().default(''),
  /** ISO 8601. */
  startedAt: z.string(),
  finished: z.boolean(),
  error: z.string(),
});
export type OperationStatus = z.infer<typeof OperationStatus>;
