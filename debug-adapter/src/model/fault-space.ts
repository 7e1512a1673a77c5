/**
 * All faults of a campaign, one after another: what each is in words, and what the plugin that makes it is told. Pure.
 * Tests: test/unit/fault-space.test.ts.
 */
import type { Campaign, SignalFaults, Target } from '../protocol/campaign.js';
import { fitsSignal, scopeOf } from '../protocol/signal-names.js';
import { calls, messages, plugin, process } from './other-faults.js';

export interface Fault {
  model: string;
  /** In words. */
  text: string;
  /** As protocol/campaign.ts' Run has it. */
  place: { target: string; scope: string; at: number | null };
  /** By the name under which it comes with Cairn, or the path of its library. */
  plugin: string;
  settings: Record<string, unknown>;
  /** How many times slower than the one without a fault a run may be by what is done for it, and has not hung, where simulated time is not known. */
  slowdown: number;
}

/**
 * A fault that is held is looked at after each evaluation, and put again, through VPI: of a small model of Verilator's, whose evaluation takes a third
 * of a microsecond, that makes 27 times of it.
 */
const HELD_SLOWDOWN = 30;

export interface Part {
  size: number;
  at(index: number): Fault;
}

export const wordsOf = ({ memory, left, right }: Target): number => (memory ? Math.abs(left - right) + 1 : 1);

/** Those that patterns mean. */
export function meant(targets: readonly Target[], patterns: readonly string[], exclude: readonly string[]): Target[] {
  const any = (list: readonly string[], { name }: Target): boolean => list.some((one) => fitsSignal(one, name));
  return targets.filter((one) => any(patterns, one) && !any(exclude, one));
}

/** Of a target, its bits one after the other; `first` is the first fault's number there. */
interface Places {
  target: Target;
  first: number;
  size: number;
}

function signals(name: string, model: SignalFaults, targets: readonly Target[]): Part {
  const { targets: patterns, exclude, adjacent, times, values, ...rest } = model;
  const count = timesOf(model);
  const time = (index: number): number => (Array.isArray(times) ? (times[index] ?? 0) : times.from + index * times.step);
  const held: readonly (0 | 1 | undefined)[] = values ?? (model.model === 'stuckAt' ? [0, 1] : [undefined]);
  const all: Places[] = [];
  let size = 0;
  for (const target of meant(targets, patterns, exclude)) {
    const bits = Math.max(0, target.width - adjacent + 1);
    all.push({ target, first: size, size: wordsOf(target) * bits });
    size += wordsOf(target) * bits;
  }
  const find = (place: number): Places => {
    let [low, high] = [0, all.length - 1];
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((all[middle]?.first ?? 0) <= place) low = middle;
      else high = middle - 1;
    }
    const found = all[low];
    if (found === undefined || place >= found.first + found.size) throw new RangeError(`there is no place ${place}`);
    return found;
  };
  return {
    size: size * held.length * count,
    at(index) {
      const after = time(index % count);
      const value = held[Math.floor(index / count) % held.length];
      const place = Math.floor(index / count / held.length);
      const { target, first } = find(place);
      const bitsOfWord = target.width - adjacent + 1;
      const bit = (place - first) % bitsOfWord;
      const word = Math.min(target.left, target.right) + Math.floor((place - first) / bitsOfWord);
      const signal = target.memory ? `${target.name}[${word}]` : target.name;
      const bits = Array.from({ length: adjacent }, (_, offset) => bit + offset);
      const where = `${signal} bit${adjacent > 1 ? `s ${bit} to ${bit + adjacent - 1}` : ` ${bit}`}`;
      return {
        model: name,
        place: { target: signal, scope: scopeOf(target.name), at: after },
        text: `${model.model}${value === undefined ? '' : ` ${value}`} of ${where} after ${after}`,
        plugin: 'fault-signals',
        settings: { faults: [{ ...rest, signal, bits, ...(value === undefined ? {} : { value }), when: { after } }] },
        slowdown: model.model === 'upset' ? 1 : HELD_SLOWDOWN,
      };
    },
  };
}

/** How many times a fault of it may begin at. */
export function timesOf({ times }: Pick<SignalFaults, 'times'>): number {
  return Array.isArray(times) ? times.length : Math.floor((times.to - times.from) / times.step) + 1;
}

/** The first and the last tick at which a fault may begin; undefined: none has a time of its own. */
export function spanOf({ models }: Pick<Campaign, 'models'>): { from: number; to: number } | undefined {
  const all = models.flatMap(({ signals: one }) => {
    if (one === undefined) return [];
    if (!Array.isArray(one.times)) return [one.times.from, one.times.to];
    return [one.times.reduce((least, time) => Math.min(least, time)), one.times.reduce((most, time) => Math.max(most, time))];
  });
  return all.length === 0 ? undefined : { from: Math.min(...all), to: Math.max(...all) };
}

export class FaultSpace {
  readonly size: number;
  readonly #parts: readonly Part[];

  /** @param targets what the design has; not needed where no model is about signals */
  constructor({ models }: Pick<Campaign, 'models'>, targets: readonly Target[] = []) {
    this.#parts = models.map((model) => {
      if (model.calls !== undefined) return calls(model.name, model.calls);
      if (model.signals !== undefined) return signals(model.name, model.signals, targets);
      if (model.process !== undefined) return process(model.name, model.process);
      if (model.messages !== undefined) return messages(model.name, model.messages);
      if (model.plugin !== undefined) return plugin(model.name, model.plugin);
      throw new TypeError(`model ${model.name} has no faults`);
    });
    this.size = this.#parts.reduce((sum, one) => sum + one.size, 0);
  }

  /** @param index 0 … size − 1 */
  at(index: number): Fault {
    let rest = index;
    for (const part of this.#parts) {
      if (rest < part.size) return part.at(rest);
      rest -= part.size;
    }
    throw new RangeError(`there is no fault ${index}`);
  }
}
