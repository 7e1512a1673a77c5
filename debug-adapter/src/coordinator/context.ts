/**
 * What the operations of a coordinator share. Made once, by coordinator.ts.
 */
import type { Clock } from '../platform/clock.js';
import type { RuntimePaths } from '../platform/runtime.js';
import type { CheckpointResult } from '../protocol/control.js';
import type { Reason } from '../protocol/errors.js';
import type { OperationKind } from '../protocol/operation.js';
import type { Store } from '../store/store.js';
import type { Log } from './log.js';
import type { Operation } from './operation.js';
import type { Session } from './session.js';

export interface Deadlines {
  /** Milliseconds for one phase. */
  phase: number;
  /** Milliseconds that are waited beyond a deadline: agents know the deadline and give up by themselves. */
  grace: number;
  /** Milliseconds until the files are on disk. */
  write: number;
  /** Milliseconds until a launched or restarted process has connected. */
  start: number;
}

export const defaultDeadlines: Deadlines = { phase: 30_000, grace: 2000, write: 600_000, start: 60_000 };

function seconds(text: string | undefined, otherwise: number): number {
  const value = Number(text);
  return text !== undefined && Number.isFinite(value) && value > 0 ? value * 1000 : otherwise;
}

/** From CAIRN_PHASE_TIMEOUT, CAIRN_SAVE_TIMEOUT and CAIRN_START_TIMEOUT, in seconds. */
export function deadlinesFrom(env: Readonly<Record<string, string | undefined>>): Deadlines {
  return {
    phase: seconds(env['CAIRN_PHASE_TIMEOUT'], defaultDeadlines.phase),
    grace: defaultDeadlines.grace,
    write: seconds(env['CAIRN_SAVE_TIMEOUT'], defaultDeadlines.write),
    start: seconds(env['CAIRN_START_TIMEOUT'], defaultDeadlines.start),
  };
}

export interface Context {
  readonly session: Session;
  readonly store: Store;
  readonly paths: RuntimePaths;
  readonly clock: Clock;
  readonly log: Log;
  readonly deadlines: Deadlines;
  readonly compression: 'none' | 'zstd';
  /** What is in the way of a checkpoint, seen from outside. */
  obstacles: (session: Session) => Reason[];
  /** A new operation, which becomes the session's present one. */
  begin(kind: OperationKind): Operation;
  /** A snapshot is whole and on disk. */
  announce(result: CheckpointResult): void;
}
