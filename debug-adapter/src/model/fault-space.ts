/**
 * All faults of a campaign, one after another: what each is in words, and what the plugin that makes it is told. Pure.
 * Tests: test/unit/fault-space.test.ts.
 */
import type { Campaign, FaultModel } from '../protocol/campaign.js';

export interface Fault {
  model: string;
  /** In words. */
  text: string;
  /** By the name under which it comes with Cairn. */
  plugin: string;
  settings: Record<string, unknown>;
}

function sizeOf({ calls: { calls, effects } }: FaultModel): number {
  return (calls.last - calls.first + 1) * effects.length;
}

function faultOf({ name, calls: model }: FaultModel, index: number): Fault {
  const { effects, calls, ...place } = model;
  const effect = effects[index % effects.length] ?? {};
  const nth = calls.first + Math.floor(index / effects.length);
  const what = Object.entries(effect)
    .map(([key, value]) => `${key} ${typeof value === 'object' ? JSON.stringify(value) : String(value)}`)
    .join(', ');
  return {
    model: name,
    text: `call ${nth} of ${place.function}: ${what}`,
    plugin: 'fault-calls',
    settings: { faults: [{ ...place, ...effect, calls: { nth } }] },
  };
}

export class FaultSpace {
  readonly size: number;
  readonly #models: readonly FaultModel[];

  constructor({ models }: Pick<Campaign, 'models'>) {
    this.#models = models;
    this.size = models.reduce((sum, one) => sum + sizeOf(one), 0);
  }

  /** @param index 0 … size − 1 */
  at(index: number): Fault {
    let rest = index;
    for (const model of this.#models) {
      const size = sizeOf(model);
      if (rest < size) return faultOf(model, rest);
      rest -= size;
    }
    throw new RangeError(`there is no fault ${index}`);
  }
}
