/**
 * Statistics of campaigns: how many runs a margin needs, how certain a rate is, and which faults a sample takes. Pure.
 * Tests: test/unit/campaign-statistics.test.ts.
 */
import type { Rate } from '../protocol/campaign.js';

/** Share of a normal distribution that is within `quantile` standard deviations. */
function within(quantile: number): number {
  // The series of the error function converges for all arguments that are asked for here.
  const x = quantile / Math.SQRT2;
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) {
    term *= (-x * x) / n;
    sum += term / (2 * n + 1);
    if (n > 500) break;
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}

/** Standard deviations on both sides of the mean that hold `confidence` (0 to 1) of a normal distribution. */
export function quantileOf(confidence: number): number {
  let low = 0;
  let high = 6;
  for (let i = 0; i < 100; i++) {
    const middle = (low + high) / 2;
    if (within(middle) < confidence) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** Runs that are needed of a population for rates that are within ±margin: Leveugle et al., DATE 2009, with p = 0.5. */
export function sampleSize(population: number, margin: number, confidence: number): number {
  const t = quantileOf(confidence);
  return Math.min(population, Math.ceil(population / (1 + (margin ** 2 * (population - 1)) / (t ** 2 * 0.25))));
}

/**
 * Interval of Wilson (1927) of `count` in `runs`, narrower where these are a good part of all faults that there are: as if there had been
 * runs · (N − 1) / (N − runs) of them. All of them leave no doubt.
 */
export function wilson(count: number, runs: number, confidence: number, population = Number.POSITIVE_INFINITY): Rate {
  if (runs === 0) return { count, rate: 0, low: 0, high: 1 };
  const rate = count / runs;
  if (runs >= population) return { count, rate, low: rate, high: rate };
  const z = quantileOf(confidence);
  const n = Number.isFinite(population) ? (runs * (population - 1)) / (population - runs) : runs;
  const centre = (rate + z ** 2 / (2 * n)) / (1 + z ** 2 / n);
  const half = (z / (1 + z ** 2 / n)) * Math.sqrt((rate * (1 - rate)) / n + z ** 2 / (4 * n ** 2));
  return { count, rate, low: Math.max(0, centre - half), high: Math.min(1, centre + half) };
}

/** Numbers from a seed (SplitMix64, Steele, Lea, Flood 2014): the same on every machine. */
function generator(seed: number): (below: number) => number {
  const mask = (1n << 64n) - 1n;
  let state = BigInt(seed) & mask;
  const next = (): bigint => {
    state = (state + 0x9e3779b97f4a7c15n) & mask;
    let z = state;
    z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & mask;
    z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & mask;
    return z ^ (z >> 31n);
  };
  return (below) => {
    // Without the last, shorter part of the range: each number is as likely as any other.
    const range = BigInt(below);
    const limit = (1n << 64n) - ((1n << 64n) % range);
    for (;;) {
      const value = next();
      if (value < limit) return Number(value % range);
    }
  };
}

/** The numbers 0 … count − 1 in an order that the seed decides (Fisher and Yates; Durstenfeld, CACM 1964). */
export function shuffled(count: number, seed: number): Uint32Array {
  const below = generator(seed);
  const all = Uint32Array.from({ length: count }, (_, index) => index);
  for (let last = count - 1; last > 0; last--) {
    const other = below(last + 1);
    [all[last], all[other]] = [all[other] ?? 0, all[last] ?? 0];
  }
  return all;
}

/** `count` different ones of the numbers 0 … population − 1, in ascending order (Floyd's algorithm). */
export function sampleOf(population: number, count: number, seed: number): number[] {
  if (count >= population) return Array.from({ length: population }, (_, index) => index);
  const below = generator(seed);
  const chosen = new Set<number>();
  for (let last = population - count; last < population; last++) {
    const candidate = below(last + 1);
    chosen.add(chosen.has(candidate) ? last : candidate);
  }
  return [...chosen].sort((a, b) => a - b);
}
