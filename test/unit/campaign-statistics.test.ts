/** Statistics of campaigns against values from the literature and from tables. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { quantileOf, sampleOf, sampleSize, shuffled, wilson } from '../../debug-adapter/src/model/statistics.js';

const near = (value: number, expected: number, tolerance: number): void =>
  assert.ok(Math.abs(value - expected) <= tolerance, `${value} instead of ${expected}`);

test('quantiles of the normal distribution', () => {
  for (const [confidence, quantile] of [
    [0.8, 1.281552],
    [0.9, 1.644854],
    [0.95, 1.959964],
    [0.99, 2.575829],
    [0.998, 3.090232],
    [0.9999, 3.890592],
  ] as const)
    near(quantileOf(confidence), quantile, 1e-6);
});

test('sizes of samples', () => {
  // Of infinitely many: t² / (4 e²).
  assert.equal(sampleSize(1e12, 0.05, 0.95), 385);
  assert.equal(sampleSize(1e12, 0.01, 0.95), 9604);
  assert.equal(sampleSize(1e12, 0.01, 0.998), 23874);
  assert.equal(sampleSize(1000, 0.05, 0.95), 278);
  assert.equal(sampleSize(10, 0.01, 0.99), 10);
  assert.equal(sampleSize(1, 0.5, 0.5), 1);
});

test("Wilson's interval", () => {
  const bounds = (count: number, runs: number, confidence = 0.95): number[] => {
    const { low, high } = wilson(count, runs, confidence);
    return [low, high].map((one) => Number(one.toFixed(4)));
  };
  assert.deepEqual(bounds(5, 10), [0.2366, 0.7634]);
  assert.deepEqual(bounds(0, 10), [0, 0.2775]);
  assert.deepEqual(bounds(10, 10), [0.7225, 1]);
  assert.deepEqual(bounds(81, 263), [0.2553, 0.3662]);
  assert.deepEqual(bounds(0, 0), [0, 1]);
});

test('of a good part of all faults the interval is narrower, and of all there is no doubt', () => {
  for (const [runs, population] of [
    [278, 1000],
    [80, 100],
  ] as const) {
    assert.equal(sampleSize(population, 0.05, 0.95), runs);
    const { low, high } = wilson(runs / 2, runs, 0.95, population);
    near((high - low) / 2, 0.05, 0.001);
  }
  assert.deepEqual(wilson(3, 10, 0.95, 10), { count: 3, rate: 0.3, low: 0.3, high: 0.3 });
});

test('a sample is of different faults, in order, the same for a seed, and each fault is as likely as any other', () => {
  const sample = sampleOf(1000, 50, 7);
  assert.equal(new Set(sample).size, 50);
  assert.deepEqual(
    sample,
    [...sample].sort((a, b) => a - b),
  );
  assert.ok(sample.every((one) => one >= 0 && one < 1000));
  assert.deepEqual(sampleOf(1000, 50, 7), sample);
  assert.notDeepEqual(sampleOf(1000, 50, 8), sample);
  assert.deepEqual(sampleOf(5, 9, 0), [0, 1, 2, 3, 4]);
  const counts = Array.from({ length: 20 }, () => 0);
  for (let seed = 0; seed < 2000; seed++) for (const one of sampleOf(20, 5, seed)) counts[one] = (counts[one] ?? 0) + 1;
  // 500 each, with a standard deviation of some 19.
  assert.ok(
    counts.every((count) => Math.abs(count - 500) < 100),
    counts.join(' '),
  );
});

test('an order has each number once, is the same for a seed, and its beginning is a sample', () => {
  const order = [...shuffled(1000, 7)];
  assert.deepEqual(
    [...order].sort((a, b) => a - b),
    Array.from({ length: 1000 }, (_, index) => index),
  );
  assert.deepEqual([...shuffled(1000, 7)], order);
  assert.notDeepEqual([...shuffled(1000, 8)], order);
  assert.deepEqual([...shuffled(0, 1)], []);
  const counts = Array.from({ length: 20 }, () => 0);
  for (let seed = 0; seed < 2000; seed++) for (const one of shuffled(20, seed).slice(0, 5)) counts[one] = (counts[one] ?? 0) + 1;
  assert.ok(
    counts.every((count) => Math.abs(count - 500) < 100),
    counts.join(' '),
  );
});
