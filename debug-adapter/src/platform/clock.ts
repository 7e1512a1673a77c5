/**
 * Time: one clock for all durations (monotonic), one for what people read. Injected where a test needs its own.
 */

export interface Clock {
  /** Milliseconds on a clock that never goes back. */
  monotonicMs(): number;
  /** ISO 8601, UTC. */
  now(): string;
}

export const systemClock: Clock = {
  monotonicMs: () => performance.now(),
  now: () => new Date().toISOString(),
};

/** Resolves after `ms`; the wait does not keep the program alive by itself when `background` is set. */
export function sleep(ms: number, background = false): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    if (background) timer.unref();
  });
}
