/**
 * Processes and threads of a computation as DAP threads. A thread's DAP id is its virtual thread id, which the application
 * keeps for life, through restarts too; the first thread of a process has the virtual pid as its id and stands for the
 * process. Pure. Tests: test/dap/inspection.test.ts.
 */
import { posix } from 'node:path';
import type { ProcessStatus, TableRow } from '../protocol/control.js';

export interface DapThread {
  readonly id: number;
  readonly name: string;
  /** Virtual pid of its process. */
  readonly virtualPid: number;
}

export function programName(process: ProcessStatus): string {
  return posix.basename(process.executable || process.argv[0] || 'process');
}

/** @param rows table `thread`; a process without rows still shows its first thread. */
export function dapThreads(processes: readonly ProcessStatus[], rows: readonly TableRow[]): DapThread[] {
  const threads: DapThread[] = [];
  const several = new Set(processes.map((one) => one.host)).size > 1;
  const byProcess = new Map<number, TableRow[]>();
  for (const row of rows) {
    const own = byProcess.get(row.virtualPid);
    if (own) own.push(row);
    else byProcess.set(row.virtualPid, [row]);
  }
  for (const process of processes) {
    const { virtualPid } = process;
    const name = `${programName(process)} · ${virtualPid}${several ? ` on ${process.host}` : ''}`;
    threads.push({ id: virtualPid, name, virtualPid });
    const others = (byProcess.get(virtualPid) ?? [])
      .map((row) => Number.parseInt(row.virtual, 10))
      .filter((id) => Number.isSafeInteger(id) && id !== virtualPid)
      .sort((a, b) => a - b);
    for (const id of others) threads.push({ id, name: `${name} · thread ${id}`, virtualPid });
  }
  return threads;
}
