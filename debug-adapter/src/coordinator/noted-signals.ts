/**
 * The chosen design signals, as they are in a snapshot: read while all threads are stopped for it. What cannot be read fails no checkpoint.
 * Test: test/simulators/held-signals.test.ts.
 */
import { reason } from '../protocol/errors.js';
import type { NotedSignal, SimulatedTime } from '../protocol/snapshot.js';
import type { Log } from './log.js';
import type { Session } from './session.js';
import { readSignals } from './signals.js';

export interface NotedSignals {
  readonly time: SimulatedTime;
  readonly signals: NotedSignal[];
}

/** undefined: none is chosen, or they cannot be read. */
export async function noteSignals(session: Session, log: Log): Promise<NotedSignals | undefined> {
  const names = [...session.chosenSignals];
  if (names.length === 0) return undefined;
  try {
    const { time, signals, missing } = await readSignals(session, { names });
    for (const name of missing) log.add('warning', `the design has no signal ${name}, which was to be noted with the snapshot`);
    return { time, signals: signals.map(({ name, value }) => ({ name, value })) };
  } catch (error) {
    log.add('warning', `the chosen signals are not noted with the snapshot: ${reason(error)}`);
    return undefined;
  }
}
