/**
 * Many runs of a program that takes no time (CAIRN_RUNS): they leave no process, file, shared memory or socket, and neither the runner nor its workers
 * grow by them.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { CampaignResults } from '../../debug-adapter/src/store/campaign-results.js';
import { executable, processesOf, readProc, waitFor } from '../support/processes.js';
import { type Scratch, withScratch } from '../support/scratch.js';
import { campaign, compileProgram, snapshot, summaryOf, whole } from './campaigns.js';

const RUNS = Number(process.env['CAIRN_RUNS'] ?? 400);
const WORKERS = 2;
/** Of the runner's heap, of which it uses half: so its garbage is collected soon, and it fails where it keeps what it should not. */
const HEAP_MB = 56;
/** Of what a process has of its own. */
const MOST_GROWTH = 0.15;
/** Of a runner with few runs. */
const SETTLED = 3000;
const MOST_RUNNER_KB = 262_144;

interface Sample {
  runs: number;
  /** By what it is: the runner, or a worker. */
  anonymousKb: Map<string, number>;
  descriptors: Map<string, number>;
}

test.before(compileProgram);

const numberOf = (pid: number, what: string): number =>
  Number(new RegExp(`^${what}:\\s+(\\d+)`, 'm').exec(readProc(pid, 'status'))?.[1] ?? 0);

function descriptorsOf(pid: number): number {
  try {
    return readdirSync(`/proc/${pid}/fd`).length;
  } catch {
    return 0;
  }
}

/** Objects in shared memory that no process of the machine uses. */
function unused(names: readonly string[]): string[] {
  const used = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      const files = ((): string[] => {
        try {
          return readdirSync(`/proc/${pid}/fd`).map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`));
        } catch {
          return [];
        }
      })();
      return [readProc(Number(pid), 'maps'), ...files].join('\n');
    })
    .join('\n');
  return names.filter((name) => !used.includes(`/dev/shm/${name}`));
}

/** Everything below a folder. */
const below = (folder: string): string[] => readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort();

function counted(scratch: Scratch, name: string): number {
  try {
    const results = new CampaignResults(join(scratch.store, 'campaigns', name), true);
    try {
      return Object.values(results.counts()).reduce((sum, one) => sum + one, 0);
    } finally {
      results.close();
    }
  } catch {
    return 0;
  }
}

test(`${RUNS} runs leave nothing, and do not grow`, { timeout: 3_600_000 }, () =>
  withScratch(async (scratch) => {
    await snapshot(scratch);
    const models = [{ name: 'none', calls: { function: 'nobody_has_this', calls: { last: RUNS }, effects: [{ return: 0 }] } }];
    const file = campaign(scratch, 'many', { models, observe: { files: ['*.txt'] } });
    const small = campaign(scratch, 'few', { models, sample: 20 });
    // What only the first campaign makes (links to the agent, the note of who has verified the snapshot) is there then.
    await scratch.cairn(whole(small, '--workers', String(WORKERS)), { seconds: 120 });
    // The coordinator of the session that the snapshot is of stays for a moment.
    await waitFor('the end of all processes', () => processesOf(scratch.folder).length === 0);
    const before = { files: [below(scratch.runtime), below(scratch.work)], shared: new Set(readdirSync('/dev/shm')) };
    const runner = scratch.cairnProgram(whole(file, '--workers', String(WORKERS)), {
      env: { TMPDIR: scratch.work, NODE_OPTIONS: `--max-old-space-size=${HEAP_MB}` },
    });
    const samples: Sample[] = [];
    while (runner.status === undefined) {
      await sleep(200);
      const anonymousKb = new Map([['runner', numberOf(runner.pid, 'RssAnon')]]);
      const descriptors = new Map([['runner', descriptorsOf(runner.pid)]]);
      const workers = processesOf(scratch.folder).filter(
        (pid) => basename(executable(pid)) === 'cairn-restore' && readProc(pid, 'cmdline').includes('--resident'),
      );
      workers
        .sort((a, b) => a - b)
        .slice(0, WORKERS)
        .forEach((pid, index) => {
          anonymousKb.set(`worker ${index}`, numberOf(pid, 'RssAnon'));
          descriptors.set(`worker ${index}`, descriptorsOf(pid));
        });
      samples.push({ runs: counted(scratch, 'many'), anonymousKb, descriptors });
    }
    const summary = summaryOf(runner.stdout);
    assert.equal(summary.outcomes.masked?.count, RUNS, runner.transcript());
    const part = (from: number, to: number, of: 'anonymousKb' | 'descriptors', what: string): number => {
      const all = samples.filter(({ runs }) => runs >= from * RUNS && runs < to * RUNS).map((one) => one[of].get(what) ?? 0);
      return all.sort((a, b) => a - b)[Math.floor(all.length / 2)] ?? 0;
    };
    const tenth = (at: number): string => String(Math.round(part(at / 10, (at + 1) / 10, 'anonymousKb', 'runner') / 1024));
    const shape = Array.from({ length: 10 }, (_, at) => tenth(at)).join(' ');
    const told: string[] = [`the runner's memory, each tenth: ${shape} MB`, `${summary.runsPerSecond.toFixed(1)} runs a second`];
    for (const what of ['runner', ...Array.from({ length: WORKERS }, (_, index) => `worker ${index}`)]) {
      const [early, late] = [part(0.4, 0.6, 'anonymousKb', what), part(0.8, 1, 'anonymousKb', what)];
      told.push(`${what}: ${early} kB, then ${late} kB`);
      // In its first thousand runs the runner takes what it will have; then it is as large as it ever gets.
      if (what !== 'runner' || RUNS >= SETTLED) assert.ok(late <= early * (1 + MOST_GROWTH), told.join('; '));
      else assert.ok(late <= MOST_RUNNER_KB, told.join('; '));
      const [few, many] = [part(0.4, 0.6, 'descriptors', what), part(0.8, 1, 'descriptors', what)];
      assert.ok(many <= few + 4, `${what}: ${few} descriptors, then ${many}`);
    }
    await waitFor('the end of all processes', () => processesOf(scratch.folder).length === 0);
    assert.deepEqual([below(scratch.runtime), below(scratch.work)], before.files);
    assert.deepEqual(
      below(join(scratch.store, 'campaigns', 'many')).filter((name) => !/^(results\.db|lock)/.test(name)),
      [],
    );
    const shared = (): string[] => unused(readdirSync('/dev/shm').filter((name) => !before.shared.has(name)));
    await waitFor('shared memory of others', () => shared().length === 0).catch(() => assert.deepEqual(shared(), []));
    // A listening socket without a process there cannot be; one with a name could be left as a file.
    assert.ok(!readFileSync('/proc/net/unix', 'utf8').includes(scratch.folder));
    process.stdout.write(`# ${told.join('; ')}\n`);
  }),
);
