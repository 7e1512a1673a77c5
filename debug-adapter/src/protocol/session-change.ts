/**
 * A session's status as it is told: what is other than before, and the whole made of that again. Pure.
 * Invariant: `applied(before, changeOf(before, now))` is `now`, whatever the two are. Tests: test/unit/session-change.test.ts.
 */
import { SessionChange, SessionStatus } from './control.js';
import type { OperationStatus } from './operation.js';

type Members = Omit<SessionStatus, 'processes' | 'operation'>;

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

/** Of what JSON has. What both share is not looked into. */
function same(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (Array.isArray(a)) return Array.isArray(b) && a.length === b.length && a.every((one, index) => same(one, b[index]));
  if (!isObject(a) || !isObject(b)) return false;
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => same(a[name], b[name]));
}

/** `before` undefined: nothing was told yet. */
export function changeOf(before: SessionStatus | undefined, now: SessionStatus): SessionChange {
  const { processes, operation, ...all } = now;
  const members: Partial<Members> = all;
  for (const name of Object.keys(all) as (keyof Members)[])
    if (before !== undefined && same(before[name], all[name])) delete members[name];
  return {
    members,
    ...changedProcesses(before?.processes ?? [], processes),
    ...changedOperation(before?.operation ?? null, operation),
  };
}

/** New ones come last; one that has gone and come again is a new one. */
function changedProcesses(
  before: SessionStatus['processes'],
  now: SessionStatus['processes'],
): Pick<SessionChange, 'gone' | 'processes'> {
  const gone: number[] = [];
  const processes: SessionChange['processes'] = [];
  let index = 0;
  before.forEach((one, place) => {
    const process = now[index];
    if (process?.virtualPid !== one.virtualPid || process.host !== one.host) {
      gone.push(place);
      return;
    }
    if (!same(one, process)) processes.push({ index, process });
    index++;
  });
  processes.push(...now.slice(index).map((process, place) => ({ index: index + place, process })));
  return { gone, processes };
}

function changedOperation(before: OperationStatus | null, now: OperationStatus | null): Pick<SessionChange, 'operation'> {
  if (now === null) return before === null ? {} : { operation: null };
  if (same(before, now)) return {};
  const { phases, ...rest } = now;
  const known = before?.id === now.id ? before.phases : [];
  const changed = phases.map((phase, index) => ({ index, phase })).filter(({ index, phase }) => !same(known[index], phase));
  return { operation: { ...rest, phaseCount: phases.length, phases: changed } };
}

/** undefined: it is not all of a status, though nothing was told before. */
export function applied(before: SessionStatus | undefined, change: SessionChange): SessionStatus | undefined {
  const gone = new Set(change.gone);
  const processes = (before?.processes ?? []).filter((_, place) => !gone.has(place));
  for (const { index, process } of change.processes) processes[index] = process;
  const operation = change.operation === undefined ? (before?.operation ?? null) : operationOf(before, change.operation);
  if (before !== undefined) return Object.assign({ ...before }, change.members, { processes, operation });
  return SessionStatus.safeParse({ ...change.members, processes, operation }).data;
}

function operationOf(before: SessionStatus | undefined, change: SessionChange['operation']): OperationStatus | null {
  if (change === null || change === undefined) return null;
  const { phaseCount, phases: changed, ...rest } = change;
  const phases = before?.operation?.id === rest.id ? before.operation.phases.slice(0, phaseCount) : [];
  for (const { index, phase } of changed) phases[index] = phase;
  return { ...rest, phases };
}

/** The status of one session as a client is told of it. */
export class ToldStatus {
  #status: SessionStatus | undefined;

  /** The status by now; undefined: the notification is of another version. */
  take(params: unknown): SessionStatus | undefined {
    const change = SessionChange.safeParse(params);
    if (!change.success) return undefined;
    this.#status = applied(this.#status, change.data);
    return this.#status;
  }
}
