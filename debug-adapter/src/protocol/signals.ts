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

/** A scope of the design: a module's instance, a generate block, a task. */
export const DesignScope = z.object({
  name: z.string(),
  /** How many there are directly in it. */
  scopes: z.number().int().nonnegative(),
  signals: z.number().int().nonnegative(),
  /** Of what module it is an instance; empty: it is none, or the simulator does not tell. */
  module: z.string(),
});
export type DesignScope = z.infer<typeof DesignScope>;

const Page = {
  offset: z.number().int().nonnegative().default(0),
  limit: z.number().int().positive().max(SIGNALS_AT_ONCE).default(200),
};

/** What is directly in a scope: first its scopes, then its signals. Of a memory: its words. Empty: what is at the top. */
export const ScopeParams = z.object({ scope: z.string().max(4000).default(''), ...Page, ...Simulation });
export type ScopeParams = z.infer<typeof ScopeParams>;

export const ScopeResult = z.object({
  ...Answer,
  total: z.object({ scopes: z.number().int(), signals: z.number().int() }),
  scopes: z.array(DesignScope),
  signals: z.array(DesignSignal),
  next: z.number().int().nullable(),
});
export type ScopeResult = z.infer<typeof ScopeResult>;

/** Scopes of the whole design that are instances of a module; empty: all scopes. */
export const InstancesParams = z.object({ module: z.string().max(4000).default(''), ...Page, ...Simulation });
export type InstancesParams = z.infer<typeof InstancesParams>;

export const InstancesResult = z.object({ ...Answer, instances: z.array(DesignScope), next: z.number().int().nullable() });
export type InstancesResult = z.infer<typeof InstancesResult>;

const SignalNames = z.array(z.string().min(1).max(4000));

export const ReadSignalsParams = z.object({ names: SignalNames.min(1).max(WRITES_AT_ONCE), ...Simulation });
export type ReadSignalsParams = z.infer<typeof ReadSignalsParams>;

export const ReadSignalsResult = z.object({
  ...Answer,
  signals: z.array(DesignSignal),
  /** Names that the design does not have. */
  missing: z.array(z.string()),
});
export type ReadSignalsResult = z.infer<typeof ReadSignalsResult>;

export const WATCHES_AT_ONCE = 32;

export const SignalWatch = z.object({
  name: z.string().min(1).max(500),
  /** "== 8'h2a", "> 3", "8'h2a"; absent or empty: every change. */
  condition: z.string().max(2000).optional(),
});
export type SignalWatch = z.infer<typeof SignalWatch>;

/** In place of those of before. A change after which the condition is so holds the computation, at the end of the time step. */
export const WatchSignalsParams = z.object({ watches: z.array(SignalWatch).max(WATCHES_AT_ONCE), ...Simulation });
export type WatchSignalsParams = z.infer<typeof WatchSignalsParams>;

export const WatchSignalsResult = z.object({
  ...Answer,
  /** `why`: not empty: it is not watched. */
  watched: z.array(z.object({ name: z.string(), why: z.string() })),
});
export type WatchSignalsResult = z.infer<typeof WatchSignalsResult>;

/** Signals whose values are noted with each snapshot; absent: as they are. */
export const ChooseSignalsParams = z.object({ names: SignalNames.max(WRITES_AT_ONCE).optional() });
export type ChooseSignalsParams = z.infer<typeof ChooseSignalsParams>;
export const ChooseSignalsResult = z.object({ names: z.array(z.string()) });
