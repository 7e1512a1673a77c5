/**
 * Writes to design signals of a held computation: it goes on until the simulation has written them, and is held where that asks for it, in the
 * simulation's own thread, at the end of a time step. A session's state stays `held` throughout.
 * Test: test/simulators/held-signals.test.ts.
 */
import type { SessionStatus } from '../protocol/control.js';
import { failure } from '../protocol/errors.js';
import type { SignalWritesResult } from '../protocol/signals.js';
import type { AgentConnection } from './agent-connection.js';
import type { Context } from './context.js';
import { letGo, suspend } from './members.js';
import type { Operation } from './operation.js';
import { bounded, type Deferred, deferred } from './strand.js';

/** From the answer to the request to be held, which follows it at once. */
const ASKED_MS = 5000;

export class HeldWrite {
  #asked: Deferred<void> | undefined;
  #held: Deferred<void> | undefined;
  #heldBy: SessionStatus['heldBy'] = null;

  /** The simulation asks to be held, after a write: resolves when it is. undefined: nobody has written. */
  asked(heldBy: SessionStatus['heldBy']): Promise<void> | undefined {
    this.#heldBy = heldBy;
    this.#asked?.resolve();
    return this.#held?.promise;
  }

  /** `result`: of beginHeldWrite. Never throws for what became of the write itself: the computation is held all the same. */
  async during(
    context: Context,
    operation: Operation,
    all: readonly AgentConnection[],
    result: Promise<SignalWritesResult>,
  ): Promise<PromiseSettledResult<SignalWritesResult>> {
    const asked = deferred<void>();
    const held = deferred<void>();
    this.#asked = asked;
    this.#held = held;
    this.#heldBy = null;
    try {
      await letGo(context, operation, all);
      // A simulation that does not come to where it can be written is held again where it then is.
      const away = (): Error => failure('noProcess', { name: context.session.name });
      const work = result.then((written) => bounded(asked.promise, ASKED_MS, away).then(() => written));
      const [outcome] = await Promise.allSettled([work]);
      await suspend(context, operation);
      context.session.heldBy = this.#heldBy;
      context.session.changed();
      return outcome;
    } finally {
      held.resolve();
      this.#asked = undefined;
      this.#held = undefined;
    }
  }
}
