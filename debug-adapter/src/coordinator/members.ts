/**
 * Who takes part in an operation, and what hold and resume are. Used by checkpoint.ts and coordinator.ts.
 *
 * Processes come and go until the last one is stopped: a child is there before its agent has connected, and a program that
 * executes another connects anew. So all that are known are stopped, then those that came meanwhile, until there is none left
 * that runs. Tests: test/protocol/processes.test.ts, test/probes (processes).
 */
import { holdSteps, resumeSteps } from '../model/phases.js';
import { childrenOf } from '../platform/attach.js';
import { sleep } from '../platform/clock.js';
import { exitStatusOf, hasAgent, hasEndSignal, isTraced } from '../platform/processes.js';
import { type CairnError, failure } from '../protocol/errors.js';
import { Phase, type PhaseReply } from '../protocol/generated/agent_pb.js';
import { type AgentConnection, nobody, nothing } from './agent-connection.js';
import type { Context } from './context.js';
import { HeldOff, InPassing, type Operation } from './operation.js';
import type { Session } from './session.js';
import { bounded } from './strand.js';

const LOOK_MS = 5;
const ATTEMPTS = 12;
/** And for at least so long: a program may be within dlopen most of its time. */
const PASSING_MS = 4000;
const PASSING_LOOK_MS = 60;
/** Who begins or ends while a debugger holds it, which is stopped itself, does not get any further. */
const TRACED_MS = 200;
/** For a process that has been seen to connect. */
const NEWCOMER_MS = 10_000;

/** The processes of the computation that are connected; throws where they cannot be taken through phases. */
export async function members(context: Context): Promise<AgentConnection[]> {
  const { session } = context;
  const all = [...session.processes];
  if (session.state === 'exited') {
    const status = session.exitStatus === null ? '' : ` (status ${session.exitStatus})`;
    throw failure('sessionEnded', { name: session.name, status });
  }
  if (all.length === 0 && session.lingering.length === 0)
    throw session.launchProblem
      ? failure('noAgent', { name: session.name, why: session.launchProblem })
      : failure('noProcess', { name: session.name });
  await allReady(context, all);
  return all;
}

/** othersStopped: among them may be the debugger of one that is about to begin. */
async function allReady(context: Context, all: readonly AgentConnection[], othersStopped = false): Promise<void> {
  for (const one of all) {
    const cannot = (why: string): CairnError => failure('cannotCheckpoint', { pid: one.virtualPid, program: one.program, why });
    // It may have connected just now.
    const ready = one.ready.catch(() => undefined);
    const { pid } = one.process;
    if (othersStopped && isTraced(pid)) {
      await bounded(ready, TRACED_MS, () => new InPassing(`process ${pid} is held by a debugger as it begins`));
    } else {
      await bounded(ready, context.deadlines.phase, () => cannot('its agent does not get ready'));
    }
    if (one.problem !== '') throw cannot(one.problem);
  }
}

/**
 * Stops all threads of all processes; gives the processes. Who is in passing is let go on for a moment, some times; critical sections are
 * waited for, however long they take.
 */
export async function suspend(context: Context, operation: Operation): Promise<AgentConnection[]> {
  const mark = operation.status.phases.length;
  const began = context.clock.monotonicMs();
  let told = false;
  for (let attempt = 1; ; attempt++) {
    try {
      return await suspendOnce(context, operation);
    } catch (error) {
      if (error instanceof HeldOff) {
        await operation.abort(context.session.processes);
        await operation.awaitSections(
          () => context.session.processes,
          mark,
          (held) => {
            if (told) return;
            told = true;
            for (const { virtualPid, why } of held)
              context.log.add('info', `the ${operation.status.kind} waits: ${why}`, {
                operation: operation.status.id,
                virtualPid,
              });
          },
        );
        attempt--;
        continue;
      }
      if (!(error instanceof InPassing)) throw error;
      if (attempt >= ATTEMPTS && context.clock.monotonicMs() - began > PASSING_MS)
        throw failure('heldByDebugger', { why: error.message });
      await operation.abort(context.session.processes);
      operation.checkCancelled();
      await sleep(Math.min(LOOK_MS * attempt, PASSING_LOOK_MS));
    }
  }
}

async function suspendOnce(context: Context, operation: Operation): Promise<AgentConnection[]> {
  const { session, clock, deadlines } = context;
  const stopped = new Set<AgentConnection>();
  /** All that have been there meanwhile: virtual ids by real ones. */
  const seen = new Map<number, number>();
  let quietSince = clock.monotonicMs();
  for (;;) {
    for (const one of stopped) if (!one.isOpen) stopped.delete(one);
    const running = session.processes.filter((one) => one.isOpen && !stopped.has(one));
    for (const one of running) if (isHere(session, one.host)) seen.set(one.process.pid, one.virtualPid);
    const coming = running.filter((one) => one.canAnswer);
    if (coming.length > 0) {
      await allReady(context, coming, stopped.size > 0);
      let replies: PhaseReply[] = [];
      for (const step of holdSteps(coming)) replies = await operation.step(step, coming, deadlines, {}, true);
      for (const [index, one] of coming.entries()) {
        const reply = replies[index];
        if (reply?.phase !== Phase.SUSPEND) {
          // It has ended, or executes another program, and will be seen again; or it cannot go on before its debugger does.
          if (one.isOpen && isTraced(one.process.pid))
            throw new InPassing(`process ${one.process.pid} is held by a debugger as it ends`);
          continue;
        }
        note(one, reply);
        stopped.add(one);
      }
      quietSince = clock.monotonicMs();
      continue;
    }
    // Who is about to be seen as gone is waited for as long as the others: a request would come back before anything else is read.
    const missing = [...running.map((one) => one.process.pid), ...(await unconnected(context, stopped))];
    if (missing.length === 0) {
      if (takeOrphans(session, stopped, seen)) continue;
      if (stopped.size === 0) throw (await operation.endedInCallback()) ?? failure('noProcess', { name: session.name });
      return [...stopped];
    }
    const traced = missing.filter(isTraced);
    if (traced.length > 0 && clock.monotonicMs() - quietSince > TRACED_MS) {
      throw new InPassing(`process ${traced.join(', ')} is held by a debugger as it begins or ends`);
    }
    if (clock.monotonicMs() - quietSince > Math.min(NEWCOMER_MS, deadlines.phase)) {
      throw failure('childWithoutAgent', { pids: missing.join(', ') });
    }
    operation.checkCancelled();
    await sleep(LOOK_MS);
  }
}

const isHere = ({ hosts }: Session, host: number): boolean => hosts.byNumber(host)?.local ?? true;

/**
 * Whose parent has ended since the next one above it was stopped has that one for its parent, which has said nothing of it: it lives and
 * will connect, or has ended, too, and waits there to be waited for. Not on other hosts.
 */
function takeOrphans(session: Session, stopped: ReadonlySet<AgentConnection>, seen: Map<number, number>): boolean {
  const here = [...stopped].filter((one) => isHere(session, one.host));
  const known = new Set(here.map((one) => one.process.pid));
  for (const one of here) for (const { realPid, virtualPid } of one.children) seen.set(realPid, virtualPid);
  if ([...seen.keys()].every((pid) => known.has(pid))) return false; // nobody has ended
  let any = false;
  for (const one of here) {
    for (const realPid of childrenOf(one.process.pid)) {
      if (known.has(realPid) || one.reported.has(realPid) || !hasEndSignal(realPid)) continue;
      // Who was not even seen has begun and ended meanwhile, or is about to connect.
      const comesOrWas = exitStatusOf(realPid) !== undefined || hasAgent(realPid);
      const virtualPid = seen.get(realPid) ?? (comesOrWas ? realPid : undefined);
      if (virtualPid === undefined) continue;
      one.reported = new Set([...one.reported, realPid]);
      one.children = [...one.children, { virtualPid, realPid }];
      any = true;
    }
  }
  return any;
}

/** Real pids of children that live and have not connected yet, and of processes within exec. */
async function unconnected({ session }: Context, stopped: ReadonlySet<AgentConnection>): Promise<number[]> {
  const { hosts, lingering } = session;
  const missing: number[] = [];
  for (const { number: host } of hosts.list) {
    const here = [...stopped].filter((one) => one.host === host);
    const known = new Set(here.map((one) => one.process.pid));
    const within = lingering.filter((one) => one.host === host && !known.has(one.pid));
    const children = here.flatMap((one) =>
      one.children.filter((child) => !known.has(child.realPid)).map((child) => ({ one, child })),
    );
    const facts = await hosts.facts(host, [...within, ...children.map(({ child }) => ({ pid: child.realPid, startTime: 0 }))]);
    for (const [index, { pid }] of within.entries()) if (facts[index]?.alive && !facts[index].outside) missing.push(pid);
    for (const [index, { one, child }] of children.entries()) {
      const fact = facts[within.length + index];
      if (fact === undefined) continue;
      // A command of ours that asks for this checkpoint has done its work for whoever waits for it after a restart.
      const { alive, outside } = fact;
      if (alive && !outside) missing.push(child.realPid);
      else if (!one.family.ended.some(({ virtualPid }) => virtualPid === child.virtualPid)) {
        // Else it ended after its parent had been stopped, and before its own agent was there.
        const status = outside ? 0 : fact.ended;
        if (status === undefined) continue;
        const ended = [...one.family.ended, { virtualPid: child.virtualPid, status, untold: outside }];
        one.family = { ...one.family, ended };
      }
    }
  }
  return [...new Set(missing)];
}

/** What a suspended process said of itself. */
export function note(one: AgentConnection, reply: PhaseReply): void {
  one.threads = reply.threads || one.threads;
  const ended = reply.children.filter((child) => child.ended);
  const living = reply.children.filter((child) => !child.ended);
  one.family = {
    parent: reply.virtualParent,
    session: reply.virtualSession,
    terminal: reply.sessionTerminal,
    ended: ended.length === 0 ? nothing : ended.map(({ virtualPid, waitStatus }) => ({ virtualPid, status: waitStatus })),
  };
  one.children = living.length === 0 ? nothing : living.map(({ virtualPid, realPid }) => ({ virtualPid, realPid }));
  one.reported = reply.children.length === 0 ? nobody : new Set(reply.children.map(({ realPid }) => realPid));
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
