/**
 * How one checkpoint, hold or restart went, process by process and callback by callback: what the time line, `cairn barriers` and
 * `cairn plugin trace` show. Kept by the coordinator for the last operations of a session, and by the store with the snapshots.
 */
import * as z from 'zod';
import { OperationKind, PhaseName } from './operation.js';

/** All calls of one callback of one plugin, in one process, in one phase. */
export const CallbackTime = z.object({
  plugin: z.string(),
  /** `event precheckpoint`; in a barrier's phase also `barrier drain`. */
  callback: z.string(),
  /** Milliseconds from when the process began with the phase to the first call. */
  atMs: z.number(),
  /** Of all calls; what other plugins' callbacks took in them is theirs. */
  ms: z.number(),
  count: z.number(),
});
export type CallbackTime = z.infer<typeof CallbackTime>;

export const Arrival = z.object({
  virtualPid: z.number(),
  /** Milliseconds since the operation began. */
  atMs: z.number(),
  /** What the process itself took for the phase; null: nobody measured it there. */
  ownMs: z.number().nullable(),
  calls: z.array(CallbackTime),
});
export type Arrival = z.infer<typeof Arrival>;

export const PhaseTimeline = z.object({
  phase: PhaseName,
  /** `plugin.barrier` for phase `barrier`, else empty. */
  barrier: z.string(),
  /** Milliseconds since the operation began. */
  startedMs: z.number(),
  /** null while it is going on. */
  endedMs: z.number().nullable(),
  error: z.string(),
  /** In their order. */
  arrivals: z.array(Arrival),
  /** Virtual pids of those that have not arrived, or never did. */
  missing: z.array(z.number()),
});
export type PhaseTimeline = z.infer<typeof PhaseTimeline>;

export const TimelineProcess = z.object({ virtualPid: z.number(), program: z.string(), host: z.string() });
export type TimelineProcess = z.infer<typeof TimelineProcess>;

export const OperationTimeline = z.object({
  id: z.number(),
  kind: OperationKind,
  session: z.string(),
  /** That a checkpoint made, or that was restarted; null: none (yet). */
  snapshot: z.string().nullable(),
  /** ISO 8601. */
  startedAt: z.string(),
  finished: z.boolean(),
  error: z.string(),
  processes: z.array(TimelineProcess),
  phases: z.array(PhaseTimeline),
});
export type OperationTimeline = z.infer<typeof OperationTimeline>;
