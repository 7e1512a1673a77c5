/**
 * Who takes part in an operation, and what hold and resume are. Used by checkpoint.ts and coordinator.ts.
 */
import { holdSteps, resumeSteps } from '../model/phases.js';
import { type CairnError, failure } from '../protocol/errors.js';
import type { AgentConnection } from './agent-connection.js';
import type { Context } from './context.js';
import { names, type Operation } from './operation.js';
import { bounded } from './strand.js';

/** The processes of the computation; throws where they cannot be taken through phases. */
export async function members(context: Context): Promise<AgentConnection[]> {
  const { session } = context;
  const all = [...session.processes];
  if (session.state === 'exited') {
    const status = session.exitStatus === null ? '' : ` (status ${session.exitStatus})`;
    throw failure('sessionEnded', { name: session.name, status });
  }
  const [root, ...others] = all;
  if (root === undefined)
    throw session.launchProblem
      ? failure('noAgent', { name: session.name, why: session.launchProblem })
      : failure('noProcess', { name: session.name });
  if (others.length > 0) throw failure('severalProcesses', { others: names(others) });
  for (const one of all) {
    const cannot = (why: string): CairnError => failure('cannotCheckpoint', { pid: one.virtualPid, program: one.program, why });
    // It may have connected just now.
    await bounded(one.ready, context.deadlines.phase, () => cannot('its agent does not get ready'));
    if (one.problem !== '') throw cannot(one.problem);
  }
  return all;
}

/** Stops all threads. */
export async function suspend(context: Context, operation: Operation, all: readonly AgentConnection[]): Promise<void> {
  for (const step of holdSteps(all)) {
    const replies = await operation.step(step, all, context.deadlines);
    if (step.phase !== 'suspend') continue;
    for (const [index, one] of all.entries()) one.threads = replies[index]?.threads || one.threads;
  }
}

/** Lets all threads go on; gives for how many milliseconds they were stopped. */
export async function letGo(context: Context, operation: Operation, all: readonly AgentConnection[]): Promise<number> {
  let held = 0n;
  for (const step of resumeSteps(all)) {
    const replies = await operation.step(step, all, context.deadlines);
    for (const reply of replies) if (reply.heldNs > held) held = reply.heldNs;
  }
  return Number(held) / 1e6;
}
