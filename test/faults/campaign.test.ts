/**
 * Campaigns: each run's outcome is what the program does with that fault, whoever runs it and however often the runner is killed; nothing of
 * them is left.
 */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { CampaignSummary, Run } from '../../debug-adapter/src/protocol/campaign.js';
import { waitFor } from '../support/processes.js';
import { withScratch } from '../support/scratch.js';
import { CALLS, campaign, compileProgram, outcomesOf, runs, same, snapshot, summaryOf, whole } from './campaigns.js';

test.before(compileProgram);

/** Of the two faults of each read. */
const expected = Array.from({ length: CALLS }, (_, block) => outcomesOf(block)).flat();

test('each outcome is what the program does with the fault; what has no effect is known', () =>
  withScratch(async (scratch) => {
    await snapshot(scratch);
    const file = campaign(scratch, 'all', { limits: { hang: 0.01 } });
    const { status, stdout, stderr } = await scratch.cairn(whole(file), { seconds: 300 });
    assert.equal(status, 1, stderr);
    assert.match(stderr, /hang: 4\.2 % of the runs, more than 1\.0 %/);
    const summary = summaryOf(stdout);
    assert.deepEqual([summary.runs, summary.planned, summary.population, summary.notEffective], [24, 24, 24, 4]);
    assert.equal(summary.outcomes.crash?.count, 1);
    assert.ok(summary.runsPerSecond > 0);
    const found = await runs(scratch, file);
    assert.deepEqual(
      found.map(({ outcome }) => outcome),
      expected,
    );
    assert.deepEqual(
      found.map(({ effective }) => effective),
      expected.map((_, number) => number < 20),
    );
    assert.equal(found[1]?.deviation, 'out.txt differs');
    assert.equal(
      found[12]?.deviation,
      'line 1: "the bus gives an error" instead of "done at 1"'.replace('1"', `${pidIn(found)}"`),
    );
    assert.equal(found[13]?.status, 134);
    const { stdout: shown } = await scratch.cairn(['campaign', 'show', file, '7']);
    assert.match(shown, /call 4 of read: output.*\n.*detected/);
    assert.match(shown, /^parity: corrected$/m);
    const again = await scratch.cairn(['campaign', 'repeat', file, '0'], { seconds: 60 });
    assert.deepEqual([again.status, again.stdout], [3, 'the bus gives an error\n']);
    const csv = await scratch.cairn(['campaign', 'export', file]);
    assert.equal(csv.stdout.split('\r\n').length, 26);
    const none = await scratch.cairn(['campaign', 'show', file, '24']);
    assert.match(none.stderr, /no run 24/);
    // Nothing of the runs is left beside the results.
    assert.ok(readdirSync(join(scratch.store, 'campaigns', 'all')).every((name) => /^(results\.db|lock|faults)/.test(name)));
    assert.ok(!readdirSync(join(scratch.runtime, 'cairn')).some((name) => name.startsWith('all.')));
  }));

/** The program has its old id in every run. */
function pidIn(found: readonly Run[]): string {
  return /done at (\d+)/.exec(found[12]?.deviation ?? '')?.[1] ?? '';
}

test('a runner that is killed again and again loses and doubles no run, on any number of workers', () =>
  withScratch(async (scratch) => {
    await snapshot(scratch);
    const file = campaign(scratch, 'killed', { sample: 14, seed: 5 });
    const planned = 14;
    for (let kills = 0, counted = 0; kills < 4 && counted < planned - 2; kills++) {
      const runner = scratch.cairnProgram(whole(file, '--workers', String(1 + (kills % 3))));
      const target = counted + 2;
      await waitFor(
        `${target} runs`,
        async () => {
          const { status, stdout } = await scratch.cairn(['campaign', 'status', file, '--json']);
          counted = status === 0 ? (JSON.parse(stdout) as CampaignSummary).runs : 0;
          return counted >= target;
        },
        120,
      );
      process.kill(runner.pid, 'SIGKILL');
      await runner.exit();
    }
    const last = await scratch.cairn(whole(file), { seconds: 300 });
    assert.equal(last.status, 0, last.stderr);
    assert.equal(summaryOf(last.stdout).runs, planned);
    const found = await runs(scratch, file);
    const other = campaign(scratch, 'quiet', { sample: 14, seed: 5 });
    await scratch.cairn(whole(other, '--workers', '3'), { seconds: 300 });
    assert.deepEqual(same(found), same(await runs(scratch, other)));
    assert.equal(new Set(found.map(({ fault }) => fault)).size, planned);
  }));

test('what cannot be right is refused: results of another campaign, a second runner, files that are none', () =>
  withScratch(async (scratch) => {
    await snapshot(scratch);
    const file = campaign(scratch, 'one', { sample: 2 });
    const first = await scratch.cairn(whole(file), { seconds: 120 });
    assert.equal(first.status, 0, first.stderr);
    campaign(scratch, 'one', { sample: 2, seed: 9, timeout: 7 });
    const other = await scratch.cairn(whole(file), { seconds: 60 });
    assert.equal(other.status, 1);
    assert.match(other.stderr, /another campaign: (seed, timeout|timeout, seed) differ/);
    const long = campaign(scratch, 'long');
    const runner = scratch.cairnProgram(whole(long));
    await waitFor(
      'its lock',
      () => readdirSync(scratch.store).includes('campaigns') && readdirSync(join(scratch.store, 'campaigns')).includes('long'),
    );
    const second = await waitFor('the lock', async () => {
      const tried = await scratch.cairn(whole(long), { seconds: 60 });
      return /is being run already/.test(tried.stderr) ? tried : undefined;
    });
    assert.equal(second.status, 1);
    process.kill(runner.pid, 'SIGINT');
    assert.equal(await runner.exit(60), 130);
    // Of the plan, as it was: the file says something else by now.
    assert.match((await scratch.cairn(['campaign', 'status', file])).stdout, /2 of 2 runs, of 24 faults/);
    const bad = campaign(scratch, 'bad', {
      models: [{ name: 'reads', calls: { function: 'read', calls: { last: 1 }, effects: [{ errno: 'EIOO' }] } }],
    });
    const made = await scratch.cairn(whole(bad), { seconds: 120 });
    assert.equal(made.status, 1);
    assert.match(made.stderr, /1 runs could not be made/);
    assert.match((await scratch.cairn(['campaign', 'show', bad])).stdout, /toolError .*"errno" is a name/);
    const nothing = campaign(scratch, 'nothing', {
      models: [{ name: 'x', calls: { function: 'nobody_has_this', calls: { last: 1 }, effects: [{ return: 0 }] } }],
    });
    const masked = await scratch.cairn(whole(nothing), { seconds: 120 });
    assert.equal(masked.status, 1);
    assert.match(masked.stderr, /No fault changed anything/);
    for (const name of ['.', '../x', '_x', ''])
      assert.match((await scratch.cairn(whole(file, '--name', name))).stderr, /cannot be the name of a campaign/);
    const unknown = campaign(scratch, 'unknown', { snapshot: 'nobody' });
    assert.match((await scratch.cairn(whole(unknown))).stderr, /nobody/);
    const wrong = campaign(scratch, 'wrong', { samples: 3 });
    assert.match((await scratch.cairn(whole(wrong))).stderr, /wrong\.yaml:1: .*samples/);
  }));

test('a program that is never the same is refused, with what differs; without those lines it is not', () =>
  withScratch(async (scratch) => {
    await snapshot(scratch, 'vary');
    const varies = await scratch.cairn(whole(campaign(scratch, 'varies', { sample: 1 })), { seconds: 60 });
    assert.equal(varies.status, 1);
    assert.match(varies.stderr, /Two runs without a fault differ: line 1: "at \d+\.\d+" instead of "at /);
    const files = { files: ['*.txt'], ignore: ['^at '] };
    const same = await scratch.cairn(whole(campaign(scratch, 'same', { sample: 1, observe: files })), { seconds: 60 });
    assert.equal(same.status, 0, same.stderr);
  }));
