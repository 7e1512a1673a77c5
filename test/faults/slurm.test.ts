/**
 * Campaigns by Slurm, with its own daemons and four nodes on this machine: the same faults and outcomes as here, each run counted once, whoever is killed
 * meanwhile; one copy of the snapshot a node; nothing is left.
 */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { CannotRun, Cluster, refusal } from '../programs/slurm-cluster.js';
import { chooseSeed, randomNumbers } from '../support/moments.js';
import { processesOf, readProc, waitFor } from '../support/processes.js';
import type { Program } from '../support/program.js';
import { Scratch } from '../support/scratch.js';
import { campaign, compileProgram, readsModel, runs, same, snapshot, statusOf, summaryOf, whole } from './campaigns.js';

const NODES = 4;
const KILLS = Number(process.env['CAIRN_KILLS'] ?? 5);
/** Before a kill, at most. */
const MOST_MS = 3000;
const SECONDS = 400;

test.before(compileProgram);

const effects = Array.from({ length: 30 }, (_, at) => ({
  output: { argument: 2, flip: (at + 1).toString(16).padStart(2, '0'), withinResult: true },
}));

interface Here {
  scratch: Scratch;
  cluster: Cluster;
  /** A campaign by Slurm. */
  file: (name: string, more?: Record<string, unknown>) => string;
  run: (file: string) => Program;
  /** What the same campaign comes to without Slurm. */
  expected: unknown[];
}

const common = { models: [readsModel(effects)], sample: 60, seed: 11 };

function slurmTest(name: string, work: (here: Here) => Promise<void>): void {
  test(name, { skip: refusal() ?? false, timeout: 1_800_000 }, async (context) => {
    const scratch = new Scratch();
    try {
      await snapshot(scratch);
      const cluster = await Cluster.open(scratch, { nodes: NODES, lostAfter: 8 }).catch((error: unknown) => {
        if (!(error instanceof CannotRun)) throw error;
        context.skip(`Slurm's daemons do not run here: ${error.message}`);
        return undefined;
      });
      if (cluster === undefined) return;
      try {
        const local = campaign(scratch, 'local', common);
        const { status, stderr } = await scratch.cairn(whole(local), { seconds: SECONDS });
        assert.equal(status, 0, stderr);
        const runner = { kind: 'slurm', stage: join(scratch.folder, 'nodes'), options: ['--exclusive'] };
        await work({
          scratch,
          cluster,
          file: (called, more = {}) => campaign(scratch, called, { ...common, runner, workers: NODES, ...more }),
          run: (file) => scratch.cairnProgram(whole(file), { env: cluster.env }),
          expected: same(await runs(scratch, local)),
        });
      } finally {
        await cluster.close();
      }
    } finally {
      await scratch.close();
    }
  });
}

/** Of a campaign: a line for each copy of the snapshot that a node has made. */
function copies(scratch: Scratch, name: string): number[] {
  const folder = join(scratch.store, 'campaigns', name, 'slurm', 'nodes');
  if (!existsSync(folder)) return [];
  return readdirSync(folder).map((node) => readFileSync(join(folder, node), 'utf8').split('\n').length - 1);
}

const nothingLeft = (scratch: Scratch, name: string): void => {
  const left = readdirSync(join(scratch.store, 'campaigns', name)).filter((one) => !/^(results\.db|lock)/.test(one));
  assert.deepEqual(left, []);
};

slurmTest('the same faults and outcomes as here, from one copy of the snapshot a node', async (here) => {
  const { scratch, file, run, expected, cluster } = here;
  const whole60 = file('slurm');
  const runner = run(whole60);
  let seen: number[] = [];
  await waitFor(
    'its end',
    () => {
      const now = copies(scratch, 'slurm');
      if (now.length > 0) seen = now;
      return runner.status !== undefined;
    },
    SECONDS,
  );
  assert.equal(runner.status, 0, `${runner.transcript()}\n${cluster.logs()}`);
  assert.equal(summaryOf(runner.stdout).runs, expected.length);
  assert.deepEqual(same(await runs(scratch, whole60)), expected);
  assert.deepEqual(seen, [1, 1, 1, 1]);
  nothingLeft(scratch, 'slurm');
  assert.deepEqual(existsSync(join(scratch.folder, 'nodes')) ? readdirSync(join(scratch.folder, 'nodes')) : [], []);
  await cluster.empty();
  // One that ends early, and is paused before: its jobs leave the nodes.
  const early = file('early', { sample: 300, stop: { margin: 0.11, outcomes: ['silentDataCorruption'], atLeast: 20 } });
  const here60 = campaign(scratch, 'early-here', {
    ...common,
    sample: 300,
    stop: { margin: 0.11, outcomes: ['silentDataCorruption'], atLeast: 20 },
  });
  const second = run(early);
  await waitFor('runs', async () => ((await statusOf(scratch, early))?.runs ?? 0) > 0, 120);
  await scratch.cairn(['campaign', 'pause', early]);
  await cluster.empty(120);
  await scratch.cairn(['campaign', 'resume', early]);
  assert.equal(await second.exit(SECONDS), 0, second.transcript());
  await scratch.cairn(whole(here60), { seconds: SECONDS });
  assert.deepEqual(same(await runs(scratch, early)), same(await runs(scratch, here60)));
  nothingLeft(scratch, 'early');
  await cluster.empty();
});

slurmTest(`killed at random ${KILLS} times: the campaign, daemons, tasks, whole nodes`, async (here) => {
  const { scratch, file, run, expected, cluster } = here;
  const seed = chooseSeed();
  const random = randomNumbers(seed);
  const any = <T>(all: readonly T[]): T | undefined => all[Math.floor(random() * all.length)];
  const told = [`CAIRN_TEST_SEED=${seed}`];
  const lost: string[] = [];
  let over = false;
  const administrator = (async (): Promise<void> => {
    for (; !over; await sleep(2000)) await cluster.resumeDrained();
  })();
  const tasks = (): number[] => processesOf(scratch.folder).filter((pid) => /\0campaign\0task\0/.test(readProc(pid, 'cmdline')));
  try {
    for (let kills = 0, round = 0; kills < KILLS; round++) {
      const name = `killed${round}`;
      const one = file(name);
      while (kills < KILLS) {
        const runner = run(one);
        while (runner.status === undefined && kills < KILLS) {
          await sleep(random() * MOST_MS);
          if (runner.status !== undefined) break;
          const what = any(['campaign', 'node', 'controller', 'task', 'lost', 'session']);
          told.push(what ?? '');
          const node = any(cluster.nodes.filter((is) => !lost.includes(is))) ?? '';
          if (what === 'campaign') process.kill(runner.pid, 'SIGKILL');
          if (what === 'node') await cluster.replaceNode(node);
          if (what === 'controller') await cluster.replaceController();
          if (what === 'task' || what === 'session') {
            const all = tasks();
            const chosen = what === 'session' ? [...all, runner.pid] : all.slice(0, 1);
            if (chosen.length === 0) continue;
            for (const pid of chosen)
              try {
                process.kill(pid, 'SIGKILL');
              } catch {
                // It has just ended.
              }
          }
          // One after the other: half of the nodes is there at any time.
          if (what === 'lost') {
            const back = lost.length >= NODES / 2 ? lost.shift() : undefined;
            if (back !== undefined) cluster.bringBack(back);
            lost.push(node);
            await cluster.loseNode(node);
          }
          kills++;
          if (what === 'campaign' || what === 'session') await runner.exit(60);
        }
        if (kills < KILLS && (await runner.exit(SECONDS)) === 0) break;
      }
      const last = await waitFor(
        'a campaign that comes to its end',
        async () => {
          const runner = run(one);
          const status = await runner.exit(SECONDS);
          return /is being run already/.test(runner.stderr) ? undefined : { status, runner };
        },
        SECONDS,
      );
      const about = `${last.runner.transcript()}\n${told.join(', ')}\n${cluster.logs()}`;
      assert.equal(last.status, 0, about);
      assert.equal(summaryOf(last.runner.stdout).runs, expected.length, about);
      assert.deepEqual(same(await runs(scratch, one)), expected, about);
      nothingLeft(scratch, name);
    }
  } finally {
    over = true;
    await administrator;
  }
});
