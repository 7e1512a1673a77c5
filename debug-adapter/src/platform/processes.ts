/**
 * Processes of this machine, told apart by pid and start time (field 22 of /proc/PID/stat): a pid alone may by now be
 * another process.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';

export interface ProcessId {
  pid: number;
  /** Clock ticks after boot. 0: unknown, the pid alone counts. */
  startTime: number;
}

/** What can be told of a process from outside of it. */
export interface ProcessFacts {
  alive: boolean;
  /** A command of ours, or marked to be none of the computation. */
  outside: boolean;
  /** Wait status of one that nobody has waited for yet. */
  ended: number | undefined;
  /** Where that was asked: see callbackIn() of shared-names.ts. */
  callback?: bigint;
}

/** undefined: no such process. A zombie has ended for us, unless only its first thread has and others go on. */
export function startTimeOf(pid: number): number | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return undefined;
  }
  // The name is in parentheses and may hold any character; state is the first field after it.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const state = fields[0];
  const threads = Number(fields[17]);
  if (state === 'X' || (state === 'Z' && threads < 2)) return undefined;
  return Number(fields[19]);
}

/** A variable by which a program that was started within a computation says that it is none of it; see bin/cairn. */
export const OUTSIDE = 'CAIRN_OUTSIDE';

export function isOutside(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(`${OUTSIDE}=1`);
  } catch {
    return false;
  }
}

/** The wait status of a process that has ended and that nobody has waited for yet; undefined: there is none such. */
export function exitStatusOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? Number(fields[49]) : undefined;
  } catch {
    return undefined;
  }
}

/** Its end is told to its parent, as that of a program's own child is; not so of what an agent makes for itself. */
export function hasEndSignal(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[35] !== '0';
  } catch {
    return false;
  }
}

/** Cairn is in it, whether it has connected or not. */
export function hasAgent(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/maps`, 'utf8').includes('/libcairn.so');
  } catch {
    return false;
  }
}

/** Held by a debugger: in a stop, or ended but for threads that only the debugger can take from the kernel. */
export function isTraced(pid: number): boolean {
  try {
    return readdirSync(`/proc/${pid}/task`).some((tid) => {
      const stat = readFileSync(`/proc/${pid}/task/${tid}/stat`, 'utf8');
      const state = stat.charAt(stat.lastIndexOf(')') + 2);
      // Other threads than the first leave a zombie only where they are traced.
      return state === 't' || (state === 'Z' && Number(tid) !== pid);
    });
  } catch {
    return false;
  }
}

export function isAlive(id: ProcessId): boolean {
  if (id.pid <= 0) return false;
  const started = startTimeOf(id.pid);
  return started !== undefined && (id.startTime === 0 || started === id.startTime);
}

export function thisProcess(): ProcessId {
  return { pid: process.pid, startTime: startTimeOf(process.pid) ?? 0 };
}

/** Sends `signal` to exactly that process; false: it has gone. */
export function signalProcess(id: ProcessId, signal: NodeJS.Signals): boolean {
  return signalNumber(id, constants.signals[signal]);
}

export function signalNumber(id: ProcessId, signal: number): boolean {
  if (!isAlive(id)) return false;
  try {
    process.kill(id.pid, signal);
    return true;
  } catch {
    return false;
  }
}

export function factsOf(id: ProcessId): ProcessFacts {
  return { alive: isAlive(id), outside: isOutside(id.pid), ended: exitStatusOf(id.pid) };
}

/** A wait(2) status as a shell gives it. */
export function shellStatus(waitStatus: number): number {
  const signal = waitStatus & 0x7f;
  return signal === 0 ? (waitStatus >> 8) & 0xff : 128 + signal;
}
