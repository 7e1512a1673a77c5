/** A campaign that is paused: no run begins until it is resumed, whoever runs it and whoever was killed meanwhile. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { waitFor } from '../support/processes.js';
import { withScratch } from '../support/scratch.js';
import { campaign, compileProgram, readsModel, snapshot, statusOf, summaryOf, whole } from './campaigns.js';

test.before(compileProgram);

/** As many faults as there is time for in a test, none of which takes long. */
const effects = Array.from({ length: 40 }, (_, at) => ({ return: -1, errno: 'EIO', delayUs: at }));
const planned = 480;

test('from another terminal, with a runner that is killed and one that comes later', () =>
  withScratch(async (scratch) => {
    await snapshot(scratch);
    const file = campaign(scratch, 'paused', { models: [readsModel(effects)] });
    const unknown = await scratch.cairn(['campaign', 'pause', file]);
    assert.match(unknown.stderr, /no results of a campaign paused/);
    const first = scratch.cairnProgram(whole(file, '--workers', '2'));
    await waitFor('runs', async () => ((await statusOf(scratch, file))?.runs ?? 0) > 3, 60);
    const paused = await scratch.cairn(['campaign', 'pause', file]);
    assert.match(paused.stdout, /It is paused, and goes on when it is resumed/);
    // Those under way go on to their end: two at most.
    const still = await waitFor('the end of the runs under way', async () => {
      const before = await statusOf(scratch, file);
      await sleep(700);
      const after = await statusOf(scratch, file);
      return before?.runs === after?.runs ? after : undefined;
    });
    assert.deepEqual([still.running, still.paused], [true, true]);
    assert.ok(still.runs < planned, `${still.runs}`);
    process.kill(first.pid, 'SIGKILL');
    await first.exit();
    assert.deepEqual([(await statusOf(scratch, file))?.running, (await statusOf(scratch, file))?.paused], [false, true]);
    const second = scratch.cairnProgram(whole(file, '--workers', '2'));
    await waitFor('what it says', () => second.stderr.includes('The campaign is paused: cairn campaign resume'), 60);
    assert.equal((await statusOf(scratch, file))?.runs, still.runs);
    const resumed = await scratch.cairn(['campaign', 'resume', file]);
    assert.match(resumed.stdout, /It is being run\./);
    assert.equal(await second.exit(120), 0, second.transcript());
    assert.equal(summaryOf(second.stdout).runs, planned);
    const again = await scratch.cairn(['campaign', 'resume', file]);
    assert.match(again.stderr, /Nobody runs it/);
    assert.equal(again.status, 0);
  }));

test('one that is ended while it waits ends', () =>
  withScratch(async (scratch) => {
    await snapshot(scratch);
    const file = campaign(scratch, 'waits', { models: [readsModel(effects)], sample: 40 });
    const first = await scratch.cairn(whole(file, '--workers', '1'), { seconds: 60 });
    assert.equal(first.status, 0, first.stderr);
    const longer = campaign(scratch, 'other', { models: [readsModel(effects)] });
    const runner = scratch.cairnProgram(whole(longer));
    await waitFor('runs', async () => ((await statusOf(scratch, longer))?.runs ?? 0) > 0, 60);
    await scratch.cairn(['campaign', 'pause', longer]);
    await waitFor('what it says', () => runner.stderr.includes('is paused'));
    process.kill(runner.pid, 'SIGINT');
    assert.equal(await runner.exit(), 130);
    // One that has all of its runs has nothing to wait for.
    await scratch.cairn(['campaign', 'pause', file]);
    assert.equal((await scratch.cairn(whole(file))).status, 0);
  }));
