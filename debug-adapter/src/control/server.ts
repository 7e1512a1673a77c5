/**
 * The control server: puts a coordinator on control.sock. The socket is in a folder that only its user can enter and has mode
 * 0600, so whoever connects is that user. Parameters and results are validated by the schemas of protocol/control.ts.
 * Tests: test/protocol/control.test.ts.
 */
import { chmodSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import {
  createMessageConnection,
  Message,
  type MessageConnection,
  SocketMessageReader,
  SocketMessageWriter,
} from 'vscode-jsonrpc/node';
import type * as z from 'zod';
import type { Coordinator } from '../coordinator/coordinator.js';
import type { Log } from '../coordinator/log.js';
import {
  type NotificationName,
  type notifications,
  type RequestName,
  requests,
  type SessionStatus,
} from '../protocol/control.js';
import { failure } from '../protocol/errors.js';
import { changeOf } from '../protocol/session-change.js';
import { toResponseError } from './wire.js';

type Params<M extends RequestName> = z.output<(typeof requests)[M]['params']>;
type Result<M extends RequestName> = z.output<(typeof requests)[M]['result']>;
type Handlers = { [M in RequestName]: (params: Params<M>, client: Client) => Promise<Result<M>> | Result<M> };

interface Client {
  connection: MessageConnection;
  /** It has the status that was told last; one that has come since is told all. */
  informed: boolean;
  terminal: boolean;
  calls: boolean;
}

const DEFAULT_GRACE_MS = 5000;

function handlersOf(coordinator: Coordinator, traced: (leaving?: Client) => Promise<void>): Handlers {
  return {
    'session/status': () => coordinator.status,
    'session/launch': (params) => coordinator.launch(params),
    'session/restart': (params) => coordinator.restart(params),
    'session/attach': (params) => coordinator.attach(params),
    'session/detach': () => coordinator.detach(),
    'session/started': ({ timeoutMs }) => coordinator.started(timeoutMs),
    'session/checkpoint': (params) => coordinator.checkpoint(params),
    'session/cancel': ({ only }) => {
      coordinator.cancel(only);
      return {};
    },
    'session/breakpoints': ({ names }) => ({ known: coordinator.breakAt(names) }),
    'session/hold': () => coordinator.hold(),
    'session/resume': () => coordinator.resume(),
    'session/stop': ({ graceMs = DEFAULT_GRACE_MS }) => coordinator.stop(graceMs),
    'session/settings': async ({ changes }) => ({ plugins: await coordinator.changeSettings(changes) }),
    'session/givePlugins': async ({ plugins }) => ({ plugins: await coordinator.givePlugins(plugins) }),
    'session/signals': (params) => coordinator.signals(params),
    'session/scope': (params) => coordinator.scope(params),
    'session/instances': (params) => coordinator.instances(params),
    'session/readSignals': (params) => coordinator.readSignals(params),
    'session/writeSignals': (params) => coordinator.writeSignals(params),
    'session/watchSignals': (params) => coordinator.watchSignals(params),
    'session/chooseSignals': (params) => coordinator.chooseSignals(params),
    'session/table': async ({ kind, virtualPid }) => ({ rows: await coordinator.table(kind, virtualPid) }),
    'session/timelines': () => ({ timelines: coordinator.timelines }),
    'session/trace': async ({ on }, client) => {
      // Who leaves is still told what was seen until then.
      client.calls = true;
      await traced(on ? undefined : client);
      client.calls = on;
      return {};
    },
    'terminal/open': (_, client) => {
      const state = coordinator.openTerminal();
      client.terminal = true;
      return state;
    },
    'terminal/input': ({ data }) => {
      coordinator.terminal.write(data);
      return {};
    },
    'terminal/resize': ({ columns, rows }) => {
      coordinator.terminal.resize(columns, rows);
      return {};
    },
  };
}

export class ControlServer {
  readonly #coordinator: Coordinator;
  readonly #logFile: string;
  readonly #log: Log;
  readonly #clients = new Set<Client>();
  readonly #idle = new Set<() => void>();
  /** Told last; undefined: nobody is there who was told anything. */
  #told: SessionStatus | undefined;
  #server: Server | undefined;

  constructor(coordinator: Coordinator, log: Log, logFile: string) {
    this.#coordinator = coordinator;
    this.#log = log;
    this.#logFile = logFile;
    coordinator.session.onChange(() => this.#tellStatus());
    coordinator.onSnapshot((result) => this.#tell('session/snapshot', result));
    coordinator.onTerminalData((data) => this.#tell('terminal/data', { data }, (client) => client.terminal));
    coordinator.onWrapperCalls((calls) => this.#tell('session/calls', calls, (client) => client.calls));
    log.onEntry((entry) => this.#tell('session/log', entry));
  }

  get clients(): number {
    return this.#clients.size;
  }

  /** The number of clients has changed. */
  onClients(listener: () => void): void {
    this.#idle.add(listener);
  }

  async listen(path: string): Promise<void> {
    rmSync(path, { force: true });
    const server = createServer((socket) => this.#accept(socket));
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(path, resolve);
    });
    chmodSync(path, 0o600);
  }

  close(): void {
    this.#server?.close();
    for (const { connection } of this.#clients) connection.end();
  }

  /** Most of what telling costs. It comes later, so that it has to be said what it took. */
  #encode = (message: Message): Promise<Uint8Array> => {
    const began = performance.now();
    const bytes = Buffer.from(JSON.stringify(message));
    if (Message.isNotification(message) && message.method === 'session/changed')
      this.#coordinator.session.tellingTook(performance.now() - began);
    return Promise.resolve(bytes);
  };

  /** As long as somebody wants to see the calls. */
  #traced(leaving?: Client): Promise<void> {
    return this.#coordinator.trace([...this.#clients].some((one) => one.calls && one !== leaving));
  }

  #accept(socket: Socket): void {
    const contentTypeEncoder = { name: 'application/json', encode: this.#encode };
    const writer = new SocketMessageWriter(socket, { contentTypeEncoder });
    const connection = createMessageConnection(new SocketMessageReader(socket), writer);
    const client: Client = { connection, informed: false, terminal: false, calls: false };
    this.#clients.add(client);
    const handlers = handlersOf(this.#coordinator, (leaving) => this.#traced(leaving));
    for (const method of Object.keys(requests) as RequestName[]) {
      connection.onRequest(method, (params: unknown) => this.#answer(method, handlers, params, client));
    }
    connection.onRequest((method) => toResponseError(failure('unknownMethod', { method }), this.#logFile));
    connection.onError(([error]) => this.#log.add('debug', `control connection: ${error.message}`));
    connection.onClose(() => {
      this.#clients.delete(client);
      connection.dispose();
      if (client.calls) void this.#traced();
      for (const listener of this.#idle) listener();
    });
    socket.on('error', () => undefined); // 'close' follows
    connection.listen();
    for (const listener of this.#idle) listener();
  }

  async #answer<M extends RequestName>(method: M, handlers: Handlers, given: unknown, client: Client): Promise<unknown> {
    try {
      const params = requests[method].params.safeParse(given ?? {});
      if (!params.success)
        throw failure('invalidParameters', {
          method,
          why: params.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; '),
        });
      const handler = handlers[method] as (params: unknown, client: Client) => unknown;
      return requests[method].result.parse(await handler(params.data, client));
    } catch (error) {
      const answer = toResponseError(error, this.#logFile);
      if (answer.data?.blame === 'cairn') this.#log.failure(method, error);
      return answer;
    }
  }

  #tellStatus(): void {
    const before = this.#told;
    this.#told = this.#clients.size > 0 ? this.#coordinator.status : undefined;
    if (this.#told === undefined) return;
    const [informed, fresh] = [
      [...this.#clients].filter((one) => one.informed),
      [...this.#clients].filter((one) => !one.informed),
    ];
    if (informed.length > 0) this.#tell('session/changed', changeOf(before, this.#told), (client) => client.informed);
    if (fresh.length > 0) this.#tell('session/changed', changeOf(undefined, this.#told), (client) => !client.informed);
    for (const client of fresh) client.informed = true;
  }

  #tell<N extends NotificationName>(
    name: N,
    params: z.input<(typeof notifications)[N]>,
    to: (client: Client) => boolean = () => true,
  ): void {
    for (const client of this.#clients) {
      if (to(client)) client.connection.sendNotification(name, params).catch(() => undefined);
    }
  }
}
