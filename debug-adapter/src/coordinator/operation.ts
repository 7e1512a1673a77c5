/**
 * One operation on the computation (checkpoint, hold, resume, restart): takes its processes through phases, each with a
 * deadline, and keeps the record that views show. The abort edge leads from any phase back to running.
 * Tests: test/protocol/checkpoint.test.ts.
 */
import { create } from '@bufbuild/protobuf';
import { breakpointLabel, type PhaseStep } from '../model/phases.js';
import { type Clock, sleep } from '../platform/clock.js';
import { CairnError, failure, INTERRUPTED, type Reason, reason } from '../protocol/errors.js';
import { Phase, type PhaseReply, PhaseReplySchema } from '../protocol/generated/agent_pb.js';
import type { HoldOff, OperationKind, OperationStatus, PhaseName } from '../protocol/operation.js';
import { mayBeHeldBefore, phaseLabel } from '../protocol/phase-words.js';
import type { PhaseTiming } from '../protocol/snapshot.js';
import type { OperationTimeline, TimelineProcess } from '../protocol/timeline.js';
import { type AgentConnection, type Call, ConnectionLost, phaseCall } from './agent-connection.js';
import type { CallbackOf } from './callbacks.js';
import type { Deadlines } from './context.js';
import { Exchange } from './exchange.js';
import type { Hosts } from './hosts.js';
import { PhaseRecord, PhaseTime } from './phase-record.js';
import type { Session } from './session.js';
import { bounded } from './strand.js';

const wirePhase: Readonly<Record<Exclude<PhaseName, 'write'>, Phase>> = {
  presuspend: Phase.PRESUSPEND,
  suspend: Phase.SUSPEND,
  barrier: Phase.BARRIER,
  save: Phase.SAVE,
  resume: Phase.RESUME,
  running: Phase.RUNNING,
  abort: Phase.ABORT,
  restart: Phase.RESTART,
};

const ABORT_MS = 5000;
const SECTION_LOOK_MS = 50;
const BARRIER_LOOK_MS = 100;

/** What a phase needs beyond its name. */
export interface RequestFields {
  folder?: string;
  snapshot?: string;
  /** suspend: the process must have no children. */
  alone?: boolean;
  /** save: the threads go on right after it. */
  goesOn?: boolean;
}

/** A process that was to be alone has children: they have to be stopped with it. */
export class NotAlone extends Error {}

/**
 * A process is at a place where it cannot be held, and will soon have left it: a debugger of the computation has it just where it makes
 * or executes another one. It leaves when all go on.
 */
export class InPassing extends Error {}

/** Processes in critical sections: the computation goes on until they have left them. */
export class HeldOff extends Error {}

/**
 * At a barrier, before anything was written, processes were in states that cannot be saved and that they will soon have left: data for a
 * connection that is about to be accepted, and the like.
 */
export class NotNow extends CairnError {}

const EAGAIN = -11;
const EBUSY = -16;

export class Operation {
  readonly status: OperationStatus;
  /** Id of the one that it made, or that it restarts. */
  snapshot: string | null = null;
  /** Besides the session's: phases and barriers, by their labels. */
  breakpoints: readonly string[] = [];
  readonly #clock: Clock;
  readonly #began: number;
  readonly #changed: () => void;
  readonly #hosts: Hosts;
  readonly #exchange: Exchange;
  readonly #callbackOf: CallbackOf;
  readonly #finished: (operation: Operation) => void;
  readonly #session: Session;
  readonly #records: PhaseRecord[] = [];
  /** Who ended, or executed another program, in a phase in which that may be. */
  readonly #left: { readonly one: AgentConnection; readonly phase: string }[] = [];
  /** Not undefined: a breakpoint holds it. */
  #released: (() => void) | undefined;
  /** While it goes on; then a list, as it is kept for long. */
  readonly #programs = new Map<number, TimelineProcess>();
  #described: readonly TimelineProcess[] = [];
  readonly #cancel = new AbortController();
  #endStatus = 0;

  constructor(
    id: number,
    kind: OperationKind,
    clock: Clock,
    session: Session,
    callbackOf: CallbackOf,
    finished: (operation: Operation) => void,
  ) {
    const { hosts, progressed } = session;
    this.#callbackOf = callbackOf;
    this.#finished = finished;
    this.#session = session;
    this.#hosts = hosts;
    this.#exchange = new Exchange(hosts);
    this.status = {
      id,
      kind,
      phases: this.#records,
      heldOff: [],
      heldAt: '',
      startedAt: clock.now(),
      finished: false,
      error: '',
    };
    this.#clock = clock;
    this.#began = clock.monotonicMs();
    this.#changed = progressed;
  }

  get number(): bigint {
    return BigInt(this.status.id);
  }
  /** Milliseconds since the operation began. */
  get elapsedMs(): number {
    return this.#clock.monotonicMs() - this.#began;
  }
  /** As it is now, to be told: what is told next is compared with it. */
  get told(): OperationStatus {
    return { ...this.status, phases: this.#records.map((one) => one.status) };
  }
  get timings(): PhaseTiming[] {
    return this.status.phases
      .filter((one) => one.endedMs !== null)
      .map((one) => ({ phase: phaseLabel(one), ms: (one.endedMs ?? 0) - one.startedMs }));
  }

  /** How it went, by now. */
  get timeline(): OperationTimeline {
    const { id, kind, startedAt, finished, error } = this.status;
    const phases = this.#records.map((one) => one.timeline);
    const { snapshot } = this;
    return {
      id,
      kind,
      session: this.#session.name,
      snapshot,
      startedAt,
      finished,
      error,
      processes: [...this.#described, ...this.#programs.values()],
      phases,
    };
  }

  /** There may be a breakpoint: its phases must not be sent ahead. */
  get mayBeHeld(): boolean {
    return this.breakpoints.length > 0 || this.#session.breakpoints.length > 0;
  }

  /** From where a breakpoint holds it. false: none does. */
  goOn(): boolean {
    this.#released?.();
    return this.#released !== undefined;
  }

  async #holdBefore({ phase, barrier }: PhaseStep): Promise<void> {
    const { kind } = this.status;
    if ((kind !== 'checkpoint' && kind !== 'restart') || !mayBeHeldBefore(phase)) return;
    const label = phaseLabel({ phase, barrier });
    if (![...this.breakpoints, ...this.#session.breakpoints].map(breakpointLabel).includes(label)) return;
    this.checkCancelled();
    const { signal } = this.#cancel;
    this.status.heldAt = label;
    this.#changed();
    await new Promise<void>((resolve) => {
      this.#released = resolve;
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
    this.#released = undefined;
    this.status.heldAt = '';
    this.checkCancelled();
  }

  /** `endStatus`: what the processes of a restart end with. */
  cancel(endStatus = INTERRUPTED): void {
    if (this.isCancelled) return;
    this.#endStatus = endStatus;
    this.#cancel.abort();
  }

  get isCancelled(): boolean {
    return this.#cancel.signal.aborted;
  }

  get cancelledError(): CairnError {
    const { kind } = this.status;
    const detail = kind === 'restart' ? 'What had been restarted was ended.' : 'The computation runs on.';
    return failure('cancelled', { kind, detail });
  }

  /**
   * Asks processes whether they are in critical sections, until none is. What was tried of phases before, from `mark` on, is no
   * part of the operation.
   */
  async awaitSections(
    members: () => readonly AgentConnection[],
    mark: number,
    first: (held: readonly HoldOff[]) => void,
  ): Promise<void> {
    this.forgetFrom(mark);
    const request = phaseCall({ operation: this.number, phase: Phase.ASK, deadlineMs: ABORT_MS });
    for (let asked = 0; ; asked++) {
      const answers = members()
        .filter((one) => one.isOpen)
        .map(async (one) => ({ one, reply: await one.phase(request).catch(endedOnItsOwn) }));
      const replies = await bounded(Promise.all(answers), ABORT_MS, () => new Error('no answer')).catch(() => []);
      this.status.heldOff = replies
        .filter(({ reply }) => isHeldOff(reply))
        .map(({ one, reply }) => ({ virtualPid: one.virtualPid, program: one.program, why: reply.error }));
      this.#changed();
      if (this.status.heldOff.length === 0) return;
      if (asked === 0) first(this.status.heldOff);
      this.checkCancelled();
      await sleep(Math.min(5 * (asked + 1), SECTION_LOOK_MS));
    }
  }

  /** What was tried from there on is no part of the operation. */
  forgetFrom(mark: number): void {
    this.#records.length = mark;
  }

  /** With several hosts: where processes leave files for each other while it goes on. */
  set exchangeFolder(path: string) {
    this.#exchange.folder = path;
  }

  /** Addresses of hosts of before, and of now. */
  set movedAddresses(moved: readonly [string, string][]) {
    this.#exchange.moved = moved;
  }

  /**
   * One phase: every process of `step` is asked, and all have to answer. With
   * `mayLeave`, one that ends or executes another program before it answers has a reply without phase.
   */
  async step(
    step: PhaseStep,
    members: readonly AgentConnection[],
    deadlines: Deadlines,
    fields: RequestFields = {},
    mayLeave = step.phase === 'resume' || step.phase === 'running',
  ): Promise<PhaseReply[]> {
    await this.#holdBefore(step);
    const wanted = new Set(step.processes);
    const taking = members.filter((one) => wanted.has(one.virtualPid));
    const { phase, barrier } = step;
    const deadlineMs = deadlines.phase;
    if (phase === 'write') throw new RangeError('write is not asked for');
    const common = { operation: this.number, phase: wirePhase[phase], barrier, deadlineMs };
    const request = phaseCall({ ...fields, ...common });
    const failed: Reason[] = [];
    let first: PhaseReply | undefined;
    let lasting = phase !== 'barrier';
    const replies = await this.during(phase, barrier, taking, deadlineMs, deadlineMs + deadlines.grace, async (one, time) => {
      const exchange = this.#exchange.request(one, phase);
      const call = exchange === undefined ? request : phaseCall({ ...fields, ...common, ...exchange });
      const asked = this.#untilDone(one, call, time, () => first !== undefined);
      const leaves = (error: unknown): PhaseReply => {
        const reply = endedOnItsOwn(error);
        this.#left.push({ one, phase: phaseLabel(step) });
        return reply;
      };
      const reply = mayLeave ? await asked.catch(leaves) : await asked;
      if ((phase === 'presuspend' || phase === 'suspend') && isHeldOff(reply)) throw new HeldOff(reply.error);
      if (phase === 'suspend' && fields.alone && reply.errorNumber === EAGAIN) throw new NotAlone();
      if (phase === 'suspend' && !fields.alone && reply.errorNumber === EAGAIN) throw new InPassing(reply.error);
      if (reply.error !== '') {
        // What others have to say is waited for: all that is in the way is told at once.
        for (const what of reply.error.split('\n')) failed.push({ pid: one.virtualPid, program: one.program, what, remedy: '' });
        first ??= reply;
        lasting ||= reply.errorNumber !== EAGAIN;
      }
      this.#exchange.take(one, reply.names);
      return reply;
    });
    if (first !== undefined) {
      const error = phaseFailure(phaseLabel(step), failed, first.culprit);
      const record = this.#records.findLast((one) => one.phase === phase && one.barrier === barrier);
      if (record !== undefined) record.error = error.message;
      this.#changed();
      throw lasting ? error : new NotNow(error.data, error.message);
    }
    return replies;
  }

  /**
   * Asks again as long as a plugin says at its barrier that something outside is not there yet; no longer than the phase goes on, and
   * not when that has failed. While nobody else is waited for, that time is not the phase's.
   */
  async #untilDone(one: AgentConnection, call: Call, phase: PhaseTime, hasFailed: () => boolean): Promise<PhaseReply> {
    let reply = await one.phase(call);
    phase.record.answers(one, reply);
    for (let asked = 1; reply.waitsFor !== '' && reply.error === '' && !hasFailed(); asked++) {
      this.#exchange.take(one, reply.names);
      this.#waits(one, phase, reply.waitsFor);
      await sleep(Math.min(5 * asked, BARRIER_LOOK_MS));
      this.checkCancelled();
      if (phase.over) return reply;
      reply = await bounded(one.phase(call), phase.deadlineMs, () => phase.late([one]));
      phase.record.answers(one, reply);
    }
    if (phase.waiting.has(one.virtualPid) && !phase.over) this.#waits(one, phase, '');
    return reply;
  }

  /** `why` empty: it does not wait any more. */
  #waits(one: AgentConnection, phase: PhaseTime, why: string): void {
    const others = this.status.heldOff.filter(({ virtualPid }) => virtualPid !== one.virtualPid);
    this.status.heldOff = why === '' ? others : [...others, { virtualPid: one.virtualPid, program: one.program, why }];
    if (why === '') phase.waiting.delete(one.virtualPid);
    else phase.waiting.add(one.virtualPid);
    phase.count(this.elapsedMs);
    this.#changed();
  }

  /** A phase that is waited for in any way: `arrive` is settled when that process has arrived. */
  async during<T>(
    phase: PhaseName,
    barrier: string,
    members: readonly AgentConnection[],
    deadlineMs: number,
    limitMs: number,
    arrive: (one: AgentConnection, phase: PhaseTime) => Promise<T>,
  ): Promise<T[]> {
    const record = this.#begin(phase, barrier, members);
    this.#changed();
    const name = phaseLabel({ phase, barrier });
    const time = new PhaseTime(name, record, deadlineMs, this.#callbackOf);
    const one = async (member: AgentConnection): Promise<T> => {
      let result: T;
      try {
        result = await arrive(member, time);
      } catch (error) {
        throw error instanceof ConnectionLost ? await lost(member, name, this.#hosts, this.#callbackOf) : error;
      }
      record.arrives(member, this.elapsedMs);
      time.count(this.elapsedMs);
      this.#changed();
      return result;
    };
    const late = (): Promise<CairnError> => time.late(members.filter((member) => record.isWaitedFor(member)));
    try {
      return await bounded(
        Promise.all(members.map(one)),
        limitMs,
        late,
        this.#cancel.signal,
        () => this.cancelledError,
        () => time.count(this.elapsedMs),
      );
    } catch (error) {
      record.error = reason(error);
      throw error;
    } finally {
      record.endedMs = this.elapsedMs;
      // Whoever still asks a process asks it no more.
      time.over = true;
      this.status.heldOff = this.status.heldOff.filter(({ virtualPid }) => !time.waiting.has(virtualPid));
      this.#changed();
    }
  }

  #begin(phase: PhaseName, barrier: string, members: readonly AgentConnection[]): PhaseRecord {
    for (const one of members) {
      if (!this.#programs.has(one.virtualPid)) this.#programs.set(one.virtualPid, this.#describe(one));
    }
    const record = new PhaseRecord(phase, barrier, members, this.elapsedMs);
    this.#records.push(record);
    return record;
  }

  /** The same for all operations, which are kept for a while. */
  #describe(one: AgentConnection): TimelineProcess {
    const { virtualPid, program, host } = one;
    one.inTimelines ??= { virtualPid, program, host: this.#hosts.byNumber(host)?.name ?? '' };
    return one.inTimelines;
  }

  /** Where nobody is left: a plugin's callback may have ended who was there. undefined: none was in one. */
  async endedInCallback(): Promise<CairnError | undefined> {
    for (const { one, phase } of this.#left) {
      const error = await lost(one, phase, this.#hosts, this.#callbackOf);
      if (!this.#hosts.lives(one.process) && (await this.#callbackOf(one)) !== '') return error;
    }
    return undefined;
  }

  /** Throws `cancelled` if the user wanted that by now. */
  checkCancelled(): void {
    if (this.isCancelled) throw this.cancelledError;
  }

  /** The abort edge: all processes run on as if nothing had been asked. Never throws: what has gone cannot be held. */
  async abort(members: readonly AgentConnection[]): Promise<void> {
    const open = members.filter((one) => one.isOpen);
    const record = this.#begin('abort', '', open);
    const { number: operation } = this;
    const request = phaseCall({ operation, phase: Phase.ABORT, deadlineMs: ABORT_MS, endStatus: this.#endStatus });
    const all = open.map(async (one) => {
      record.answers(one, await one.phase(request));
      record.arrives(one, this.elapsedMs);
    });
    await bounded(Promise.allSettled(all), ABORT_MS, () => new Error('no answer to abort')).catch((error: unknown) => {
      record.error = reason(error);
    });
    record.endedMs = this.elapsedMs;
    this.#changed();
  }

  /** The first end counts. */
  finish(error?: unknown): void {
    if (this.status.finished) return;
    this.status.finished = true;
    this.#described = [...this.#programs.values()];
    this.#programs.clear();
    this.status.error = error === undefined ? '' : reason(error);
    this.#finished(this);
    this.#changed();
  }
}

/** One process with one reason, or a list of all. */
function phaseFailure(phase: string, failed: readonly Reason[], culprit: string): CairnError {
  const [first] = failed;
  const detail = culprit === '' || failed.length > 1 ? '' : `Culprit: ${culprit}.`;
  const why =
    failed.length === 1
      ? (first?.what ?? '')
      : failed.map(({ pid, program, what }) => `\nprocess ${pid} (${program}): ${what}`).join('');
  const plain = failure('phaseFailed', { pid: first?.pid ?? 0, program: first?.program ?? '', phase, why, detail });
  return new CairnError({ ...plain.data, reasons: failed }, plain.message);
}

/** Others may fail with that number, too. */
const isHeldOff = (reply: PhaseReply): boolean => reply.errorNumber === EBUSY && reply.culprit === 'critical section';

/** The answer of a process that went on and ended before it could give one. */
function endedOnItsOwn(error: unknown): PhaseReply {
  if (error instanceof ConnectionLost) return create(PhaseReplySchema);
  throw error;
}

/** A process that ends closes its connection a moment before it is gone. */
async function lost(member: AgentConnection, phase: string, hosts: Hosts, callbackOf: CallbackOf): Promise<CairnError> {
  for (let waited = 0; waited < 300 && hosts.lives(member.process); waited += 10) await sleep(10);
  const lives = hosts.lives(member.process);
  const callback = await callbackOf(member);
  return failure('processLost', {
    pid: member.virtualPid,
    program: member.program,
    phase,
    how: lives ? 'lost its connection' : 'ended',
    where: callback === '' || lives ? '' : `, in ${callback}`,
    detail: lives ? 'The computation runs on; its agent connects again by itself.' : 'Its own output may say why.',
  });
}
