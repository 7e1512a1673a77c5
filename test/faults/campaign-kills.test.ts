/**
 * Campaigns of which at random moments the runner, a worker, a run or all processes of the session are killed, CAIRN_KILLS times in all: no run is lost,
 * doubled or taken for something else; each is what it is in a campaign that nobody disturbs, and nothing is left.
 */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { chooseSeed, randomNumbers } from '../support/moments.js';
import { describeProcess, executable, processesOf, readProc, waitFor } from '../support/processes.js';
import type { Program } from '../support/program.js';
import { type Scratch, withScratch } from '../support/scratch.js';
import { campaign, compileProgram, readsModel, runs, same, snapshot, summaryOf, whole } from './campaigns.js';

const KILLS = Number(process.env['CAIRN_KILLS'] ?? 8);
/** Of a runner that is not disturbed. */
const SECONDS = 240;
/** Before a kill, at most. */
const MOST_MS = 2500;

test.before(compileProgram);

const effects = Array.from({ length: 40 }, (_, at) => ({
  output: { argument: 2, flip: (at + 1).toString(16).padStart(2, '0'), withinResult: true },
}));

type Victim = 'runner' | 'worker' | 'run' | 'session';

/** Who is killed; none where there is no such process just now. */
function victims(scratch: Scratch, runner: Program, what: Victim): number[] {
  if (what === 'runner') return [runner.pid];
  const all = processesOf(scratch.folder);
  if (what === 'session') return all;
  const is = (pid: number): boolean => {
    const program = basename(executable(pid));
    const resident = readProc(pid, 'cmdline').includes('--resident');
    if (what === 'worker')
      return (program === 'cairn-restore' && resident) || readProc(pid, 'cmdline').includes('coordinator.js');
    return program === 'campaign_program' || (program === 'cairn-restore' && !resident);
  };
  return all.filter(is).slice(0, 1);
}

async function disturbed(scratch: Scratch, kills: number, more: Record<string, unknown>): Promise<void> {
  const seed = chooseSeed();
  const random = randomNumbers(seed);
  const told: string[] = [`CAIRN_TEST_SEED=${seed}`];
  const quiet = campaign(scratch, 'quiet', more);
  const first = await scratch.cairn(whole(quiet), { seconds: SECONDS });
  assert.equal(first.status, 0, first.stderr);
  const expected = same(await runs(scratch, quiet));
  const kinds: readonly Victim[] = ['runner', 'worker', 'run', 'session'];
  let done = 0;
  for (let round = 0; done < kills; round++) {
    const file = campaign(scratch, `killed${round}`, more);
    while (done < kills) {
      const runner = scratch.cairnProgram(whole(file, '--workers', String(1 + Math.floor(random() * 3))));
      while (runner.status === undefined && done < kills) {
        await sleep(random() * MOST_MS);
        const what = kinds[Math.floor(random() * kinds.length)] ?? 'runner';
        const pids = runner.status === undefined ? victims(scratch, runner, what) : [];
        if (pids.length === 0) continue;
        told.push(`${what}: ${pids.map(describeProcess).join(', ')}`);
        for (const pid of pids)
          try {
            process.kill(pid, 'SIGKILL');
          } catch {
            // It has just ended.
          }
        done++;
        if (what === 'runner' || what === 'session') await runner.exit(60);
      }
      if (done >= kills) break;
      // It was not made again by itself: the run without a fault, or one three times, was killed.
      if ((await runner.exit(SECONDS)) === 0) break;
    }
    // Whoever runs still ends what it has begun.
    const last = await waitFor(
      'a runner that comes to the end',
      async () => {
        const { status, stdout, stderr } = await scratch.cairn(whole(file), { seconds: SECONDS });
        if (/is being run already/.test(stderr)) return undefined;
        return { status, stdout, stderr };
      },
      SECONDS,
    );
    assert.equal(last.status, 0, `${last.stderr}\n${told.join('\n')}`);
    assert.equal(summaryOf(last.stdout).runs, expected.length, told.join('\n'));
    assert.deepEqual(same(await runs(scratch, file)), expected, told.join('\n'));
    const left = readdirSync(join(scratch.store, 'campaigns', `killed${round}`));
    assert.deepEqual(
      left.filter((name) => !/^(results\.db|lock)/.test(name)),
      [],
      told.join('\n'),
    );
  }
  const sessions = readdirSync(join(scratch.runtime, 'cairn')).filter((name) => /^(quiet|killed)/.test(name));
  assert.deepEqual(sessions, [], told.join('\n'));
}

test(`runs that are copies of a process, ${Math.ceil(KILLS / 2)} times`, () =>
  withScratch(async (scratch) => {
    await snapshot(scratch);
    await disturbed(scratch, Math.ceil(KILLS / 2), { models: [readsModel(effects)], sample: 90, seed: 7 });
  }));

test(`runs that are restarted from disk, ${Math.floor(KILLS / 2)} times`, () =>
  withScratch(async (scratch) => {
    await snapshot(scratch);
    await disturbed(scratch, Math.floor(KILLS / 2), { models: [readsModel(effects)], sample: 24, seed: 7, start: 'disk' });
  }));
