/**
 * The control client: typed requests to a session's coordinator, and its notifications.
 * Tests: test/protocol/control.test.ts.
 */
import { connect, type Socket } from 'node:net';
import { createMessageConnection, type MessageConnection, SocketMessageReader, SocketMessageWriter } from 'vscode-jsonrpc/node';
import type * as z from 'zod';
import {
  CONTROL_PROTOCOL,
  type Notice,
  type NotificationName,
  notifications,
  type RequestName,
  requests,
  type SessionStatus,
} from '../protocol/control.js';
import { failure, reason } from '../protocol/errors.js';
import { ToldStatus } from '../protocol/session-change.js';
import { fromResponseError } from './wire.js';

type Params<M extends RequestName> = z.input<(typeof requests)[M]['params']>;
type Result<M extends RequestName> = z.output<(typeof requests)[M]['result']>;

export class ControlClient {
  readonly session: string;
  readonly #socket: Socket;
  readonly #connection: MessageConnection;
  readonly #log: string;
  readonly #closed = Promise.withResolvers<void>();
  readonly #told = new ToldStatus();
  #onChanged: ((status: SessionStatus) => void) | undefined;
  #isOpen = true;

  private constructor(session: string, socket: Socket, log: string) {
    this.session = session;
    this.#socket = socket;
    this.#log = log;
    this.#connection = createMessageConnection(new SocketMessageReader(socket), new SocketMessageWriter(socket));
    const close = (): void => {
      this.#isOpen = false;
      this.#closed.resolve();
    };
    this.#connection.onClose(close);
    socket.once('close', close);
    this.#connection.onError(() => undefined); // 'close' follows
    // Whether anybody listens or not: the next one rests on it.
    this.#connection.onNotification('session/changed', (params: unknown) => {
      const status = this.#told.take(params);
      if (status !== undefined) this.#onChanged?.(status);
    });
    this.#connection.listen();
  }

  /** Throws the socket's error (ENOENT, ECONNREFUSED) where no coordinator listens. */
  static async open(session: string, socketPath: string, log: string): Promise<ControlClient> {
    const socket = connect(socketPath);
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.removeListener('error', reject);
        resolve();
      });
    });
    socket.on('error', () => undefined); // 'close' follows
    return new ControlClient(session, socket, log);
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }
  /** Resolves when the coordinator has gone, or close() was called. */
  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  async request<M extends RequestName>(method: M, params: Params<M>): Promise<Result<M>> {
    const lost = this.#closed.promise.then(() => {
      throw failure('coordinatorLost', { name: this.session, method, log: this.#log });
    });
    lost.catch(() => undefined);
    let answer: unknown;
    try {
      answer = await Promise.race([this.#connection.sendRequest<unknown>(method, params), lost]);
    } catch (error) {
      const cairn = fromResponseError(error);
      if (cairn !== undefined) throw cairn;
      if (error instanceof Error && error.name === 'CairnError') throw error;
      throw failure('coordinatorLost', { name: this.session, method, log: this.#log }, error);
    }
    const parsed = requests[method].result.safeParse(answer);
    if (parsed.success) return parsed.data as Result<M>;
    const theirs = typeof answer === 'object' && answer !== null && 'protocol' in answer ? String(answer.protocol) : 'unknown';
    throw failure('coordinatorVersion', { name: this.session, theirs, ours: CONTROL_PROTOCOL }, new Error(reason(parsed.error)));
  }

  /** One listener a name: another one takes its place. What does not fit its schema is dropped: it is of another version. */
  on<N extends NotificationName>(name: N, listener: (params: Notice<N>) => void): { dispose(): void } {
    if (name === 'session/changed') {
      const onChanged = listener as (status: SessionStatus) => void;
      this.#onChanged = onChanged;
      return { dispose: () => (this.#onChanged = this.#onChanged === onChanged ? undefined : this.#onChanged) };
    }
    return this.#connection.onNotification(name, (params: unknown) => {
      const parsed = notifications[name].safeParse(params);
      if (parsed.success) listener(parsed.data as Notice<N>);
    });
  }

  close(): void {
    this.#isOpen = false;
    this.#connection.dispose();
    this.#socket.destroy();
    this.#closed.resolve();
  }
}
