import assert from 'node:assert/strict';
import test from 'node:test';
import { formatBytes, formatCommandLine, formatMilliseconds, formatMoment, formatSimulatedTime, snapshotDescription, snapshotLabel } from '../../extension/src/views/format.js';
import { summary } from './snapshots.js';

test('sizes', () => {
  assert.equal(formatBytes(0), '0 bytes');
  assert.equal(formatBytes(999), '999 bytes');
  assert.equal(formatBytes(1000), '1.0 kB');
  assert.equal(formatBytes(12_400_000), '12 MB');
  assert.equal(formatBytes(2_040_000_000), '2.0 GB');
});

test('times', () => {
  assert.equal(formatMilliseconds(0.42), '0.4 ms');
  assert.equal(formatMilliseconds(31.6), '32 ms');
  assert.equal(formatMilliseconds(1234), '1.23 s');
  assert.equal(formatMilliseconds(75_000), '75.0 s');
});

test('simulated time is exact and in the unit that reads best', () => {
  assert.equal(formatSimulatedTime({ ticks: '0', unit: -9 }), '0 s');
  assert.equal(formatSimulatedTime({ ticks: '1250000', unit: -9 }), '1.25 ms');
  assert.equal(formatSimulatedTime({ ticks: '1', unit: -12 }), '1 ps');
  assert.equal(formatSimulatedTime({ ticks: '5', unit: 0 }), '5 s');
  assert.equal(formatSimulatedTime({ ticks: '3', unit: 2 }), '300 s');
  assert.equal(formatSimulatedTime({ ticks: '999', unit: -15 }), '999 fs');
  assert.equal(formatSimulatedTime({ ticks: '7', unit: -16 }), '0.7 fs');
  // More digits than a number holds.
  assert.equal(formatSimulatedTime({ ticks: '12345678901234567891', unit: -15 }), '12345.678901234567891 s');
  assert.equal(formatSimulatedTime({ ticks: '000120', unit: -9 }), '120 ns');
});

test('moments name the day only where it is another one', () => {
  const now = new Date(2026, 4, 2, 18, 0, 0);
  assert.equal(formatMoment(new Date(2026, 4, 2, 9, 5, 7).toISOString(), now), '09:05:07');
  assert.equal(formatMoment(new Date(2026, 4, 1, 9, 5, 7).toISOString(), now), '2026-05-01 09:05:07');
});

test('a snapshot is named by its user, else by its moment, which is then not said twice', () => {
  const createdAt = new Date(2026, 4, 2, 9, 5, 7).toISOString();
  const now = new Date(2026, 4, 2, 18, 0, 0);
  const plain = summary({ createdAt, bytes: 12_400_000, pauseMs: 4.06 });
  assert.equal(snapshotLabel(plain, now), 'Snapshot 09:05:07');
  assert.equal(snapshotDescription(plain, now), '12 MB · held 4.1 ms');
  const named = summary({ createdAt, bytes: 12_400_000, pauseMs: 4.06, name: 'region of interest', simulatedTime: { ticks: '1250000', unit: -9 } });
  assert.equal(snapshotLabel(named, now), 'region of interest');
  assert.equal(snapshotDescription(named, now), '09:05:07 · at 1.25 ms · 12 MB · held 4.1 ms');
});

test('command lines are quoted as a shell needs it', () => {
  assert.equal(formatCommandLine(['vvp', '-n', '/a/b.vvp', '+x=1']), 'vvp -n /a/b.vvp +x=1');
  assert.equal(formatCommandLine(['sh', '-c', "echo 'hi'", '']), "sh -c 'echo '\\''hi'\\''' ''");
});
