/**
 * Waiting in tests: a condition is polled from Node until it holds or a deadline passes. Nothing else waits.
 */
import { setTimeout as sleep } from 'node:timers/promises';

export const defaultDeadlineMs = 30_000;
/** Asking costs the browser time that a simulation may need: what takes long is asked for less often. */
const intervalMs = { first: 50, last: 500, growth: 1.1 };

/**
 * Polls `probe` until it gives something else than undefined, null or false, and returns that. `what` is what the failure says
 * was waited for; `state` may add what was there instead.
 */
export async function until<T>(
  what: string,
  probe: () => T | Promise<T>,
  { deadlineMs = defaultDeadlineMs, state }: { deadlineMs?: number; state?: () => unknown } = {},
): Promise<NonNullable<Exclude<T, false>>> {
  const end = performance.now() + deadlineMs;
  const late = sleep(deadlineMs, undefined, { ref: false });
  for (let interval = intervalMs.first; ; interval = Math.min(interval * intervalMs.growth, intervalMs.last)) {
    // A probe that hangs (a frame that is going away) must not outlast the deadline.
    const value = await Promise.race([probe(), late]);
    if (value !== undefined && value !== null && value !== false) return value as NonNullable<Exclude<T, false>>;
    if (performance.now() > end) {
      const there = state ? `; there was: ${String(await state())}` : '';
      throw new Error(`not after ${deadlineMs / 1000} s: ${what}${there}`);
    }
    await sleep(interval);
  }
}
