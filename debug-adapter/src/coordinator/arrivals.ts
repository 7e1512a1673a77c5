/**
 * Who has arrived at a phase, when, and what each took there, packed: a session keeps the phases of its last ten operations, and there may
 * be ten thousand processes. An object for each arrival would take more than all else that is known of a process.
 * Tests: test/unit/arrivals.test.ts, test/probes/timeline.test.ts.
 */
import type { Arrival, CallbackTime } from '../protocol/timeline.js';

/** What a process said of itself. */
export type Own = Pick<Arrival, 'ownMs' | 'calls'>;

/** Of one call: which arrival's, which callback, and its three numbers. */
const CALL_WORDS = 5;

export class Arrivals {
  readonly #pids: Int32Array;
  /** When, and what it took itself; NaN: nobody measured it. */
  readonly #times: Float64Array;
  #length = 0;
  /** Only of phases in which plugins are called: in the order of the arrivals. */
  readonly #calls: number[] = [];
  readonly #callbacks: Pick<CallbackTime, 'plugin' | 'callback'>[] = [];

  /** `most`: arrivals that there can be. */
  constructor(most: number) {
    this.#pids = new Int32Array(most);
    this.#times = new Float64Array(2 * most);
  }

  add(virtualPid: number, atMs: number, { ownMs, calls }: Own): void {
    const index = this.#length++;
    this.#pids[index] = virtualPid;
    this.#times[2 * index] = atMs;
    this.#times[2 * index + 1] = ownMs ?? Number.NaN;
    for (const { plugin, callback, atMs: callMs, ms, count } of calls)
      this.#calls.push(index, this.#numberOf(plugin, callback), callMs, ms, count);
  }

  #numberOf(plugin: string, callback: string): number {
    const known = this.#callbacks.findIndex((one) => one.plugin === plugin && one.callback === callback);
    return known >= 0 ? known : this.#callbacks.push({ plugin, callback }) - 1;
  }

  get virtualPids(): number[] {
    return [...this.#pids.subarray(0, this.#length)];
  }

  get all(): Arrival[] {
    const arrivals = this.virtualPids.map((virtualPid, index): Arrival => {
      const [atMs = 0, ownMs = 0] = this.#times.subarray(2 * index);
      return { virtualPid, atMs, ownMs: Number.isNaN(ownMs) ? null : ownMs, calls: [] };
    });
    for (let at = 0; at < this.#calls.length; at += CALL_WORDS) {
      const [index = 0, callback = 0, atMs = 0, ms = 0, count = 0] = this.#calls.slice(at, at + CALL_WORDS);
      const named = this.#callbacks[callback];
      if (named !== undefined) arrivals[index]?.calls.push({ ...named, atMs, ms, count });
    }
    return arrivals;
  }
}
