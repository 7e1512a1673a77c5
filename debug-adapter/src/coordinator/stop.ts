/**
 * Stopping a computation: SIGTERM to every process, SIGKILL after a time of grace. A held one is let go after the signal, so
 * that it meets the signal first.
 */
import { resumeSteps } from '../model/phases.js';
import { failure } from '../protocol/errors.js';
import type { Agents } from './agents.js';
import type { Context } from './context.js';
import type { PlacedProcess } from './hosts.js';
import type { Operation } from './operation.js';
import { bounded } from './strand.js';
import type { TerminalHost } from './terminal-host.js';

const KILL_MS = 10_000;

export interface StopContext extends Context {
  agents: Agents;
  terminal: TerminalHost | undefined;
  ended: Promise<void>;
  /** Given where threads are held: they are let go under it. */
  release: Operation | undefined;
}

function targets({ session, agents, terminal }: StopContext): PlacedProcess[] {
  const processes: PlacedProcess[] = [...session.processes.map((one) => one.process), ...session.lingering];
  if (processes.length > 0) return processes;
  // Nothing has connected (a program without our library, or a restart that hangs): the launcher passes the signal on.
  const launchers = [...agents.launchers].map((one) => one.process);
  return launchers.length > 0 || terminal === undefined || !agents.childLives
    ? launchers
    : [{ pid: terminal.pid, startTime: 0, host: session.rootHost }];
}

export async function stopComputation(context: StopContext, graceMs: number): Promise<void> {
  const { session, release, deadlines, ended } = context;
  for (const one of targets(context)) session.hosts.signal(one, 'SIGTERM');
  if (release !== undefined) await letGoAndEnd(context, release);
  if (!context.agents.begun) return;
  try {
    await bounded(ended, graceMs, () => new Error('grace is over'));
    return;
  } catch {
    for (const one of targets(context)) session.hosts.signal(one, 'SIGKILL');
  }
  await bounded(ended, Math.max(KILL_MS, deadlines.phase), () =>
    failure('wrongState', {
      name: session.name,
      state: session.state,
      what: 'stopping',
      remedy: 'Some process does not end even when killed; see cairn status and ps.',
    }),
  );
}

/** A process that ends at the signal cannot take part any more; that is no error here. */
async function letGoAndEnd({ session, deadlines }: StopContext, release: Operation): Promise<void> {
  const all = [...session.processes];
  try {
    for (const step of resumeSteps(all)) await release.step(step, all, deadlines);
    release.finish();
  } catch (error) {
    release.finish(session.processes.length > 0 ? error : undefined);
  }
}
