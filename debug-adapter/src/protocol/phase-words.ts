/**
 * What is said of phases and of their time lines wherever they are shown: names, lengths, who came last and which callback was slowest.
 * Pure, without what reads the wire: panels have it, too. Tests: test/unit/timeline.test.ts.
 */
import { formatDuration } from './format.js';
import type { PhaseName } from './operation.js';
import type { Arrival, CallbackTime, OperationTimeline, PhaseTimeline } from './timeline.js';

/** How a phase is called wherever it is shown. */
export function phaseLabel({ phase, barrier }: { phase: string; barrier: string }): string {
  return barrier === '' ? phase : barrier;
}

/** What happens in a phase, for those who do not know it by name. */
const MEANING: Readonly<Record<PhaseName, string>> = {
  presuspend: 'plugins are told, threads still run',
  suspend: 'all threads are stopped',
  barrier: 'a plugin brings what it owns to rest or back',
  save: 'the state is captured',
  resume: 'threads go on',
  running: 'plugins are told that it is over',
  abort: 'given up: everything runs on as before',
  restart: 'memory is mapped, plugins reopen what they own',
  write: 'the image is written while the simulation runs on',
};

export function phaseMeaning(phase: PhaseName): string {
  return MEANING[phase];
}

/** Before these all threads are stopped, or wait for the end of their restart. */
export const heldPhases: readonly PhaseName[] = ['save', 'resume', 'restart'];

/** A breakpoint may hold a checkpoint or restart there. */
export const mayBeHeldBefore = (phase: PhaseName): boolean => phase === 'barrier' || heldPhases.includes(phase);

/** Milliseconds from the operation's beginning to the end of its last phase. */
export function lengthOf({ phases }: { phases: readonly { startedMs: number; endedMs: number | null }[] }): number {
  return Math.max(0, ...phases.map(({ startedMs, endedMs }) => endedMs ?? startedMs));
}

/** Who came last, after whom nobody had to be waited for; undefined: nobody had to wait for anybody. */
export function lastArrival({ arrivals, missing }: PhaseTimeline): Arrival | undefined {
  return missing.length === 0 && arrivals.length > 1 ? arrivals.at(-1) : undefined;
}

/** The callback that took the longest of what a process did in a phase. */
export function longestCall({ calls }: Pick<Arrival, 'calls'>): CallbackTime | undefined {
  return calls.reduce<CallbackTime | undefined>((most, one) => (most === undefined || one.ms > most.ms ? one : most), undefined);
}

export interface Slowest {
  phase: PhaseTimeline;
  arrival: Arrival;
  call: CallbackTime;
}

/** The callback that took longest of all, with its process and phase. */
export function slowestOf({ phases }: OperationTimeline): Slowest | undefined {
  let most: Slowest | undefined;
  for (const phase of phases) {
    for (const arrival of phase.arrivals) {
      const call = longestCall(arrival);
      if (call !== undefined && (most === undefined || call.ms > most.call.ms)) most = { phase, arrival, call };
    }
  }
  return most;
}

/** "4711 (vvp)"; of a process that is not known, its virtual id alone. */
export function processName(virtualPid: number, { processes }: Pick<OperationTimeline, 'processes'>): string {
  const program = processes.find((one) => one.virtualPid === virtualPid)?.program;
  return program === undefined || program === '' ? `${virtualPid}` : `${virtualPid} (${program})`;
}

/** "plugin emulator, barrier drain, in process 4711 (tb) at emulator.drain: 812 ms" */
export function slowestText({ phase, arrival, call }: Slowest, timeline: OperationTimeline): string {
  const where = `process ${processName(arrival.virtualPid, timeline)} at ${phaseLabel(phase)}`;
  return `plugin ${call.plugin}, ${call.callback}, in ${where}: ${formatDuration(call.ms)}`;
}
