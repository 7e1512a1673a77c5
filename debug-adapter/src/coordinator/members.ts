/**
 * Who takes part in an operation, and what hold and resume are. Used by checkpoint.ts and coordinator.ts.
 */
import { holdSteps, resumeSteps } from '../model/phases.js';
import type { PhaseReply } from '../protocol/generated/agent_pb.js';
import { failure } from '../protocol/errors.js';
import type { AgentConnection } from './agent-connection.js';
import type { Context } from './context.js';
import { names, type Operation } from './operation.js';

/** The processes of the computation; throws where they cannot be taken through phases. */
export function members(context: Context): AgentConnection[] {
  const { session } = context;
  const all = [...session.processes];
  if (session.state === 'exited') {
    const status = session.exitStatus === null ? '' : ` (status ${session.exitStatus})`;
    throw failure('sessionEnded', { name: session.name, status });
  }
  const [root, ...others] = all;
  if (root === undefined) throw failure('noProcess', { name: session.name });
  if (others.length > 0) throw failure('severalProcesses', { others: names(others) });
  for (const one of all) {
    if (!one.isReady) throw failure('cannotCheckpoint', { pid: one.virtualPid, program: one.program, why: 'its agent is not ready yet' });
    if (one.problem !== '') throw failure('cannotCheckpoint', { pid: one.virtualPid, program: one.program, why: one.problem });
  }
  return all;
}

/** Stops all threads. */
export async function suspend(context: Context, operation: Operation, all: readonly AgentConnection[]): Promise<void> {
  for (const step of holdSteps(all)) {
    const replies = await operation.step(step, all, context.deadlines);
    if (step.phase === 'suspend') replies.forEach((reply, index) => setThreads(all[index], reply));
  }
}

function setThreads(one: AgentConnection | undefined, reply: PhaseReply): void {
  if (one !== undefined && reply.threads > 0) one.threads = reply.threads;
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
