/**
 * The coordinator's ear on a network: a TCP port on which agents of other hosts come. Who comes is let in when it has proven that it
 * knows the session's secret, and this side has, too (platform/proof.ts); until then nothing of it is read.
 *
 * Invariants: at most MAX_UNPROVEN connections are unproven at a time, each for PROOF_MS at most; what is refused is logged with its
 * address, a flood of refusals only now and then. Never on all interfaces unless the user names them.
 * Tests: test/protocol/remote.test.ts.
 */
import { createServer, type Server, type Socket } from 'node:net';
import { addressText, demandProof, plainAddress } from '../platform/proof.js';
import type { NetworkAddress } from '../protocol/control.js';
import { failure, reason } from '../protocol/errors.js';
import type { Log } from './log.js';

const PROOF_MS = 5000;
const MAX_UNPROVEN = 32;
/** Refusals that are logged one by one within LOG_MS; the rest is counted. */
const MAX_LOGGED = 10;
const LOG_MS = 10_000;

export class Listener {
  readonly #secret: string;
  readonly #log: Log;
  readonly #accept: (socket: Socket) => void;
  readonly #unproven = new Set<Socket>();
  #server: Server | undefined;
  #refused = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(secret: string, log: Log, accept: (socket: Socket) => void) {
    this.#secret = secret;
    this.#log = log;
    this.#accept = accept;
  }

  /** Port 0: any. Gives where it listens. */
  async listen(at: NetworkAddress): Promise<NetworkAddress> {
    const server = createServer({ pauseOnConnect: true }, (socket) => void this.#take(socket));
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', (cause) => reject(failure('cannotListen', { where: addressText(at), why: reason(cause) }, cause)));
      server.listen({ host: at.address, port: at.port, exclusive: true }, resolve);
    });
    server.on('error', (error) => this.#log.add('warning', `the network: ${error.message}`));
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : at.port;
    return { address: at.address, port };
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#server?.close();
    for (const socket of this.#unproven) socket.destroy();
  }

  async #take(socket: Socket): Promise<void> {
    const from = addressText({ address: plainAddress(socket.remoteAddress), port: socket.remotePort ?? 0 });
    socket.on('error', () => undefined); // 'close' follows
    if (this.#unproven.size >= MAX_UNPROVEN) {
      this.#refuse(socket, from, `${MAX_UNPROVEN} others have not proven themselves yet`);
      return;
    }
    this.#unproven.add(socket);
    try {
      await demandProof(socket, this.#secret, PROOF_MS);
      this.#unproven.delete(socket);
      this.#accept(socket);
      socket.resume();
    } catch (error) {
      this.#unproven.delete(socket);
      this.#refuse(socket, from, reason(error));
    }
  }

  #refuse(socket: Socket, from: string, why: string): void {
    socket.destroy();
    if (++this.#refused <= MAX_LOGGED) this.#log.add('warning', `a connection from ${from} was refused: ${why}`);
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      if (this.#refused > MAX_LOGGED) this.#log.add('warning', `${this.#refused - MAX_LOGGED} more connections were refused`);
      this.#refused = 0;
    }, LOG_MS).unref();
  }
}
