/**
 * Words and measures of an operation's phases. Pure. Tests: test/unit/phase-words.test.ts.
 */
import type { OperationStatus, PhaseName, PhaseStatus } from '../../../debug-adapter/src/protocol/control.js';
import { formatDuration, formatHoldOff } from '../../../debug-adapter/src/protocol/format.js';

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

export function meaning({ phase }: PhaseStatus): string {
  return MEANING[phase];
}

export function phaseName({ phase, barrier }: PhaseStatus): string {
  return barrier === '' ? phase : barrier;
}

/** null: it is still going on. */
export function duration({ startedMs, endedMs }: PhaseStatus): number | null {
  return endedMs === null ? null : Math.max(0, endedMs - startedMs);
}

/** Of all phases that are over, for the scale of the bars; never 0. */
export function longest({ phases }: OperationStatus): number {
  return Math.max(0.001, ...phases.map((phase) => duration(phase) ?? 0));
}

export function title({ kind, finished, error, phases, heldOff }: OperationStatus): string {
  const name = `${kind.charAt(0).toUpperCase()}${kind.slice(1)}`;
  if (error !== '') return `${name} failed`;
  if (finished)
    return `${name} done in ${formatDuration(Math.max(0, ...phases.map(({ startedMs, endedMs }) => endedMs ?? startedMs)))}`;
  if (heldOff.length > 0) return `${name} ${formatHoldOff(heldOff)}`;
  const current = phases.findLast(({ endedMs }) => endedMs === null);
  return current ? `${name}: ${phaseName(current)}` : `${name} begins`;
}
