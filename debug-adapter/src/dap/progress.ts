/**
 * What a client of DAP must be told when a session's status changes: the difference between two statuses as stopped,
 * continued, thread, exited and terminated events. Pure.
 * Invariants: `stopped` and `continued` alternate; a checkpoint (also one of a held computation) is neither; nothing
 * follows `terminated`. Tests: test/dap/progress.test.ts.
 */
import type { SessionStatus } from '../protocol/control.js';

export type DapEvent =
  | { event: 'stopped'; body: { reason: 'pause'; description: string; threadId: number; allThreadsStopped: true } }
  | { event: 'continued'; body: { threadId: number; allThreadsContinued: true } }
  | { event: 'thread'; body: { reason: 'started' | 'exited'; threadId: number } }
  | { event: 'exited'; body: { exitCode: number } }
  | { event: 'terminated'; body: Record<string, never> };

export class Progress {
  #stopped = false;
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
    if (status.state === 'held' && !this.#stopped) {
      this.#stopped = true;
      const body = { reason: 'pause' as const, description: 'Held', threadId: this.#root, allThreadsStopped: true as const };
      events.push({ event: 'stopped', body });
    } else if ((status.state === 'running' || status.state === 'exited') && this.#stopped) {
      this.#stopped = false;
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
