/**
 * Calls of plugins' wrappers, one by one, while somebody looks on: asked of all processes again and again, also of those that come
 * meanwhile. Not during operations, when the threads stand. A process that is not asked any more stops tracing by itself.
 * Tests: test/probes/wrapper-calls.test.ts.
 */
import { sleep } from '../platform/clock.js';
import type { WrapperCall, WrapperCalls } from '../protocol/control.js';
import type { AgentConnection, Traced } from './agent-connection.js';
import type { Session } from './session.js';

const LOOK_MS = 100;
/** For whom a look waits no longer. */
const ANSWER_MS = 500;
const NS_PER_US = 1000n;
const NS_PER_MS = 1e6;

interface Answer {
  virtualPid: number;
  calls: WrapperCall[];
  dropped: number;
  untraced: boolean;
}

export class WrapperCallTrace {
  readonly #session: Session;
  readonly #told: (calls: WrapperCalls) => void;
  readonly #asked = new WeakSet<AgentConnection>();
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> = Promise.resolve();
  /** Virtual pids. */
  readonly #untraced = new Set<number>();

  constructor(session: Session, told: (calls: WrapperCalls) => void) {
    this.#session = session;
    this.#told = told;
  }

  /** Resolves when the processes that can answer have done so; what was seen until then has been told. */
  async set(on: boolean): Promise<void> {
    if (on !== (this.#timer !== undefined)) {
      clearInterval(this.#timer);
      this.#timer = on
        ? setInterval(() => {
            this.#looking = this.#look(true);
          }, LOOK_MS)
        : undefined;
    }
    await this.#looking;
    await this.#look(on);
  }

  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  async #look(on: boolean): Promise<void> {
    const { operation, processes } = this.#session;
    if (operation !== null && !operation.status.finished) return;
    // One that has not answered yet, since its process is stopped, is not asked again.
    const all = processes.filter((one) => one.isReady && !this.#asked.has(one));
    const asked = all.map((one) => this.#ask(one, on));
    const found = await Promise.all(asked.map((answer) => Promise.race([answer, sleep(ANSWER_MS, true)])));
    this.#tell(found.filter((one) => one !== undefined));
    // One that is stopped answers when it goes on.
    for (const [index, answer] of asked.entries()) if (found[index] === undefined) void answer.then((one) => this.#tell([one]));
  }

  #tell(found: readonly Answer[]): void {
    const calls = found.flatMap((one) => one.calls).sort((a, b) => a.atUs - b.atUs);
    const dropped = found.reduce((sum, one) => sum + one.dropped, 0);
    const before = [...this.#untraced];
    for (const { virtualPid, untraced } of found) {
      if (untraced) this.#untraced.add(virtualPid);
      else this.#untraced.delete(virtualPid);
    }
    const untraced = [...this.#untraced];
    const same = untraced.length === before.length && untraced.every((pid) => before.includes(pid));
    if (calls.length > 0 || dropped > 0 || !same) this.#told({ calls, dropped, untraced });
  }

  async #ask(one: AgentConnection, on: boolean): Promise<Answer> {
    const { virtualPid, program } = one;
    this.#asked.add(one);
    // An agent of an older version refuses, as the image of a restart has it.
    const answer = await one.trace(on).catch((): Traced => ({ calls: [], dropped: 0, untraced: one.isOpen ? 1 : 0 }));
    this.#asked.delete(one);
    const calls = answer.calls.map(
      (call): WrapperCall => ({
        virtualPid,
        program,
        thread: call.thread,
        plugin: call.plugin,
        function: call.function,
        atUs: Number(call.beganNs / NS_PER_US),
        ms: Number(call.tookNs) / NS_PER_MS,
      }),
    );
    return { virtualPid, calls, dropped: answer.dropped, untraced: answer.untraced > 0 };
  }
}
