/**
 * Runs from a resident copy of the snapshot: nothing of a run reaches another one or the copy, whatever becomes of it; each does what it does
 * when it is restarted from disk; nothing is left, also where the runner or the copy is killed; and neither grows.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { hasNativeFile } from '../../debug-adapter/src/platform/installation.js';
import type { CampaignSummary, Observation, Run } from '../../debug-adapter/src/protocol/campaign.js';
import { ResidentRuns } from '../../debug-adapter/src/runners/resident-run.js';
import { restartRun } from '../../debug-adapter/src/runners/restart-run.js';
import { compile } from '../probes/catalogue.js';
import { executable, processesOf, readProc, waitFor } from '../support/processes.js';
import { type Scratch, withScratch } from '../support/scratch.js';
import { inTree } from '../support/tree.js';

const alone = inTree('build/test/faults/resident_program');
const narrow = `${alone}-32`;
const builds32 = hasNativeFile('i386/cairn-restore');
const pair = inTree('build/test/faults/resident_pair');

test.before(async () => {
  await compile(inTree('test/faults/resident_program.c'), alone, ['-pthread']);
  await compile(inTree('test/faults/resident_pair.c'), pair, []);
  if (builds32) await compile(inTree('test/faults/resident_program.c'), narrow, ['-pthread', '-m32']);
});

/** `roi`, just before the program reads its data; gives its folder. */
async function snapshot(scratch: Scratch, program: string): Promise<string> {
  writeFileSync(join(scratch.work, 'data'), 'a'.repeat(64));
  writeFileSync(join(scratch.work, 'hold'), '');
  const started = scratch.cairnProgram(['run', '--session', 'roi', '--', program], { cwd: scratch.work });
  await started.line(/^ready$/);
  const { path } = await scratch.checkpoint('roi', '--name', 'roi', '--then', 'kill');
  await started.exit();
  rmSync(join(scratch.work, 'hold'));
  return path;
}

const BLOCKS = 8;

interface Faults {
  first?: number;
  last?: number;
  effects?: Record<string, unknown>[];
  program?: string;
}

/** In reads of the program's data, each fault once in vain between those that count. */
function campaign(scratch: Scratch, name: string, more: Record<string, unknown>, faults: Faults = {}): string {
  const { first = 1, last = BLOCKS, program = 'resident_program' } = faults;
  const { effects = [{ output: { argument: 2, flip: '04', withinResult: true } }, { delayUs: 1 }] } = faults;
  const file = join(scratch.work, `${name}.yaml`);
  const models = [{ name: 'reads', calls: { function: 'read', program, calls: { first, last }, effects } }];
  const observe = { files: ['log', 'other'] };
  writeFileSync(file, JSON.stringify({ snapshot: 'roi', store: scratch.store, models, observe, ...more }));
  return file;
}

async function made(scratch: Scratch, file: string, ...args: string[]): Promise<Run[]> {
  const { status, stderr } = await scratch.cairn(['campaign', 'run', file, '--json', ...args], { seconds: 400 });
  assert.equal(status, 0, stderr);
  return scratch.json<Run[]>(['campaign', 'show', file], { seconds: 60 });
}

const restorers = (scratch: Scratch): number[] =>
  processesOf(scratch.folder).filter((pid) => executable(pid).endsWith('/cairn-restore'));

const seen = (all: readonly Run[]): unknown[] =>
  all.map(({ number, fault, outcome, effective, deviation, status }) => [number, fault, outcome, effective, deviation, status]);

const starts = (all: readonly Run[]): string[] => [
  ...new Set(all.map(({ start, startReason }) => `${start} ${startReason}`.trim())),
];

/** Kinds and ids of System V objects of the program, which it makes with this mode. */
const MODE = '617';

function objects(): string[] {
  return ['shm', 'sem', 'msg'].flatMap((kind) =>
    readFileSync(`/proc/sysvipc/${kind}`, 'utf8')
      .trim()
      .split('\n')
      .slice(1)
      .map((line) => line.trim().split(/\s+/))
      .filter(([, , mode]) => mode === MODE)
      .map(([, id]) => `${kind} ${id}`),
  );
}

/** With what it leaves of such objects removed: a program that is killed, or restarted from disk, leaves them like any other. */
function withObjects(work: (scratch: Scratch) => Promise<void>): Promise<void> {
  const before = objects();
  return withScratch(work).finally(() => {
    for (const one of objects().filter((object) => !before.includes(object))) {
      const [kind = '', id = ''] = one.split(' ');
      execFileSync('ipcrm', [{ shm: '-m', sem: '-s' }[kind] ?? '-q', id]);
    }
  });
}

test('whatever becomes of a run, the next one sees nothing of it; outcomes are those of restarts from disk', () =>
  withObjects(async (scratch) => {
    await snapshot(scratch, alone);
    const before = objects();
    const resident = await made(scratch, campaign(scratch, 'resident', {}), '--workers', '1');
    assert.deepEqual(restorers(scratch), []);
    assert.deepEqual(objects(), before);
    assert.deepEqual(starts(resident), ['resident']);
    assert.deepEqual(
      resident.map(({ outcome }) => outcome),
      ['crash', 'hang', 'crash', 'silentDataCorruption', 'crash', 'hang', 'crash', 'trap'].flatMap((one) => [one, 'masked']),
    );
    const disk = await made(scratch, campaign(scratch, 'disk', { start: 'disk' }), '--workers', '2');
    assert.deepEqual(starts(disk), ['disk']);
    assert.deepEqual(seen(resident), seen(disk));
    // Nor has anything come into the folder in which the program was started.
    assert.deepEqual(readdirSync(scratch.work).sort(), ['data', 'disk.yaml', 'log', 'resident.yaml']);
    const left = readdirSync(join(scratch.runtime, 'cairn')).filter((name) => !name.startsWith('.'));
    assert.deepEqual(left, ['roi']);
  }));

test('several processes are restarted from disk, and it is said why; they do the same', () =>
  withScratch(async (scratch) => {
    await snapshot(scratch, pair);
    const faults = { program: 'resident_pair', last: 3 };
    const resident = await made(scratch, campaign(scratch, 'resident', {}, faults));
    assert.deepEqual(starts(resident), ['disk it has 2 processes']);
    assert.ok(resident.some(({ outcome }) => outcome !== 'masked'));
    assert.deepEqual(seen(resident), seen(await made(scratch, campaign(scratch, 'disk', { start: 'disk' }, faults))));
  }));

test('a runner that is killed leaves no process; a copy that is killed is made anew, and no run is lost', () =>
  withObjects(async (scratch) => {
    await snapshot(scratch, alone);
    // One that hangs, and one that also leaves processes behind.
    const hangs = campaign(scratch, 'hangs', { timeout: 1000 }, { first: 6, last: 6 });
    const runner = scratch.cairnProgram(['campaign', 'run', hangs, '--workers', '1']);
    // The guard, the copy, the run, and what that has left behind.
    await waitFor('the run that hangs', () => restorers(scratch).length >= 5, 60);
    process.kill(runner.pid, 'SIGKILL');
    await runner.exit();
    await waitFor('the end of all', () => restorers(scratch).length === 0);
    const sessions = (): string[] => readdirSync(join(scratch.runtime, 'cairn')).filter((name) => name.startsWith('hangs.'));
    assert.notDeepEqual(sessions(), []);
    // Another plan is refused, but what was left goes.
    campaign(scratch, 'hangs', { seed: 2 });
    const { stderr } = await scratch.cairn(['campaign', 'run', hangs]);
    assert.match(stderr, /another campaign/);
    assert.deepEqual(sessions(), []);

    const file = campaign(
      scratch,
      'killed',
      {},
      { effects: Array.from({ length: 6 }, (_, delayUs) => ({ delayUs: delayUs + 1 })) },
    );
    const going = scratch.cairnProgram(['campaign', 'run', file, '--workers', '2', '--json']);
    for (let kills = 0; kills < 3; kills++) {
      const counted = await waitFor(
        `run ${8 * kills}`,
        async () => {
          const { status, stdout } = await scratch.cairn(['campaign', 'status', file, '--json']);
          return status === 0 && (JSON.parse(stdout) as CampaignSummary).runs >= 8 * kills;
        },
        60,
      );
      assert.ok(counted);
      const [victim] = restorers(scratch);
      if (victim !== undefined) process.kill(victim, 'SIGKILL');
    }
    assert.equal(await going.exit(120), 0, going.transcript());
    const all = await scratch.json<Run[]>(['campaign', 'show', file]);
    assert.deepEqual([...new Set(all.map(({ outcome }) => outcome))], ['masked']);
    assert.equal(all.length, 6 * BLOCKS);
  }));

/** What asks a resident copy of the snapshot for runs without a fault. */
async function withResident(
  scratch: Scratch,
  path: string,
  work: (run: () => Promise<Observation>) => Promise<void>,
): Promise<void> {
  const before = process.env['CAIRN_RUNTIME_DIR'];
  process.env['CAIRN_RUNTIME_DIR'] = scratch.runtime;
  const runs = await ResidentRuns.open({ session: 'many', snapshot: path, store: scratch.store });
  try {
    await work(async () => {
      const { problem, observation } = await restartRun(
        {
          session: 'many',
          snapshot: path,
          store: scratch.store,
          folder: join(scratch.work, 'run'),
          plugins: [],
          design: { targets: [], observe: [], detect: [], limit: null },
          timeoutMs: 60_000,
          files: [],
          signal: new AbortController().signal,
        },
        runs.execute,
      );
      assert.equal(problem, '');
      return observation;
    });
  } finally {
    await runs.close();
    if (before === undefined) delete process.env['CAIRN_RUNTIME_DIR'];
    else process.env['CAIRN_RUNTIME_DIR'] = before;
  }
  assert.deepEqual(restorers(scratch), []);
}

test('neither the copy nor who asks it for runs grows', () =>
  withObjects(async (scratch) => {
    const path = await snapshot(scratch, alone);
    const kept = objects();
    await withResident(scratch, path, async (run) => {
      const sizes = (): unknown => ({
        processes: restorers(scratch).map((pid) => [
          pid,
          /^RssAnon:\s+(\d+)/m.exec(readProc(pid, 'status'))?.[1],
          readdirSync(`/proc/${pid}/fd`).length,
          readProc(pid, 'maps').split('\n').length,
        ]),
        waitedFor: process.getActiveResourcesInfo().toSorted(),
        runtime: readdirSync(join(scratch.runtime, 'cairn', 'many')).toSorted(),
        folder: existsSync(join(scratch.work, 'run')),
      });
      for (let count = 0; count < 10; count++) assert.equal((await run()).status, 0);
      const early = sizes();
      for (let count = 0; count < 300; count++) assert.equal((await run()).status, 0);
      assert.deepEqual(sizes(), early);
      assert.deepEqual(objects(), kept);
    });
  }));

test('a program of 32 bits is copied, too', { skip: builds32 ? false : 'no parts for 32-bit programs (g++-multilib)' }, () =>
  withObjects(async (scratch) => {
    const path = await snapshot(scratch, narrow);
    await withResident(scratch, path, async (run) => {
      const first = await run();
      assert.match(first.lines.at(-1) ?? '', /^done at/);
      for (let count = 0; count < 5; count++) assert.deepEqual(await run(), first);
    });
  }),
);
