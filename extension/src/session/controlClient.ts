/**
 * A connection to one session's coordinator: the control protocol of debug-adapter/src/protocol/control.ts, checked on both
 * ways. Owns the socket. Closing it never ends the computation.
 */
import { createConnection, type Socket } from 'node:net';
import * as vscode from 'vscode';
import {
  createMessageConnection,
  type MessageConnection,
  ResponseError,
  SocketMessageReader,
  SocketMessageWriter,
} from 'vscode-jsonrpc/node';
import type { z } from 'zod';
import {
  type Notice,
  type NotificationName,
  notifications,
  type RequestName,
  requests,
  type SessionStatus,
} from '../../../debug-adapter/src/protocol/control.js';
import { ToldStatus } from '../../../debug-adapter/src/protocol/session-change.js';
import { describeRemote } from '../platform/errors.js';

export type Params<M extends RequestName> = z.input<(typeof requests)[M]['params']>;
export type Result<M extends RequestName> = z.output<(typeof requests)[M]['result']>;

export class ControlClient implements vscode.Disposable {
  readonly #socket: Socket;
  readonly #connection: MessageConnection;
  readonly #closed = new vscode.EventEmitter<void>();
  readonly onDidClose = this.#closed.event;
  readonly #told = new ToldStatus();
  #onChanged: ((status: SessionStatus) => void) | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.#connection = createMessageConnection(new SocketMessageReader(socket), new SocketMessageWriter(socket));
    this.#connection.onClose(() => this.#closed.fire());
    // A broken socket is followed by its close, which says all that matters.
    this.#connection.onError(() => undefined);
    // Whether anybody listens or not: the next one rests on it.
    this.#connection.onNotification('session/changed', (params: unknown) => {
      const status = this.#told.take(params);
      if (status !== undefined) this.#onChanged?.(status);
    });
  }

  /** Rejects where nobody listens at `path`. */
  static async connect(path: string): Promise<ControlClient> {
    const socket = createConnection(path);
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve).once('error', reject);
    });
    return new ControlClient(socket);
  }

  /** Notifications that come before this are kept by the socket: subscribe first, then listen. */
  listen(): void {
    this.#connection.listen();
  }

  /** One listener a name: another one takes its place. */
  on<N extends NotificationName>(name: N, listener: (notice: Notice<N>) => void): vscode.Disposable {
    if (name === 'session/changed') {
      const onChanged = listener as (status: SessionStatus) => void;
      this.#onChanged = onChanged;
      return new vscode.Disposable(() => {
        if (this.#onChanged === onChanged) this.#onChanged = undefined;
      });
    }
    return this.#connection.onNotification(name, (params: unknown) => listener(notifications[name].parse(params) as Notice<N>));
  }

  async request<M extends RequestName>(method: M, params: Params<M>): Promise<Result<M>> {
    try {
      return requests[method].result.parse(await this.#connection.sendRequest(method, params)) as Result<M>;
    } catch (error) {
      throw error instanceof ResponseError ? describeRemote(error.message, error.data) : error;
    }
  }

  /** Leaves; `onDidClose` follows. */
  end(): void {
    this.#socket.end();
  }

  dispose(): void {
    this.#connection.dispose();
    this.#socket.destroy();
    this.#closed.dispose();
  }
}
