/** The real adapter as a process of its own, spoken to by a client of DAP, within a scratch folder. */
import { DebugClient } from '@vscode/debugadapter-testsupport';
import type { DebugProtocol } from '@vscode/debugprotocol';
import { waitFor } from '../support/processes.js';
import type { Scratch } from '../support/scratch.js';
import { inTree } from '../support/tree.js';

type Message = DebugProtocol.Event | DebugProtocol.Response;

export interface Refused {
  readonly id: number;
  readonly text: string;
  readonly showUser: boolean;
}

export class Adapter {
  readonly client: DebugClient;
  readonly #messages: Message[] = [];
  /** Nothing that it would be asked now would be answered. */
  #gone = false;

  constructor(scratch: Scratch, env: Record<string, string> = {}) {
    this.client = new DebugClient(process.execPath, inTree('dist/adapter.js'), 'cairn', {
      cwd: scratch.work,
      env: { ...scratch.env, ...env },
    });
    this.client.defaultTimeout = 20_000;
    // All that the adapter says passes here; DebugClient itself gives events by name only, and of errors the text only.
    const inner = this.client as unknown as { dispatch(body: string): void };
    const dispatch = inner.dispatch.bind(this.client);
    inner.dispatch = (body) => {
      this.#messages.push(JSON.parse(body) as Message);
      dispatch(body);
    };
  }

  async start(): Promise<this> {
    await this.client.start();
    // As editors do when they have set their breakpoints; tests set theirs before they launch.
    this.client.on('initialized', () => void this.client.configurationDoneRequest().catch(() => undefined));
    await this.client.initializeRequest();
    return this;
  }

  /** Body of the response. */
  async ask<T>(command: string, args: object = {}): Promise<T> {
    if (command === 'disconnect') this.#gone = true;
    return (await this.client.customRequest(command, args)).body as T;
  }

  /** The error of a request that has to fail. */
  async refusal(command: string, args: object = {}): Promise<Refused> {
    const failed = await this.client.customRequest(command, args).then(
      () => false,
      () => true,
    );
    if (!failed) throw new Error(`${command} was not refused`);
    const response = this.#messages.findLast(
      (message) => message.type === 'response' && (message as DebugProtocol.Response).command === command,
    ) as DebugProtocol.ErrorResponse | undefined;
    const error = response?.body.error;
    if (!error) throw new Error(`${command} failed without an error: ${JSON.stringify(response)}`);
    return { id: error.id, text: error.variables?.['text'] ?? '', showUser: error.showUser ?? false };
  }

  /** All events of this name so far. */
  events<B = Record<string, unknown>>(name: string): B[] {
    return this.#messages
      .filter((message) => message.type === 'event' && (message as DebugProtocol.Event).event === name)
      .map((message) => message.body as B);
  }

  /** Events in their order, without those that come whenever a status changes. */
  get story(): string[] {
    return this.#messages
      .filter((message) => message.type === 'event')
      .map((message) => (message as DebugProtocol.Event).event)
      .filter((name) => !['output', 'cairnSession', 'cairnTerminalData'].includes(name));
  }

  /** The next event of this name, or the first after `after` of them. */
  async event<B = Record<string, unknown>>(name: string, after = 0): Promise<B> {
    return waitFor(`event ${name}`, () => this.events<B>(name)[after]);
  }

  /** As when the editor crashes. */
  kill(): void {
    this.#gone = true;
    (this.client as unknown as { _adapterProcess: { kill(signal: string): void } })._adapterProcess.kill('SIGKILL');
  }

  /** Leaves the computation as it is. */
  async stop(): Promise<void> {
    if (!this.#gone) await this.client.stop();
  }
}
