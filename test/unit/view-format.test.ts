import assert from 'node:assert/strict';
import test from 'node:test';
import {
  formatCommandLine,
  formatMoment,
  snapshotDescription,
  snapshotLabel,
  snapshotRowLabel,
} from '../../extension/src/views/format.js';
import { summary } from './snapshots.js';

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
  assert.equal(snapshotRowLabel(plain, now), '09:05:07');
  assert.equal(snapshotDescription(plain, now), '11.8 MiB · held 4.06 ms');
  const named = summary({
    createdAt,
    bytes: 12_400_000,
    pauseMs: 4.06,
    name: 'region of interest',
    simulatedTime: { ticks: '1250000', unit: -9 },
  });
  assert.equal(snapshotLabel(named, now), 'region of interest');
  assert.equal(snapshotRowLabel(named, now), 'region of interest');
  assert.equal(snapshotDescription(named, now), '09:05:07 · at 1.25 ms · 11.8 MiB · held 4.06 ms');
});

test('command lines are quoted as a shell needs it', () => {
  assert.equal(formatCommandLine(['vvp', '-n', '/a/b.vvp', '+x=1']), 'vvp -n /a/b.vvp +x=1');
  assert.equal(formatCommandLine(['sh', '-c', "echo 'hi'", '']), "sh -c 'echo '\\''hi'\\''' ''");
});
