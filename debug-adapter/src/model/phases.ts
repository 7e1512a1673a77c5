/**
 * The phases of an operation, in order, from what the processes' plugins declare. Pure.
 *
 * A checkpoint goes through the layers from the top down (what is above still uses what is below while it drains); a restart
 * brings them back from the bottom up. One plugin's own barriers keep the order in which it declares them.
 * Tests: test/unit/phases.test.ts.
 */
import type { PhaseName } from '../protocol/operation.js';
import { heldPhases } from '../protocol/phase-words.js';

export interface PhaseStep {
  phase: PhaseName;
  /** `plugin.barrier` for phase `barrier`, else empty. */
  barrier: string;
  /** Virtual pids of those that take part. */
  processes: number[];
}

export interface PhaseProcess {
  virtualPid: number;
  plugins: readonly {
    name: string;
    layer: number;
    barriers: readonly string[];
    restartBarriers: readonly string[];
    error: string;
  }[];
}

interface Placed {
  name: string;
  layer: number;
  position: number;
  processes: number[];
}

function barriers(processes: readonly PhaseProcess[], which: 'barriers' | 'restartBarriers'): Placed[] {
  const found = new Map<string, Placed>();
  const place = (name: string, layer: number, position: number): Placed => {
    const placed = found.get(name) ?? { name, layer, position, processes: [] };
    found.set(name, placed);
    // The same plugin may stand in another layer in another process: the highest place counts for all.
    placed.layer = Math.max(placed.layer, layer);
    return placed;
  };
  // Most processes have the very same list.
  const lists = new Map<PhaseProcess['plugins'], Placed[]>();
  for (const { virtualPid, plugins } of processes) {
    const places =
      lists.get(plugins) ??
      plugins
        .filter((plugin) => plugin.error === '')
        .flatMap(({ name, layer, ...own }) =>
          own[which].map((barrier, position) => place(`${name}.${barrier}`, layer, position)),
        );
    lists.set(plugins, places);
    for (const placed of places) placed.processes.push(virtualPid);
  }
  return [...found.values()];
}

const steps = (placed: readonly Placed[]): PhaseStep[] =>
  placed.map(({ name, processes }) => ({ phase: 'barrier', barrier: name, processes }));

const all = (phase: PhaseName, processes: readonly PhaseProcess[]): PhaseStep => ({
  phase,
  barrier: '',
  processes: processes.map((one) => one.virtualPid),
});

/** Until every thread is stopped. */
export function holdSteps(processes: readonly PhaseProcess[]): PhaseStep[] {
  return [all('presuspend', processes), all('suspend', processes)];
}

/** While the threads are stopped, until the state is captured. */
export function saveSteps(processes: readonly PhaseProcess[]): PhaseStep[] {
  const drain = barriers(processes, 'barriers').sort((a, b) => b.layer - a.layer || a.position - b.position);
  return [...steps(drain), all('save', processes)];
}

/** What is left of `steps` when all processes of the barrier `done` have said that they need no later one of that plugin. */
export function withoutRest(steps: readonly PhaseStep[], done: PhaseStep): PhaseStep[] {
  const plugin = done.barrier.slice(0, done.barrier.lastIndexOf('.') + 1);
  const asked = new Set(done.processes);
  return steps.filter(
    ({ phase, barrier, processes }) =>
      phase !== 'barrier' || !barrier.startsWith(plugin) || !processes.every((virtualPid) => asked.has(virtualPid)),
  );
}

export function resumeSteps(processes: readonly PhaseProcess[]): PhaseStep[] {
  return [all('resume', processes), all('running', processes)];
}

/** After memory is back. */
export function restartSteps(processes: readonly PhaseProcess[]): PhaseStep[] {
  const refill = barriers(processes, 'restartBarriers').sort((a, b) => a.layer - b.layer || a.position - b.position);
  return [all('restart', processes), ...steps(refill), ...resumeSteps(processes)];
}

/** The phase or barrier at whose beginning a breakpoint of this name holds: events are known by their names, too. */
export function breakpointLabel(name: string): string {
  return name === 'precheckpoint' ? 'save' : name;
}

/** Phases and barriers of checkpoints and restarts before which they can be held. */
export function holdable(
  plugins: readonly Pick<PhaseProcess['plugins'][number], 'name' | 'barriers' | 'restartBarriers'>[],
): Set<string> {
  const barriers = plugins.flatMap((one) => [...one.barriers, ...one.restartBarriers].map((barrier) => `${one.name}.${barrier}`));
  return new Set([...heldPhases, ...barriers]);
}
