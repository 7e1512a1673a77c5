/** What /proc says of processes, and waiting with a deadline. Everything here looks from outside; nothing asks Cairn. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { basename } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** Polls until `look` gives something other than undefined or false. */
export async function waitFor<T>(
  what: string,
  look: () => T | Promise<T>,
  seconds = 20,
): Promise<NonNullable<Exclude<T, false>>> {
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    const seen = await look();
    if (seen !== undefined && seen !== null && seen !== false) return seen as NonNullable<Exclude<T, false>>;
    if (Date.now() > deadline) throw new Error(`waited ${seconds} s for ${what}`);
    await sleep(8);
  }
}

export function readProc(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}

/** True for a running process; a zombie counts as gone. */
export function isAlive(pid: number): boolean {
  const state = /^State:\s+(\S)/m.exec(readProc(pid, 'status'))?.[1];
  return state !== undefined && state !== 'Z' && state !== 'X';
}

/** Thread ids, the first thread's before all others. */
function tasksOf(pid: number): string[] {
  try {
    const tasks = readdirSync(`/proc/${pid}/task`);
    return tasks.sort((a, b) => Number(b === String(pid)) - Number(a === String(pid)) || Number(a) - Number(b));
  } catch {
    return [];
  }
}

/** A thread that lives, and has another name than `but`: the first one may have ended before the others. */
export function livingTask(pid: number, but?: string): string | undefined {
  return tasksOf(pid).find((task) => {
    const status = readProc(pid, `task/${task}/status`);
    return /^State:\s+[^ZX]/m.test(status) && (but === undefined || !status.startsWith(`Name:\t${but}\n`));
  });
}

/** Empty: the process has ended. */
export function executable(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/task/${livingTask(pid)}/exe`);
  } catch {
    return '';
  }
}

/** Of any thread of the process. */
export function childrenOf(pid: number): number[] {
  return tasksOf(pid).flatMap((task) => readProc(pid, `task/${task}/children`).split(' ').filter(Boolean).map(Number));
}

/** Programs that stand between a command and the application that it runs. */
const between = new Set(['node', 'sh', 'dash', 'bash', 'cairn-launch', 'runuser', 'env', 'setpriv', 'taken']);

/** The application below a running `cairn run` or `cairn restart`. */
export function applicationBelow(pid: number): number | undefined {
  for (const child of childrenOf(pid)) {
    // Started by the command, but no part of what it runs.
    if (readProc(child, 'cmdline').includes('coordinator.js')) continue;
    const name = basename(executable(child));
    if (name === '') continue;
    if (!between.has(name)) return child;
    const deeper = applicationBelow(child);
    if (deeper !== undefined) return deeper;
  }
  return undefined;
}

/** Processes that name `marker` (a folder of this test's own) in their command line or environment. */
export function processesOf(marker: string): number[] {
  const found: number[] = [];
  for (const entry of readdirSync('/proc')) {
    const pid = Number(entry);
    if (!Number.isInteger(pid) || pid === process.pid || !isAlive(pid)) continue;
    if (readProc(pid, 'cmdline').includes(marker) || readProc(pid, 'environ').includes(marker)) found.push(pid);
  }
  return found;
}

export function describeProcess(pid: number): string {
  return `${pid} (${readProc(pid, 'cmdline').replaceAll('\0', ' ').trim() || readProc(pid, 'comm').trim()})`;
}

/** Waits for all processes that name `marker` to leave; ends those that do not, and returns what they were. */
export async function sweep(marker: string, seconds: number): Promise<string[]> {
  const deadline = Date.now() + seconds * 1000;
  let left = processesOf(marker);
  while (left.length > 0 && Date.now() < deadline) {
    await sleep(40);
    left = processesOf(marker);
  }
  const described = left.map(describeProcess);
  for (let round = 0; round < 100 && left.length > 0; round++) {
    for (const pid of left) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It left by itself.
      }
    }
    await sleep(20);
    left = processesOf(marker);
  }
  return described;
}
