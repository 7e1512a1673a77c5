/**
 * What a session's state may become. The coordinator makes every change through `changeState`, so that a change that nobody
 * has thought of is an error at once. Pure. Tests: test/unit/phases.test.ts.
 */
import type { SessionState } from '../protocol/control.js';

const allowed: Readonly<Record<SessionState, readonly SessionState[]>> = {
  // From the beginning, or of a coordinator that took over a living computation.
  starting: ['running', 'restarting', 'exited'],
  restarting: ['running', 'exited'],
  running: ['checkpointing', 'held', 'exited'],
  checkpointing: ['running', 'held', 'exited'],
  held: ['running', 'checkpointing', 'exited'],
  exited: [],
};

export function mayChange(from: SessionState, to: SessionState): boolean {
  return from === to || allowed[from].includes(to);
}

export function changeState(from: SessionState, to: SessionState): SessionState {
  if (!mayChange(from, to)) throw new RangeError(`a session that is ${from} cannot become ${to}`);
  return to;
}
