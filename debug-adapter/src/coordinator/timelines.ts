/**
 * The time lines of a session's last operations, and where they are kept with snapshots: with that which a checkpoint made, or which was
 * restarted. Tests: test/probes/timeline.test.ts.
 */

import { failure, reason } from '../protocol/errors.js';
import type { OperationTimeline } from '../protocol/timeline.js';
import type { Store } from '../store/store.js';
import { KEPT_TIMELINES, keepTimeline } from '../store/timelines.js';
import type { Log } from './log.js';
import type { Operation } from './operation.js';

export class Timelines {
  readonly #last: Operation[] = [];

  /** From its beginning: it can be looked at while it goes on. */
  add(operation: Operation): void {
    this.#last.push(operation);
    this.#last.splice(0, Math.max(0, this.#last.length - KEPT_TIMELINES));
  }

  /** The oldest first. */
  get all(): OperationTimeline[] {
    return this.#last.map((operation) => operation.timeline);
  }

  /** Of an operation that is over. A snapshot is whole without: what fails is only logged. */
  keep(store: Store, { timeline }: Operation, log: Log): void {
    if (timeline.snapshot === null) return;
    try {
      keepTimeline(store, timeline.snapshot, timeline);
    } catch (cause) {
      log.add('warning', reason(failure('storeUnusable', { path: store.timelines, why: reason(cause) }, cause)));
    }
  }
}
