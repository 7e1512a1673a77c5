/**
 * Agents of processes that a signal has stopped (job control: Ctrl-Z, SIGSTOP). The agent's thread stops with its process; when it is
 * asked something and does not answer, `cairn-launch --keep-running` lets that one thread run, until nothing is asked any more and
 * the computation is not held. What the application and its parent see of the stop stays as it is.
 *
 * And agents that are there no more: a process that ends is held by its debugger, which may be stopped itself, with its connection open and
 * nobody to answer. It is not waited for.
 *
 * Invariant: no helper outlives the operation that it was needed for. Tests: test/probes/processes/stopped.c.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { nativeFile } from '../platform/installation.js';
import { reason } from '../protocol/errors.js';
import type { Log } from './log.js';
import type { Session } from './session.js';

const LOOK_MS = 25;
/** And as many times as long as the last look took, so that with many processes looking does not slow down what is waited for. */
const LOOK_SHARE = 10;
/** Processes that are looked at each time: with very many, one after the other. */
const AT_ONCE = 64;
const AGENT_THREAD = 'cairn-agent';
/** All but SIGKILL and SIGSTOP. */
const ALL_BLOCKED = /^SigBlk:\s+fffffffffffbfeff$/m;

export class StoppedProcesses {
  readonly #session: Session;
  readonly #log: Log;
  readonly #helpers = new Map<number, ChildProcess>();
  #timer: NodeJS.Timeout | undefined;
  #next = 0;
  /** Not before is looked again. */
  #restUntil = 0;
  /** Requests outside of operations. */
  #asking = 0;

  constructor(session: Session, log: Log) {
    this.#session = session;
    this.#log = log;
    session.onChange(() => this.#consider());
  }

  /** An operation has begun. */
  begin(): void {
    this.#timer ??= setInterval(() => this.#look(), LOOK_MS);
  }

  /** For what is no operation, or not yet. */
  async during<T>(ask: () => Promise<T>): Promise<T> {
    this.#asking++;
    this.begin();
    try {
      return await ask();
    } finally {
      this.#asking--;
      this.#consider();
    }
  }

  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    for (const helper of this.#helpers.values()) helper.stdin?.end();
    this.#helpers.clear();
  }

  get #isNeeded(): boolean {
    const { operation, state } = this.#session;
    return this.#asking > 0 || state === 'held' || (operation !== null && !operation.status.finished);
  }

  #consider(): void {
    if (this.#timer !== undefined && !this.#isNeeded) this.close();
  }

  #look(): void {
    this.#consider();
    const began = performance.now();
    if (began < this.#restUntil) return;
    const { processes } = this.#session;
    const connected = new Set(processes.map((one) => one.hello.realPid));
    for (let i = 0; i < Math.min(AT_ONCE, processes.length); i++) {
      const one = processes[this.#next++ % processes.length];
      if (one?.isAsked === true) {
        const { pid } = one.process;
        const state = stateOf(`/proc/${pid}`);
        this.#help(pid, state);
        if (state === 't' && one.owesReply && one.remoteAddress === undefined && isWithoutAgent(pid)) one.giveUp();
      }
      // A child may be stopped before its agent has connected.
      for (const { realPid } of one?.children ?? []) if (!connected.has(realPid)) this.#help(realPid);
    }
    const ended = performance.now();
    this.#restUntil = ended + (ended - began) * LOOK_SHARE;
  }

  #help(pid: number, state = stateOf(`/proc/${pid}`)): void {
    // Nearly always the first thread tells, unless it has ended.
    if (this.#helpers.has(pid) || !(state === 'T' || state === 'Z')) return;
    const tid = agentThread(pid);
    if (tid === undefined || stateOf(`/proc/${pid}/task/${tid}`) !== 'T') return;
    const helper = spawn(nativeFile('cairn-launch'), ['--keep-running', tid], { stdio: ['pipe', 'ignore', 'pipe'] });
    this.#helpers.set(pid, helper);
    const failed = (why: string): void =>
      this.#log.add('warning', `the agent of process ${pid}, which is stopped, cannot be let run: ${why.trim()}`);
    helper.stderr.setEncoding('utf8').on('data', failed);
    helper.stdin.on('error', () => undefined);
    helper.on('error', (error) => failed(reason(error)));
    helper.on('exit', () => {
      if (this.#helpers.get(pid) === helper) this.#helpers.delete(pid);
    });
  }
}

/** Of a process or thread, as in proc(5); empty: it is there no more. */
function stateOf(path: string): string {
  return /^State:\s+(\S)/m.exec(read(`${path}/status`))?.[1] ?? '';
}

/** One that was stopped before it has run has no name of its own yet; but it was made with all signals blocked that can be. */
function agentThread(pid: number): string | undefined {
  const threads = threadsOf(pid);
  const named = threads.find((task) => read(`/proc/${pid}/task/${task}/comm`) === `${AGENT_THREAD}\n`);
  return named ?? threads.find((task) => task !== String(pid) && ALL_BLOCKED.test(read(`/proc/${pid}/task/${task}/status`)));
}

/** Empty: who is described has ended, at the latest while it was read. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** None: it has ended. */
function threadsOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
}

/** In its last stop, or before its first call: there is no thread of an agent that could answer before the debugger goes on. */
function isWithoutAgent(pid: number): boolean {
  return threadsOf(pid).length > 0 && agentThread(pid) === undefined;
}
