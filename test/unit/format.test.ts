import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  formatBytes,
  formatDuration,
  formatSimulatedTime,
  formatSimulatedTimeBriefly,
  formatTable,
  formatTime,
  shellWord,
} from '../../debug-adapter/src/protocol/format.js';

test('bytes', () => {
  const cases: [number, string][] = [
    [0, '0 B'],
    [1023, '1023 B'],
    [1536, '1.50 KiB'],
    [10 * 1024, '10.0 KiB'],
    [1048576, '1.00 MiB'],
    [1048575, '1.00 MiB'],
    [5 * 2 ** 40, '5.00 TiB'],
  ];
  for (const [bytes, text] of cases) assert.equal(formatBytes(bytes), text);
});

test('durations', () => {
  const cases: [number, string][] = [
    [0.4249, '0.42 ms'],
    [12.6, '13 ms'],
    [1234, '1.23 s'],
    [75_000, '1 min 15 s'],
  ];
  for (const [ms, text] of cases) assert.equal(formatDuration(ms), text);
});

test('where there is little room, simulated time has four digits', () => {
  const cases: [string, number, string][] = [
    ['0', -12, '0 s'],
    ['1448275000', -12, '1.448 ms'],
    ['595275', -9, '595.3 µs'],
    ['1', -15, '1 fs'],
    ['3', 3, '3000 s'],
  ];
  for (const [ticks, unit, text] of cases) assert.equal(formatSimulatedTimeBriefly({ ticks, unit }), text);
});

test('simulated time is exact, in the largest unit that leaves at most three places', () => {
  const cases: [string, number, string][] = [
    ['0', -12, '0 s'],
    ['1500000', -12, '1.5 µs'],
    ['1', -9, '1 ns'],
    ['1000000001', -9, '1000000.001 µs'],
    ['2', 0, '2 s'],
    ['10', -18, '10 × 10^-18 s'],
    ['123456789012345678901', -15, '123456789012345678.901 ps'],
    ['1234000', -12, '1.234 µs'],
    ['1500', -9, '1.5 µs'],
    ['3', 3, '3000 s'],
  ];
  for (const [ticks, unit, text] of cases) assert.equal(formatSimulatedTime({ ticks, unit }), text);
});

test('tables have straight columns, also with wide characters of one column', () => {
  assert.equal(
    formatTable([
      ['a', 'bb', 'c'],
      ['µµµ', 'b', ''],
    ]),
    'a    bb  c\nµµµ  b',
  );
});

test('times and words', () => {
  assert.match(formatTime('2026-03-01T14:05:09.123Z'), /^2026-0[23]-\d\d \d\d:05:09$/);
  assert.equal(formatTime('never'), 'never');
  assert.equal(shellWord('+timeout=5'), '+timeout=5');
  assert.equal(shellWord("it's"), "'it'\\''s'");
  assert.equal(shellWord(''), "''");
});
