/**
 * All faults of a campaign, one after another: what each is in words, and what the plugin that makes it is told. Pure.
 * Tests: test/unit/fault-space.test.ts.
 */
import type {
  CallFaults,
  Campaign,
  MessageFaults,
  PluginFaults,
  ProcessFaults,
  SignalFaults,
  Target,
} from '../protocol/campaign.js';
import { fitsSignal } from './signal-names.js';

export interface Fault {
  model: string;
  /** In words. */
  text: string;
  /** By the name under which it comes with Cairn, or the path of its library. */
  plugin: string;
  settings: Record<string, unknown>;
  /** How many times slower than the one without a fault a run may be by what is done for it, and has not hung. */
  slowdown: number;
}

/**
 * A fault that is held is looked at after each evaluation, and put again, through VPI: of a small model of Verilator's, whose evaluation takes a third
 * of a microsecond, that makes 27 times of it.
 */
const HELD_SLOWDOWN = 30;

interface Part {
  size: number;
  at(index: number): Fault;
}

const inWords = (of: object): string =>
  Object.entries(of)
    .map(([key, value]) => `${key} ${typeof value === 'object' ? JSON.stringify(value) : String(value)}`)
    .join(', ');

function calls(name: string, model: CallFaults): Part {
  const { effects, calls: which, ...place } = model;
  return {
    size: (which.last - which.first + 1) * effects.length,
    at(index) {
      const effect = effects[index % effects.length] ?? {};
      const nth = which.first + Math.floor(index / effects.length);
      return {
        model: name,
        text: `call ${nth} of ${place.function}: ${inWords(effect)}`,
        plugin: 'fault-calls',
        settings: { faults: [{ ...place, ...effect, calls: { nth } }] },
        slowdown: 1,
      };
    },
  };
}

function messages(name: string, model: MessageFaults): Part {
  const { effects, messages: which, ...place } = model;
  return {
    size: (which.last - which.first + 1) * effects.length,
    at(index) {
      const effect = effects[index % effects.length] ?? {};
      const nth = which.first + Math.floor(index / effects.length);
      return {
        model: name,
        text: `message ${nth} ${place.direction === 'send' ? 'sent' : 'received'}: ${inWords(effect)}`,
        plugin: 'fault-messages',
        settings: { faults: [{ ...place, ...effect, messages: { nth } }] },
        slowdown: 1,
      };
    },
  };
}

const words = ({ memory, left, right }: Target): number => (memory ? Math.abs(left - right) + 1 : 1);

/** Of a target, its bits one after the other; `first` is the first fault's number there. */
interface Places {
  target: Target;
  first: number;
  size: number;
}

function signals(name: string, model: SignalFaults, targets: readonly Target[]): Part {
  const { targets: patterns, exclude, adjacent, times, values, ...rest } = model;
  const count = Array.isArray(times) ? times.length : Math.floor((times.to - times.from) / times.step) + 1;
  const time = (index: number): number => (Array.isArray(times) ? (times[index] ?? 0) : times.from + index * times.step);
  const held: readonly (0 | 1 | undefined)[] = values ?? (model.model === 'stuckAt' ? [0, 1] : [undefined]);
  const all: Places[] = [];
  let size = 0;
  const any = (list: readonly string[], of: Target): boolean => list.some((one) => fitsSignal(one, of.name));
  for (const target of targets) {
    if (!any(patterns, target) || any(exclude, target)) continue;
    const bits = Math.max(0, target.width - adjacent + 1);
    all.push({ target, first: size, size: words(target) * bits });
    size += words(target) * bits;
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
        text: `${model.model}${value === undefined ? '' : ` ${value}`} of ${where} after ${after}`,
        plugin: 'fault-signals',
        settings: { faults: [{ ...rest, signal, bits, ...(value === undefined ? {} : { value }), when: { after } }] },
        slowdown: model.model === 'upset' ? 1 : HELD_SLOWDOWN,
      };
    },
  };
}

type Numbers = readonly unknown[] | { from: number; to: number; step: number };

const isRange = (of: Numbers): of is { from: number; to: number; step: number } => !Array.isArray(of);
const countOf = (of: Numbers): number => (isRange(of) ? Math.floor((of.to - of.from) / of.step) + 1 : of.length);
const elementOf = (of: Numbers, index: number): unknown => (isRange(of) ? of.from + index * of.step : of[index]);
const numberOf = (of: Numbers, index: number): number => Number(elementOf(of, index));

const GENERAL_BITS = 64;
/** Of flags, those that a program can change. */
const FLAGS = [0, 2, 4, 6, 7, 10, 11];
const bitsFrom0 = (count: number): number[] => Array.from({ length: count }, (_, bit) => bit);

function bitsOfRegister(name: string): number[] {
  if (name === 'rflags') return FLAGS;
  return bitsFrom0(name.startsWith('x') ? 2 * GENERAL_BITS : name.startsWith('y') ? 4 * GENERAL_BITS : GENERAL_BITS);
}

/** A place in words, and what the plugin is told of it. */
type Place = [string, Record<string, unknown>];

/** One after the other. */
interface Axis {
  size: number;
  at(index: number): Place;
}

function processPlaces({ memory, registers, bits, chance }: ProcessFaults): Axis {
  if (registers !== undefined) {
    const all = registers.flatMap((name) =>
      (bits ?? bitsOfRegister(name)).map((bit): Place => [`${name} bit ${bit}`, { register: name, bits: [bit] }]),
    );
    return { size: all.length, at: (index) => all[index] ?? ['', {}] };
  }
  if (memory === undefined) return { size: 1, at: () => ['instruction skipped', { instruction: 'skip' }] };
  const { offsets = [0], ...where } = memory;
  const name = where.symbol ?? where.mapping ?? where.address ?? '';
  if (chance !== undefined)
    return { size: chance, at: (index) => [`${name}, place ${index} by chance`, { memory: where, seed: index }] };
  const each = bits ?? bitsFrom0(8);
  return {
    size: countOf(offsets) * each.length,
    at(index) {
      const bit = each[index % each.length] ?? 0;
      const offset = numberOf(offsets, Math.floor(index / each.length));
      return [`${name}${offset === 0 ? '' : `+${offset}`} bit ${bit}`, { memory: { ...where, offset }, bits: [bit] }];
    },
  };
}

function processMoments({ times, processor, calls }: ProcessFaults): Axis {
  if (calls !== undefined) {
    const { first, last, ...where } = calls;
    return {
      size: last - first + 1,
      at: (index) => [`before call ${first + index} of ${where.function}`, { when: { ...where, calls: { nth: first + index } } }],
    };
  }
  return {
    size: countOf(times),
    at(index) {
      const us = numberOf(times, index);
      if (us === 0) return ['at once', {}];
      return [
        `after ${us} us${processor ? " of the processor's time" : ''}`,
        { when: { [processor ? 'afterProcessorUs' : 'afterUs']: us } },
      ];
    },
  };
}

function process(name: string, model: ProcessFaults): Part {
  const [places, moments] = [processPlaces(model), processMoments(model)];
  const { thread, program } = model;
  const common = { ...(thread === undefined ? {} : { thread }), ...(program === undefined ? {} : { program }) };
  return {
    size: places.size * moments.size,
    at(index) {
      const [where, place] = places.at(Math.floor(index / moments.size));
      const [when, moment] = moments.at(index % moments.size);
      const of = thread === undefined ? '' : ` of thread ${thread}`;
      return {
        model: name,
        text: `${where}${of} ${when}`,
        plugin: 'fault-process',
        settings: { faults: [{ ...common, ...place, ...moment }] },
        slowdown: 1,
      };
    },
  };
}

function plugin(name: string, { library, settings, faults = [{}], parameters }: PluginFaults): Part {
  const lists = Object.entries(parameters);
  return {
    size: lists.reduce((product, [, values]) => product * countOf(values), faults.length),
    at(index) {
      let rest = index;
      // The last one changes from one fault to the next.
      const chosen = lists.toReversed().map(([key, values]): [string, unknown] => {
        const count = countOf(values);
        const value = elementOf(values, rest % count);
        rest = Math.floor(rest / count);
        return [key, value];
      });
      const own = { ...faults[rest], ...Object.fromEntries(chosen.toReversed()) };
      return { model: name, text: inWords(own) || 'its fault', plugin: library, settings: { ...settings, ...own }, slowdown: 1 };
    },
  };
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
