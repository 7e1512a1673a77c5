/**
 * One live session as this window knows it: its status, kept up to date by its coordinator's notifications, and what can be
 * asked of it. Owns its connection, and gives it up when the computation has ended and nobody keeps it: the coordinator stays
 * for as long as anybody is connected.
 */
import * as vscode from 'vscode';
import {
  CONTROL_PROTOCOL,
  type Notice,
  type RequestName,
  type SessionStatus,
} from '../../../debug-adapter/src/protocol/control.js';
import { UserError } from '../platform/errors.js';
import { ControlClient, type Params, type Result } from './controlClient.js';

export class LiveSession implements vscode.Disposable {
  readonly name: string;
  readonly #client: ControlClient;
  readonly #changed = new vscode.EventEmitter<void>();
  readonly #snapshot = new vscode.EventEmitter<Notice<'session/snapshot'>>();
  readonly #data = new vscode.EventEmitter<string>();
  readonly #closed = new vscode.EventEmitter<void>();
  readonly onDidChange = this.#changed.event;
  readonly onDidSnapshot = this.#snapshot.event;
  readonly onDidPrint = this.#data.event;
  readonly onDidClose = this.#closed.event;
  #status: SessionStatus;
  #connected = true;
  #kept = 0;

  private constructor(client: ControlClient, status: SessionStatus) {
    this.#client = client;
    this.#status = status;
    this.name = status.session;
    client.on('session/changed', (changed) => this.#update(changed));
    client.on('session/snapshot', (result) => this.#snapshot.fire(result));
    client.on('terminal/data', ({ data }) => this.#data.fire(data));
    client.onDidClose(() => this.#close());
  }

  static async join(controlSocket: string): Promise<LiveSession> {
    const client = await ControlClient.connect(controlSocket);
    try {
      // The session may end while the first answer is on its way.
      let latest: SessionStatus | undefined;
      const early = client.on('session/changed', (status) => {
        latest = status;
      });
      client.listen();
      const status = await client.request('session/status', {});
      early.dispose();
      if (status.protocol !== CONTROL_PROTOCOL)
        throw new UserError(`The session "${status.session}" was started by another version of Cairn.`);
      return new LiveSession(client, latest?.state === 'exited' ? latest : status);
    } catch (error) {
      client.dispose();
      throw error;
    }
  }

  get status(): SessionStatus {
    return this.#status;
  }

  get connected(): boolean {
    return this.#connected;
  }

  /** The computation is over; its terminal can still be read while connected. */
  get exited(): boolean {
    return this.#status.state === 'exited';
  }

  async request<M extends RequestName>(method: M, params: Params<M>): Promise<Result<M>> {
    if (!this.#connected) throw new UserError(`The session "${this.name}" has ended. Restart one of its snapshots.`);
    return this.#client.request(method, params);
  }

  /** The connection stays, also after the computation's end, until the result is disposed of: for what it printed last. */
  keep(): vscode.Disposable {
    this.#kept++;
    let released = false;
    return new vscode.Disposable(() => {
      if (released) return;
      released = true;
      this.#kept--;
      this.leaveWhenOver();
    });
  }

  leaveWhenOver(): void {
    if (this.exited && this.#kept === 0) this.#client.end();
  }

  #update(status: SessionStatus): void {
    this.#status = status;
    this.#changed.fire();
    this.leaveWhenOver();
  }

  #close(): void {
    if (!this.#connected) return;
    this.#connected = false;
    this.#closed.fire();
  }

  dispose(): void {
    this.#connected = false;
    this.#client.dispose();
    for (const emitter of [this.#changed, this.#snapshot, this.#data, this.#closed]) emitter.dispose();
  }
}
