/**
 * Tasks of Slurm, each a computation of its own below `cairn run`: those of an array, killed and restarted as tasks of another one, on
 * other nodes; those of a step (srun); a batch job that makes a snapshot when it is warned, and goes on when it was requeued.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { waitFor } from '../support/processes.js';
import { Scratch } from '../support/scratch.js';
import { build, built } from './built.js';
import { Cluster, refusal } from './slurm-cluster.js';

const NUMBERS = '120';
const counting = built('counting');

class Jobs {
  /** What an undisturbed run prints, but for its last line. */
  readonly numbers: string[];

  constructor(
    readonly scratch: Scratch,
    readonly cluster: Cluster,
  ) {
    const printed = execFileSync(counting, [NUMBERS], { encoding: 'utf8' });
    this.numbers = printed.trim().split('\n').slice(0, -1);
  }

  path(name: string): string {
    return join(this.scratch.work, name);
  }

  script(name: string, ...lines: string[]): string {
    writeFileSync(this.path(name), ['#!/bin/sh', ...lines, ''].join('\n'), { mode: 0o755 });
    return name;
  }

  lines(name: string): string[] {
    return existsSync(this.path(name)) ? readFileSync(this.path(name), 'utf8').split('\n').slice(0, -1) : [];
  }

  /** Waits until a job has counted a bit. */
  async counts(name: string, from = 0): Promise<void> {
    const numbers = (): number =>
      this.lines(name)
        .slice(from)
        .filter((line) => /^\d/.test(line)).length;
    await waitFor(`numbers in ${name}`, () => numbers() >= 5, 30).catch((error: Error) => {
      throw new Error(`${error.message}\n${this.lines(name).join('\n')}\n${this.cluster.logs()}\n${this.scratch.logs()}`);
    });
  }

  letEnd(): void {
    writeFileSync(this.path('go'), '');
  }

  /** The job, in which it ended, of a program that printed what an undisturbed one does; `printed` is of it and its restart. */
  job(...printed: string[]): string {
    let lines: string[] = [];
    for (const name of printed) {
      const own = this.lines(name).filter((line) => /^(\d+ |end in)/.test(line));
      // What was printed after the snapshot comes again.
      const first = Number.parseInt(own[0] ?? '', 10);
      lines = [...lines.slice(0, Number.isNaN(first) ? undefined : first), ...own];
    }
    const all = printed.flatMap((name) => [`--- ${name}`, ...this.lines(name)]).slice(-20);
    const about = `${all.join('\n')}\n${this.scratch.logs()}\n${this.cluster.logs()}`;
    assert.equal(lines.slice(0, -1).join('\n'), this.numbers.join('\n'), about);
    return /^end in job (\S+)$/.exec(lines.at(-1) ?? '')?.[1] ?? '';
  }
}

function slurmTest(name: string, work: (jobs: Jobs) => Promise<void>): void {
  test(name, { skip: refusal() ?? false, timeout: 180_000 }, async () => {
    await build('counting', ['counting.c'], 'cc');
    const scratch = new Scratch();
    try {
      const cluster = await Cluster.open(scratch);
      try {
        await work(new Jobs(scratch, cluster));
      } finally {
        await cluster.close();
      }
    } finally {
      await scratch.close();
    }
  });
}

const run = (session: string): string => `cairn run --session ${session} -- ${counting} ${NUMBERS} go`;
const snapshotOf = (json: string): string => (JSON.parse(json) as { snapshot: string }).snapshot;

slurmTest('tasks of an array go on as tasks of another one', async (jobs) => {
  const { cluster } = jobs;
  const task = jobs.script('task', '#SBATCH --array=0-2 --output=out-%a', `exec ${run('task$SLURM_ARRAY_TASK_ID')}`);
  const first = await cluster.submit(task);
  for (const index of [0, 1, 2]) await jobs.counts(`out-${index}`);
  // From outside, and by a step within the job, as where a job's runtime folder is its own.
  const outside = await cluster.done('cairn', 'checkpoint', '--session', 'task0', '--then', 'kill', '--json');
  const checkpoint = ['cairn', 'checkpoint', '--session', 'task1', '--json'];
  const number = (await cluster.queue()).find(({ name }) => name === `${first}_1`)?.number;
  const inside = await cluster.done('srun', '--overlap', `--jobid=${number}`, ...checkpoint);
  await cluster.done('scancel', `${first}_1`);
  const killed = async (): Promise<boolean> => (await cluster.queue()).every(({ name }) => name === `${first}_2`);
  await waitFor('the end of the killed tasks', killed, 30);
  for (const [index, json] of [outside, inside].entries()) writeFileSync(jobs.path(`snapshot-${index}`), snapshotOf(json));
  const restart = `exec cairn restart "$(cat snapshot-$SLURM_ARRAY_TASK_ID)" --session again$SLURM_ARRAY_TASK_ID --env 'SLURM_*'`;
  // The first ones ran on the first node.
  const again = jobs.script('again', '#SBATCH --array=0-1 --output=again-%a --nodelist=n1', restart);
  const second = Number(await cluster.submit(again));
  jobs.letEnd();
  await cluster.empty();
  assert.ok(Number(jobs.job('out-2')) >= Number(first));
  for (const index of [0, 1]) assert.ok(Number(jobs.job(`out-${index}`, `again-${index}`)) >= second, 'the job of now');
});

slurmTest('tasks of a step go on in a step of another job', async (jobs) => {
  const { cluster } = jobs;
  const tasks = ['srun', '--nodes=2', '--ntasks=2', '--output=out-%t', 'sh', '-c', `exec ${run('step$SLURM_PROCID')}`];
  const step = cluster.done(tasks[0] ?? '', ...tasks.slice(1)).catch(() => 'killed');
  for (const index of [0, 1]) await jobs.counts(`out-${index}`);
  for (const index of [0, 1]) {
    const json = await cluster.done('cairn', 'checkpoint', '--session', `step${index}`, '--then', 'kill', '--json');
    writeFileSync(jobs.path(`snapshot-${index}`), snapshotOf(json));
  }
  assert.equal(await step, 'killed');
  await cluster.empty();
  jobs.letEnd();
  const restart = 'exec cairn restart "$(cat snapshot-$SLURM_PROCID)" --session again$SLURM_PROCID';
  await cluster.done('srun', '--nodes=2', '--ntasks=2', '--output=again-%t', 'sh', '-c', restart);
  await cluster.empty();
  for (const index of [0, 1]) jobs.job(`out-${index}`, `again-${index}`);
});

slurmTest('a job that is requeued goes on from the snapshot that it made when it was warned', async (jobs) => {
  const { cluster } = jobs;
  // As README.md has it.
  const script = jobs.script(
    'job',
    '#SBATCH --requeue --open-mode=append --output=out',
    'session=job$SLURM_JOB_ID',
    'warned() {',
    '  cairn checkpoint --session "$session" --then kill >"$session.new" && mv "$session.new" "$session" && scontrol requeue "$SLURM_JOB_ID"',
    '}',
    'trap warned USR1',
    'if [ -e "$session" ]',
    'then cairn restart "$(cut -d" " -f1 "$session")" --session "$session" &',
    `else ${run('"$session"')} &`,
    'fi',
    'wait $!',
  );
  const job = await cluster.submit(script);
  await jobs.counts('out');
  for (const restart of [1, 2]) {
    await cluster.done('scancel', '--batch', '--signal=USR1', job);
    const requeued = async (): Promise<boolean> => (await cluster.queue()).some(({ state }) => state === 'PD');
    await waitFor('the job in the queue again', requeued, 30);
    if (restart === 2) jobs.letEnd();
    // Otherwise it waits for two minutes. In the second of its end slurmd would take it for the job that was ended.
    await cluster.idle();
    await cluster.done('scontrol', 'update', `JobId=${job}`, 'StartTime=now+2');
    const restarts = (): number => jobs.lines('out').filter((line) => line.includes('restarted from')).length;
    await waitFor('the restart', () => restarts() === restart, 40);
  }
  await cluster.empty();
  assert.equal(jobs.job('out'), job);
});

slurmTest('srun as a program of the computation is refused at a checkpoint, and runs on', async (jobs) => {
  const { cluster, scratch } = jobs;
  const words = ['srun', '--ntasks=2', '--output=out-%t', counting, NUMBERS, 'go'];
  const program = scratch.cairnProgram(['run', '--session', 'launched', '--', ...words], { env: cluster.env });
  for (const index of [0, 1]) await jobs.counts(`out-${index}`);
  const { status, stderr } = await cluster.run('cairn', 'checkpoint', '--session', 'launched');
  assert.equal(status, 1);
  assert.match(stderr, /\(srun\).*connection to somebody outside/);
  jobs.letEnd();
  assert.equal(await program.exit(40), 0, program.transcript());
  for (const index of [0, 1]) jobs.job(`out-${index}`);
});
