/** Campaigns that end early, and faults that are the same: which runs are counted is decided by the file alone. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { waitFor } from '../support/processes.js';
import { withScratch } from '../support/scratch.js';
import {
  campaign,
  compileProgram,
  NEVER_HANGS,
  readsModel,
  runs,
  same,
  snapshot,
  statusOf,
  summaryOf,
  whole,
} from './campaigns.js';

test.before(compileProgram);

const flips = Array.from({ length: 60 }, (_, at) => ({
  output: { argument: 2, flip: (at + 1).toString(16).padStart(2, '0'), withinResult: true },
}));

test('the same runs are counted by one worker, by many, and by one that was killed', () =>
  withScratch(async (scratch) => {
    await snapshot(scratch);
    const stop = { margin: 0.12, outcomes: ['silentDataCorruption'], atLeast: 20 };
    const more = { models: [readsModel(flips, 'reads', NEVER_HANGS)], seed: 3, stop };
    const [one = '', many = '', killed = ''] = ['one', 'many', 'killed'].map((name) => campaign(scratch, name, more));
    const first = await scratch.cairn(whole(one, '--workers', '1'), { seconds: 240 });
    const { runs: counted, endedAfter, planned } = summaryOf(first.stdout);
    assert.equal(endedAfter, counted);
    assert.ok(counted >= 20 && counted < planned / 3, `${counted} of ${planned}`);
    assert.match((await scratch.cairn(['campaign', 'status', one])).stdout, /No more are needed/);
    await scratch.cairn(whole(many, '--workers', '7'), { seconds: 240 });
    const runner = scratch.cairnProgram(whole(killed, '--workers', '3'));
    await waitFor('runs', async () => ((await statusOf(scratch, killed))?.runs ?? 0) > 3, 60);
    process.kill(runner.pid, 'SIGKILL');
    await runner.exit();
    assert.equal((await statusOf(scratch, killed))?.endedAfter, null);
    assert.equal((await scratch.cairn(whole(killed, '--workers', '2'), { seconds: 240 })).status, 0);
    const expected = same(await runs(scratch, one));
    for (const file of [many, killed]) assert.deepEqual(same(await runs(scratch, file)), expected);
    // It has ended.
    assert.equal(summaryOf((await scratch.cairn(whole(many))).stdout).runs, counted);
    campaign(scratch, 'many', { ...more, stop: { ...stop, margin: 0.01 } });
    assert.match((await scratch.cairn(whole(many))).stderr, /another campaign: stop differ/);
  }));

test('a fault that two models have is put once, and counts in both', () =>
  withScratch(async (scratch) => {
    await snapshot(scratch);
    const [first = {}, second = {}, third = {}] = flips;
    const models = [readsModel([first, second], 'a', NEVER_HANGS), readsModel([second, third], 'b', NEVER_HANGS)];
    const file = campaign(scratch, 'twice', { models });
    const { status, stderr, stdout } = await scratch.cairn(whole(file), { seconds: 240 });
    assert.equal(status, 0, stderr);
    assert.equal(summaryOf(stdout).runs, 24);
    const all = await runs(scratch, file);
    const copied = all.filter(({ startReason }) => /^as run \d+, which has the same fault$/.test(startReason));
    assert.equal(copied.length, 6);
    for (const one of copied) {
      const made = all[Number(/\d+/.exec(one.startReason)?.[0])];
      assert.ok(made);
      assert.equal(made.startReason, '');
      assert.notEqual(made.model, one.model);
      const { outcome, deviation, effective, fault } = made;
      assert.deepEqual([one.outcome, one.deviation, one.effective, one.fault], [outcome, deviation, effective, fault]);
    }
  }));
