/**
 * What cannot be saved is refused before anything is stopped: all that is in the way, in every process, at once. Looked for from
 * outside (platform/obstacles.ts); what plugins find in their own resources comes later, and is gathered in operation.ts.
 * Tests: test/probes/refusals.test.ts.
 */
import { descendantsOf } from '../platform/attach.js';
import { obstaclesOf, programOf, startersOf, whyWithoutAgent } from '../platform/obstacles.js';
import { isAlive, isOutside } from '../platform/processes.js';
import { type Reason, refusal } from '../protocol/errors.js';
import type { AgentConnection } from './agent-connection.js';
import type { Context } from './context.js';
import type { Session } from './session.js';

/** Throws `notCheckpointable`. */
export function refuseObstacles({ obstacles, session }: Context): void {
  const reasons = obstacles(session);
  if (reasons.length > 0) throw refusal('notCheckpointable', reasons, { name: session.name });
}

export function findObstacles(session: Pick<Session, 'processes' | 'lingering' | 'hosts' | 'computation'>): Reason[] {
  const { processes, lingering, hosts, computation } = session;
  // Of another host's nothing can be seen from here.
  const isHere = ({ host }: { host: number }): boolean => hosts.byNumber(host)?.local ?? true;
  const members = processes.filter((one) => one.isOpen && isHere(one));
  const inside = new Set(members.map((one) => one.process.pid));
  const known = members.flatMap((one) => ofMember(one, inside));
  const withoutPlugin = processes.filter((one) => one.isOpen).flatMap(ofPlugins);
  // A member may have been started by a program that no agent gets into: then that is no descendant of any.
  const starters = [...inside].flatMap((pid) => startersOf(pid, computation, inside));
  const candidates = descendantsOf([...inside, ...starters, ...lingering.filter(isHere).map((one) => one.pid)]);
  return [...withoutPlugin, ...known, ...candidates.filter((pid) => !inside.has(pid)).flatMap(ofStranger)];
}

function ofMember(one: AgentConnection, inside: ReadonlySet<number>): Reason[] {
  return obstaclesOf(one.process.pid, inside).map((obstacle) => ({ pid: one.virtualPid, program: one.program, ...obstacle }));
}

/** Whoever gave a plugin does not want a snapshot in which it has had no part. */
function ofPlugins({ virtualPid: pid, program, plugins }: AgentConnection): Reason[] {
  return plugins
    .filter(({ library, error }) => library !== '' && error !== '')
    .map(({ library, error }) => ({
      pid,
      program,
      what: `the plugin ${library} is not in use: ${error}`,
      remedy: `see cairn plugin check ${library}, and start the program again with one that works, or without it`,
    }));
}

/** A process that has no agent may be about to get one; unless its program or its rights say that it never will. */
function ofStranger(pid: number): Reason[] {
  if (!isAlive({ pid, startTime: 0 }) || isOutside(pid)) return [];
  const why = whyWithoutAgent(pid);
  return why === undefined ? [] : [{ pid, program: programOf(pid), ...why }];
}
