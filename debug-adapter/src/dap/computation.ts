/**
 * What the adapter needs of a computation, whoever gives it. The implementation over the control protocol is
 * computations.ts; tests of the session alone give another one.
 */
import type { z } from 'zod';
import type { Notice, NotificationName, RequestName, requests } from '../protocol/control.js';
import type { AttachConfiguration, LaunchConfiguration } from '../protocol/debug.js';

export type Params<M extends RequestName> = z.input<(typeof requests)[M]['params']>;
export type Result<M extends RequestName> = z.output<(typeof requests)[M]['result']>;

export interface Listener {
  notified<N extends NotificationName>(name: N, notice: Notice<N>): void;
  /** The coordinator cannot be reached any more. `reason` is for the user; empty: it left after the computation's end. */
  lost(reason: string): void;
}

/** One live session, connected. Dispose ends the connection, never the computation. */
export interface Computation {
  request<M extends RequestName>(method: M, params: Params<M>): Promise<Result<M>>;
  dispose(): void;
}

export interface Computations {
  /**
   * Resolves when the first process is under control (launch), or runs again or is held at a breakpoint (restart of a snapshot).
   * `breakpoints`: those that the client has set, once it has said all of them.
   */
  launch(configuration: LaunchConfiguration, listener: Listener, breakpoints: Promise<readonly string[]>): Promise<Computation>;
  attach(configuration: AttachConfiguration, listener: Listener): Promise<Computation>;
}
