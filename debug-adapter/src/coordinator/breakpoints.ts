/**
 * Names of phases and barriers before which a checkpoint or restart is to be held: which of them there are.
 */
import { breakpointLabel, holdable } from '../model/phases.js';
import { failure } from '../protocol/errors.js';
import type { AgentConnection } from './agent-connection.js';

export function knownBreakpoints(labels: readonly string[], all: readonly AgentConnection[]): string[] {
  const there = holdable(all.flatMap((one) => one.plugins));
  return labels.filter((label) => there.has(breakpointLabel(label)));
}

/** Throws where one names nothing: it would never be held, and whoever asked waits for that. */
export function checkBreakpoints(labels: readonly string[], all: readonly AgentConnection[]): void {
  const known = knownBreakpoints(labels, all);
  const unknown = labels.filter((label) => !known.includes(label));
  if (unknown.length === 0) return;
  const there = [...holdable(all.flatMap((one) => one.plugins))];
  throw failure('usage', {
    what: `There is no phase or barrier ${unknown.join(', ')} before which it could be held`,
    remedy: `There are: ${there.join(', ')}.`,
  });
}
