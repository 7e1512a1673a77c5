/**
 * Faults that are the same one: the plugin is told the same words, so they come to the same result. Of nothing else is that known: what becomes of an
 * upset, say whether it is overwritten before it is read, shows only when it is put. Pure. Test: test/unit/early-stop.test.ts.
 */
import type { Campaign } from '../protocol/campaign.js';
import type { FaultSpace } from './fault-space.js';

/** More are not compared with each other: what is known of each takes memory. */
const MOST_COMPARED = 300_000;
/** The same words mean the same run to these. */
const SURE = ['fault-calls', 'fault-signals'];

/** Of each such fault but the first in `order`, that first one; by their places in `indices`, as in `order`. */
export function sameFaults(
  { models }: Pick<Campaign, 'models'>,
  space: FaultSpace,
  indices: readonly number[],
  order: Uint32Array,
): Map<number, number> {
  const same = new Map<number, number>();
  if (!mayRepeat(models) || order.length > MOST_COMPARED) return same;
  const first = new Map<string, number>();
  for (const number of order) {
    const { plugin, settings } = space.at(indices[number] ?? 0);
    // When others come is for a clock to say, or for their own code.
    if (!SURE.includes(plugin)) continue;
    const key = `${plugin} ${JSON.stringify(settings)}`;
    const known = first.get(key);
    if (known === undefined) first.set(key, number);
    else same.set(number, known);
  }
  return same;
}

/** One model alone, each of whose lists has different things, has no fault twice. */
function mayRepeat(models: Campaign['models']): boolean {
  const kinds = models.map(({ calls, signals }) => (calls === undefined ? signals?.model : `call ${calls.function}`));
  const lists = models.flatMap(({ calls, signals }): (readonly unknown[])[] => [
    calls?.effects ?? [],
    Array.isArray(signals?.times) ? signals.times : [],
    signals?.values ?? [],
  ]);
  return [kinds, ...lists].some((list) => new Set(list.map((one) => JSON.stringify(one))).size < list.length);
}
