/**
 * One phase of an operation as the coordinator sees it: who has arrived when, who has not, and how much of its time was spent in waiting
 * for something outside.
 * Tests: test/protocol/checkpoint.test.ts.
 */
import type { CairnError } from '../protocol/errors.js';
import { failure } from '../protocol/errors.js';
import type { PhaseReply } from '../protocol/generated/agent_pb.js';
import type { PhaseName, PhaseStatus } from '../protocol/operation.js';
import { eventNames } from '../protocol/plugin-events.js';
import type { CallbackTime, PhaseTimeline } from '../protocol/timeline.js';
import type { AgentConnection } from './agent-connection.js';
import { Arrivals, type Own } from './arrivals.js';
import type { CallbackOf } from './callbacks.js';

const NS_IN_MS = 1e6;

/** Of a process that said nothing. */
const unmeasured: Own = { ownMs: null, calls: [] };

/** In a computation of any size. */
export class PhaseRecord implements PhaseStatus {
  endedMs: number | null = null;
  error = '';
  readonly phase: PhaseName;
  readonly barrier: string;
  readonly startedMs: number;
  readonly #waiting: Set<number>;
  readonly #arrivals: Arrivals;
  /** What processes said of themselves before they counted as arrived. */
  readonly #own = new Map<number, Own>();

  constructor(phase: PhaseName, barrier: string, members: readonly AgentConnection[], startedMs: number) {
    this.phase = phase;
    this.barrier = barrier;
    this.startedMs = startedMs;
    this.#waiting = new Set(members.map((one) => one.virtualPid));
    this.#arrivals = new Arrivals(this.#waiting.size);
  }

  get arrived(): number[] {
    return this.#arrivals.virtualPids;
  }
  get waiting(): number[] {
    return [...this.#waiting];
  }
  isWaitedFor(one: AgentConnection): boolean {
    return this.#waiting.has(one.virtualPid);
  }

  /** An answer, which is not the last where the process waits at a barrier. */
  answers({ virtualPid, plugins }: AgentConnection, { elapsedNs, calls }: PhaseReply): void {
    const before = this.#own.get(virtualPid);
    const now = calls.map(({ layer, event, firstNs, totalNs, count }) => ({
      plugin: plugins.find((one) => one.layer === layer)?.name ?? `layer ${layer}`,
      callback:
        event === 0 ? `barrier ${this.barrier.slice(this.barrier.indexOf('.') + 1)}` : `event ${eventNames[event] ?? event}`,
      atMs: Number(firstNs) / NS_IN_MS,
      ms: Number(totalNs) / NS_IN_MS,
      count,
    }));
    this.#own.set(virtualPid, {
      ownMs: (before?.ownMs ?? 0) + Number(elapsedNs) / NS_IN_MS,
      calls: before === undefined ? now : together(before.calls, now),
    });
  }

  arrives({ virtualPid }: AgentConnection, atMs: number): void {
    if (!this.#waiting.delete(virtualPid)) return;
    this.#arrivals.add(virtualPid, atMs, this.#own.get(virtualPid) ?? unmeasured);
    this.#own.delete(virtualPid);
  }

  /** As it is now, to be told. */
  get status(): PhaseStatus {
    const { phase, barrier, arrived, waiting, startedMs, endedMs, error } = this;
    return { phase, barrier, arrived, waiting, startedMs, endedMs, error };
  }

  get timeline(): PhaseTimeline {
    const { phase, barrier, startedMs, endedMs, error, waiting } = this;
    return { phase, barrier, startedMs, endedMs, error, arrivals: this.#arrivals.all, missing: waiting };
  }
}

function together(before: readonly CallbackTime[], now: readonly CallbackTime[]): CallbackTime[] {
  const same = (a: CallbackTime, b: CallbackTime): boolean => a.plugin === b.plugin && a.callback === b.callback;
  const merged = before.map((one) => {
    const again = now.find((other) => same(one, other));
    return again === undefined ? one : { ...one, ms: one.ms + again.ms, count: one.count + again.count };
  });
  return [...merged, ...now.filter((one) => !before.some((other) => same(one, other)))];
}

/** What of a phase's time is spent in waiting for something outside the computation alone. */
export class PhaseTime {
  /** Virtual pids of those that wait for something outside. */
  readonly waiting = new Set<number>();
  over = false;
  #waitedMs = 0;
  #since: number | undefined;

  constructor(
    readonly name: string,
    readonly record: PhaseRecord,
    readonly deadlineMs: number,
    readonly callbackOf: CallbackOf,
  ) {}

  /** At every change, and to have the sum by now. */
  count(nowMs: number): number {
    // As nearly always; thousands of processes may arrive.
    if (this.waiting.size === 0 && this.#since === undefined) return this.#waitedMs;
    if (this.#since !== undefined) this.#waitedMs += nowMs - this.#since;
    const missing = this.record.waiting;
    this.#since = missing.length > 0 && missing.every((pid) => this.waiting.has(pid)) ? nowMs : undefined;
    return this.#waitedMs;
  }

  /** Who waits for something outside has answered: often that is what the others have not said. */
  async late(members: readonly AgentConnection[]): Promise<CairnError> {
    const silent = members.filter(({ virtualPid }) => !this.waiting.has(virtualPid));
    return failure('phaseDeadline', {
      phase: this.name,
      seconds: this.deadlineMs / 1000,
      waiting: await names(silent.length > 0 ? silent : members, this.callbackOf),
    });
  }
}

async function names(members: readonly AgentConnection[], callbackOf: CallbackOf): Promise<string> {
  const all = members.map(async (one) => {
    const callback = await callbackOf(one);
    return `${one.virtualPid} (${one.program}${callback === '' ? '' : `; in ${callback}`})`;
  });
  return (await Promise.all(all)).join(', ');
}
