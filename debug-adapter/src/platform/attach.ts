/**
 * cairn-attach, the program that brings the agent into processes that run already; and what of such a process has to be known
 * first. Tests: test/probes/attach.test.ts.
 */
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { nativeFile } from './installation.js';

const STEP_MS = 90_000;

/** Runs it; empty: done, else why not, in words for the user. */
function run(args: readonly string[]): Promise<string> {
  return new Promise((resolve) => {
    execFile(nativeFile('cairn-attach'), args, { timeout: STEP_MS, killSignal: 'SIGKILL' }, (error, _, stderr) => {
      if (error === null) resolve('');
      else resolve(stderr.trim() || (error.killed ? 'it did not come back in time' : error.message));
    });
  });
}

/** Why this process cannot be attached; nothing is done to it. */
export const whyNotAttachable = (pid: number): Promise<string> => run(['--check', String(pid)]);

/** Attaches it. `variables`: what its environment gets. */
export function attachProcess(pid: number, library: string, variables: Readonly<Record<string, string>>): Promise<string> {
  return run(['--library', library, String(pid), ...Object.entries(variables).map(([name, value]) => `${name}=${value}`)]);
}

/** The living children of a process, of all of its threads. */
export function childrenOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((tid) =>
      readFileSync(`/proc/${pid}/task/${tid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number),
    );
  } catch {
    return [];
  }
}

/** These and all that descend from them, parents first, each once. */
export function descendantsOf(pids: Iterable<number>): number[] {
  const found = new Set(pids);
  // A set is walked with what is added meanwhile.
  for (const pid of found) for (const child of childrenOf(pid)) found.add(child);
  return [...found];
}

/** It and all that descend from it, parents first. */
export function familyOf(pid: number): number[] {
  return descendantsOf([pid]);
}

export interface ProcessFacts {
  argv: string[];
  cwd: string;
}

/** Why nothing is known of it (`factsOf`), in words for the user. */
export const whyUnknown = async (pid: number): Promise<string> =>
  (await whyNotAttachable(pid)) || `process ${pid}: there is no such process of yours`;

/** undefined: there is no such process, it is another user's, or its first thread has ended. */
export function factsOf(pid: number): ProcessFacts | undefined {
  try {
    const argv = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replace(/\0$/, '').split('\0');
    return { argv, cwd: readlinkSync(`/proc/${pid}/cwd`) };
  } catch {
    return undefined;
  }
}
