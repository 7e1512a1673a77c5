/**
 * The coordinator's ear on a network: a TCP port on which agents of other hosts come. Who comes is let in when it has proven that it
 * knows the session's secret, and this side has, too (platform/proof.ts); until then nothing of it is read.
 *
 * Invariants: at most MAX_UNPROVEN connections are unproven at a time, each for PROOF_MS at most; at most MAX_WAITING more wait until it is
 * their turn, since all processes of a host come at once at a restart; both together are no more than half of the files that may be open. What is refused is logged with its address, a flood of refusals only
 * now and then. Never on all interfaces unless the user names them.
 * Tests: test/protocol/remote.test.ts.
 */
import { createServer, type Server, type Socket } from 'node:net';
import { resourceLimit } from '../platform/host.js';
import { addressText, demandProof, plainAddress } from '../platform/proof.js';
import type { NetworkAddress } from '../protocol/control.js';
import { failure, reason } from '../protocol/errors.js';
import type { Log } from './log.js';

const PROOF_MS = 5000;
const MAX_UNPROVEN = 1024;
const MAX_WAITING = 4096;
/** Refusals that are logged one by one within LOG_MS; the rest is counted. */
const MAX_LOGGED = 10;
const LOG_MS = 10_000;

export class Listener {
  readonly #secret: string;
  readonly #log: Log;
  readonly #accept: (socket: Socket) => void;
  readonly #mayBeUnproven: number;
  readonly #mayWait: number;
  readonly #unproven = new Set<Socket>();
  readonly #waiting: Socket[] = [];
  #server: Server | undefined;
  #refused = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(secret: string, log: Log, accept: (socket: Socket) => void, openFiles = resourceLimit('Max open files')) {
    this.#secret = secret;
    this.#log = log;
    this.#accept = accept;
    const half = Math.floor((openFiles ?? Number.POSITIVE_INFINITY) / 2);
    this.#mayBeUnproven = Math.min(MAX_UNPROVEN, Math.ceil(half / 4));
    this.#mayWait = Math.min(MAX_WAITING, half - this.#mayBeUnproven);
  }

  /** Port 0: any. Gives where it listens. */
  async listen(at: NetworkAddress): Promise<NetworkAddress> {
    const server = createServer({ pauseOnConnect: true }, (socket) => this.#take(socket));
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
    for (const socket of [...this.#waiting.splice(0), ...this.#unproven]) socket.destroy();
  }

  #take(socket: Socket): void {
    socket.on('error', () => undefined); // 'close' follows
    if (this.#unproven.size < this.#mayBeUnproven) void this.#prove(socket);
    else if (this.#waiting.length < this.#mayWait) this.#waiting.push(socket);
    else this.#refuse(socket, `${this.#mayBeUnproven + this.#mayWait} others have not proven themselves yet`);
  }

  async #prove(socket: Socket): Promise<void> {
    this.#unproven.add(socket);
    try {
      await demandProof(socket, this.#secret, PROOF_MS);
      this.#accept(socket);
      socket.resume();
    } catch (error) {
      this.#refuse(socket, reason(error));
    }
    this.#unproven.delete(socket);
    const next = this.#waiting.shift();
    if (next !== undefined) void this.#prove(next);
  }

  #refuse(socket: Socket, why: string): void {
    const from = addressText({ address: plainAddress(socket.remoteAddress), port: socket.remotePort ?? 0 });
    socket.destroy();
    if (++this.#refused <= MAX_LOGGED) this.#log.add('warning', `a connection from ${from} was refused: ${why}`);
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      if (this.#refused > MAX_LOGGED) this.#log.add('warning', `${this.#refused - MAX_LOGGED} more connections were refused`);
      this.#refused = 0;
    }, LOG_MS).unref();
  }
}
