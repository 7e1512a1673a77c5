/**
 * Words and measures of an operation's phases. Pure. Tests: test/unit/phase-words.test.ts.
 */
import { formatDuration, formatHoldOff } from '../../../debug-adapter/src/protocol/format.js';
import type { OperationStatus, PhaseStatus } from '../../../debug-adapter/src/protocol/operation.js';
import { lastArrival, lengthOf, longestCall, phaseLabel } from '../../../debug-adapter/src/protocol/phase-words.js';
import type { OperationTimeline, PhaseTimeline } from '../../../debug-adapter/src/protocol/timeline.js';

/** null: it is still going on. */
export function duration({ startedMs, endedMs }: PhaseStatus): number | null {
  return endedMs === null ? null : Math.max(0, endedMs - startedMs);
}

/** Of all phases that are over, for the scale of the bars; never 0. */
export function longest({ phases }: OperationStatus): number {
  return Math.max(0.001, ...phases.map((phase) => duration(phase) ?? 0));
}

export function title({ kind, finished, error, phases, heldOff, heldAt }: OperationStatus): string {
  const name = `${kind.charAt(0).toUpperCase()}${kind.slice(1)}`;
  if (error !== '') return `${name} failed`;
  if (finished) return `${name} done in ${formatDuration(lengthOf({ phases }))}`;
  if (heldAt !== '') return `${name}: held before ${heldAt}`;
  if (heldOff.length > 0) return `${name} ${formatHoldOff(heldOff)}`;
  const current = phases.findLast(({ endedMs }) => endedMs === null);
  return current ? `${name}: ${phaseLabel(current)}` : `${name} begins`;
}

/** As an operation in progress is told of. */
export function asOperation({ phases, ...one }: OperationTimeline): OperationStatus {
  const { id, kind, startedAt, finished, error } = one;
  const told = phases.map(({ arrivals, missing, ...phase }) => ({
    ...phase,
    arrived: arrivals.map(({ virtualPid }) => virtualPid),
    waiting: missing,
  }));
  return { id, kind, phases: told, heldOff: [], heldAt: '', startedAt, finished, error };
}

/** More would not be read, and each takes time to be drawn whenever one of them arrives. */
const NAMED = 12;

/** `1, 2, 3`; of many the first, and how many there are. */
export function briefly(pids: readonly number[], name: (pid: number) => string): string {
  const first = pids.slice(0, NAMED).map(name).join(', ');
  return pids.length <= NAMED ? first : `${first} and ${pids.length - NAMED} more`;
}

/** What one process did in one phase: a piece of its line. */
export interface Piece {
  readonly phase: PhaseTimeline;
  /** Milliseconds since the operation began. */
  readonly from: number;
  readonly arrived: number;
  /** When the last one had arrived. */
  readonly to: number;
  readonly last: boolean;
  readonly text: string;
}

/** The lines of all processes by their virtual ids; phases that one had no part in are left out of its line. */
export function piecesOf({ phases }: OperationTimeline): Map<number, Piece[]> {
  const lines = new Map<number, Piece[]>();
  for (const phase of phases) {
    const lastOne = lastArrival(phase)?.virtualPid;
    for (const arrival of phase.arrivals) {
      const { virtualPid, atMs } = arrival;
      const call = longestCall(arrival);
      const last = lastOne === virtualPid;
      const slow = call === undefined ? '' : `; longest: ${call.plugin}, ${call.callback}, ${formatDuration(call.ms)}`;
      const text = `${phaseLabel(phase)}: arrived after ${formatDuration(atMs - phase.startedMs)}${last ? ', as the last' : ''}${slow}`;
      const piece = { phase, from: phase.startedMs, arrived: atMs, to: phase.endedMs ?? atMs, last, text };
      const line = lines.get(virtualPid);
      if (line) line.push(piece);
      else lines.set(virtualPid, [piece]);
    }
  }
  return lines;
}
