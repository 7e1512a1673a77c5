/**
 * Slurm's commands. A controller that does not answer, as one that is being started again, is told apart from one that says no.
 * Tests: test/faults/slurm.test.ts.
 */
import { hostname } from 'node:os';
import { execa } from 'execa';

/** They wait for a controller for some time by themselves. */
const TIMEOUT_MS = 60_000;

export interface Said {
  ok: boolean;
  /** What it printed; where it failed, why. */
  text: string;
}

async function command(program: string, args: readonly string[], input?: string): Promise<Said> {
  const { exitCode, stdout, stderr, shortMessage } = await execa(program, args, {
    ...(input === undefined ? { stdin: 'ignore' as const } : { input }),
    reject: false,
    timeout: TIMEOUT_MS,
    // What is pressed at the terminal is for the campaign.
    detached: true,
  });
  if (exitCode === 0) return { ok: true, text: stdout };
  return { ok: false, text: stderr.trim().split('\n').at(-1) || shortMessage || `${program} failed` };
}

export interface QueuedJob {
  /** Its number. */
  job: string;
  /** PENDING, RUNNING, … */
  state: string;
  /** Why it waits, as Slurm names it: JobHeldUser, BeginTime, … */
  why: string;
}

/** What is in the queue of jobs with that name, each task of an array for itself. undefined: nobody can tell now. */
export async function queued(name: string): Promise<QueuedJob[] | undefined> {
  const { ok, text } = await command('squeue', ['--noheader', '--array', `--name=${name}`, '--format=%A %T %r']);
  if (!ok) return undefined;
  const lines = text.split('\n').filter((line) => line !== '');
  return lines.map((line) => {
    const [job = '', state = '', ...why] = line.split(' ');
    return { job, state, why: why.join(' ') };
  });
}

/** `options` are the user's, and come last. */
export async function submit(script: string, args: readonly string[], options: readonly string[]): Promise<Said> {
  return command('sbatch', ['--parsable', ...args, ...options], script);
}

/** All of them, whatever they do. */
export async function cancel(name: string): Promise<void> {
  await command('scancel', [`--name=${name}`]);
}

/** Lets a job begin that waits only since it was put into the queue again: a moment later, since a node would take it for the one that has just ended. */
export async function beginSoon(job: string): Promise<void> {
  await command('scontrol', ['update', `JobId=${job}`, 'StartTime=now+2']);
}

/** A command on a node, where it can be run there soon. */
export async function runOn(node: string, options: readonly string[], words: readonly string[]): Promise<Said> {
  const where = ['--nodes=1', '--ntasks=1', `--nodelist=${node}`, '--immediate=20', '--job-name=cairn-unstage'];
  return command('srun', [...where, ...options, ...words]);
}

export function currentNode(): string {
  return process.env['SLURMD_NODENAME'] ?? hostname();
}

/** The task in which this process is; undefined: in none. */
export function currentTask(): { job: string; restarts: number; index: number; node: string } | undefined {
  const { SLURM_JOB_ID: job, SLURM_ARRAY_TASK_ID: index, SLURM_RESTART_COUNT: restarts = '0' } = process.env;
  if (job === undefined || index === undefined) return undefined;
  return { job, restarts: Number(restarts), index: Number(index), node: currentNode() };
}
