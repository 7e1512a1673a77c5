/**
 * Faults that are not on signals: in calls, in messages, in a process, and of the user's own models. Pure. Tests: test/unit/fault-space.test.ts.
 */
import type { CallFaults, MessageFaults, PluginFaults, ProcessFaults } from '../protocol/campaign.js';
import type { Part } from './fault-space.js';

const inWords = (of: object): string =>
  Object.entries(of)
    .map(([key, value]) => `${key} ${typeof value === 'object' ? JSON.stringify(value) : String(value)}`)
    .join(', ');

export function calls(name: string, model: CallFaults): Part {
  const { effects, calls: which, ...place } = model;
  return {
    size: (which.last - which.first + 1) * effects.length,
    at(index) {
      const effect = effects[index % effects.length] ?? {};
      const nth = which.first + Math.floor(index / effects.length);
      return {
        model: name,
        text: `call ${nth} of ${place.function}: ${inWords(effect)}`,
        place: { target: place.function, scope: place.program ?? '', at: null },
        plugin: 'fault-calls',
        settings: { faults: [{ ...place, ...effect, calls: { nth } }] },
        slowdown: 1,
      };
    },
  };
}

export function messages(name: string, model: MessageFaults): Part {
  const { effects, messages: which, ...place } = model;
  const way = place.direction === 'send' ? 'sent' : 'received';
  return {
    size: (which.last - which.first + 1) * effects.length,
    at(index) {
      const effect = effects[index % effects.length] ?? {};
      const nth = which.first + Math.floor(index / effects.length);
      return {
        model: name,
        text: `message ${nth} ${way}: ${inWords(effect)}`,
        place: { target: `messages ${way}`, scope: place.program ?? '', at: null },
        plugin: 'fault-messages',
        settings: { faults: [{ ...place, ...effect, messages: { nth } }] },
        slowdown: 1,
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

/** What it is in, without the bit. */
function targetOf({ memory, register }: Record<string, unknown>): string {
  if (typeof register === 'string') return register;
  const { symbol, mapping, address } = (memory ?? {}) as Partial<Record<string, string>>;
  return symbol ?? mapping ?? address ?? 'instruction';
}

export function process(name: string, model: ProcessFaults): Part {
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
        place: { target: targetOf(place), scope: program ?? '', at: null },
        plugin: 'fault-process',
        settings: { faults: [{ ...common, ...place, ...moment }] },
        slowdown: 1,
      };
    },
  };
}

export function plugin(name: string, { library, settings, faults = [{}], parameters }: PluginFaults): Part {
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
      return {
        model: name,
        text: inWords(own) || 'its fault',
        place: { target: library.slice(library.lastIndexOf('/') + 1), scope: '', at: null },
        plugin: library,
        settings: { ...settings, ...own },
        slowdown: 1,
      };
    },
  };
}
