/**
 * Design signals of a running simulation, as they are asked for and told: part of the control protocol.
 */
import * as z from 'zod';
import { SimulatedTime } from './snapshot.js';

export const SIGNALS_AT_ONCE = 10_000;
export const WRITES_AT_ONCE = 64;

export const DesignSignal = z.object({
  /** With its scopes, as the simulator names it. */
  name: z.string(),
  kind: z.enum(['net', 'reg', 'integer', 'time', 'real', 'variable', 'memory']),
  /** Bits; of a memory, those of a word. */
  width: z.number().int().nonnegative(),
  /** Of the vector, or of a memory's words; null: it has none. */
  range: z.object({ left: z.number().int(), right: z.number().int() }).nullable(),
  /** In Verilog's notation, as "8'h2a"; null: the simulator gives none (a memory, or a vector that is too wide). */
  value: z.string().nullable(),
});
export type DesignSignal = z.infer<typeof DesignSignal>;

/** Which process, where several of the computation are simulations. */
const Simulation = { virtualPid: z.number().int().optional() };

const Answer = {
  virtualPid: z.number().int(),
  program: z.string(),
  simulator: z.string(),
  /** When the values were read or written. */
  time: SimulatedTime,
};

export const SignalsParams = z.object({
  /** With * or ?: of the whole name; else a part of it; empty: all. NAME[INDEX]: a memory's word. */
  pattern: z.string().max(4000).default(''),
  offset: z.number().int().nonnegative().default(0),
  limit: z.number().int().positive().max(SIGNALS_AT_ONCE).default(200),
  ...Simulation,
});
export type SignalsParams = z.infer<typeof SignalsParams>;

export const SignalsResult = z.object({
  ...Answer,
  signals: z.array(DesignSignal),
  /** The offset from which there are more; null: there are none. */
  next: z.number().int().nullable(),
});
export type SignalsResult = z.infer<typeof SignalsResult>;

export const SignalAction = z.enum(['set', 'force', 'release']);
export type SignalAction = z.infer<typeof SignalAction>;

export const SignalWrite = z.object({
  action: SignalAction,
  name: z.string().min(1).max(4000),
  /** In Verilog's notation; not for `release`. */
  value: z.string().optional(),
});
export type SignalWrite = z.infer<typeof SignalWrite>;

/** All in one time step. */
export const SignalWritesParams = z.object({ writes: z.array(SignalWrite).min(1).max(WRITES_AT_ONCE), ...Simulation });
export type SignalWritesParams = z.infer<typeof SignalWritesParams>;

export const WrittenSignal = z.object({
  name: z.string(),
  /** `effective`: at the end of the time step the value is there; `overwritten`: the design has assigned another one by then. */
  outcome: z.enum(['effective', 'overwritten', 'impossible']),
  before: z.string().nullable(),
  after: z.string().nullable(),
  /** Not effective: why, and what to do. */
  why: z.string(),
});
export type WrittenSignal = z.infer<typeof WrittenSignal>;

export const SignalWritesResult = z.object({ ...Answer, written: z.array(WrittenSignal) });
export type SignalWritesResult = z.infer<typeof SignalWritesResult>;
