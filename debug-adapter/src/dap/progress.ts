/**
 * What a client of DAP must be told when a session's status changes: the difference between two statuses as stopped,
 * continued, thread, exited and terminated events. Pure.
 * Invariants: `stopped` and `continued` alternate; a checkpoint (also one of a held computation) or restart is neither unless a breakpoint holds it;
 * nothing follows `terminated`. Tests: test/dap/progress.test.ts.
 */
import type { SessionStatus } from '../protocol/control.js';

export type DapEvent =
  | {
      event: 'stopped';
      body: {
        reason: 'pause' | 'function breakpoint' | 'data breakpoint';
        description: string;
        text?: string;
        hitBreakpointIds?: number[];
        threadId: number;
        allThreadsStopped: true;
      };
    }
  | { event: 'continued'; body: { threadId: number; allThreadsContinued: true } }
  | { event: 'thread'; body: { reason: 'started' | 'exited'; threadId: number } }
  | { event: 'exited'; body: { exitCode: number } }
  | { event: 'terminated'; body: Record<string, never> };

export class Progress {
  #stopped = false;
  /** Where it is stopped is in the middle of a checkpoint or restart. */
  #atBreakpoint = false;
  #ended = false;
  #processes = new Set<number>();
  #root = 0;

  get stopped(): boolean {
    return this.#stopped;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Events that lead from the last status to this one, in the order in which they have to be sent. */
  next(status: SessionStatus): DapEvent[] {
    if (this.#ended) return [];
    const events: DapEvent[] = [];
    this.#follow(status, events);
    const heldAt = status.operation?.heldAt ?? '';
    if ((status.state === 'held' || heldAt !== '') && !this.#stopped) {
      this.#stopped = true;
      this.#atBreakpoint = heldAt !== '';
      const how = this.#atBreakpoint
        ? { reason: 'function breakpoint' as const, description: `Held before ${heldAt}` }
        : heldHow(status.heldBy);
      events.push({ event: 'stopped', body: { ...how, threadId: this.#root, allThreadsStopped: true as const } });
    } else if (this.#stopped && this.#goesOn(status.state, heldAt)) {
      this.#stopped = false;
      this.#atBreakpoint = false;
      events.push({ event: 'continued', body: { threadId: this.#root, allThreadsContinued: true } });
    }
    if (status.state === 'exited') events.push(...this.end(status.exitStatus));
    return events;
  }

  /** The computation has ended, or nobody can follow it any more (exit status null). */
  end(exitStatus: number | null): DapEvent[] {
    if (this.#ended) return [];
    this.#ended = true;
    const events: DapEvent[] = [];
    if (exitStatus !== null) events.push({ event: 'exited', body: { exitCode: exitStatus } });
    events.push({ event: 'terminated', body: {} });
    return events;
  }

  /** A checkpoint of a held computation is no way on; that which a breakpoint has stopped goes on when it is held there no more. */
  #goesOn(state: SessionStatus['state'], heldAt: string): boolean {
    return state === 'running' || state === 'exited' || (this.#atBreakpoint && heldAt === '' && state !== 'held');
  }

  #follow(status: SessionStatus, events: DapEvent[]): void {
    const present = new Set(status.processes.map((process) => process.virtualPid));
    for (const threadId of present) {
      if (!this.#processes.has(threadId)) events.push({ event: 'thread', body: { reason: 'started', threadId } });
    }
    for (const threadId of this.#processes) {
      if (!present.has(threadId)) events.push({ event: 'thread', body: { reason: 'exited', threadId } });
    }
    this.#processes = present;
    const root = status.processes.find((process) => !present.has(process.virtualParent));
    if (root) this.#root = root.virtualPid;
  }
}

function heldHow(heldBy: SessionStatus['heldBy']): { reason: 'pause' | 'data breakpoint'; description: string; text?: string } {
  if (heldBy === null) return { reason: 'pause', description: 'Held' };
  const text = heldBy.what === '' ? heldBy.why : `${heldBy.what}: ${heldBy.why}`;
  return { reason: heldBy.what === '' ? 'pause' : 'data breakpoint', description: `Held by ${text}`, text };
}
