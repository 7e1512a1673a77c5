/**
 * All live sessions that belong to this window: those whose store is one of its own, whoever started them. A session is in
 * `all` from the moment when its coordinator answered until its computation has ended.
 */
import * as vscode from 'vscode';
import { z } from 'zod';
import { SessionStatus } from '../../../debug-adapter/src/protocol/control.js';
import type { CairnCommand } from '../platform/cairnCommand.js';
import { messageOf } from '../platform/errors.js';
import { LiveSession } from './liveSession.js';
import type { RuntimeFolder } from './runtimeFolder.js';
import type { Stores } from './stores.js';

/** A socket file is seen a moment before its owner listens at it. */
const LISTEN_DEADLINE_MS = 3_000;
const LISTEN_POLL_MS = 20;

export class LiveSessions implements vscode.Disposable {
  readonly #stores: Stores;
  readonly #runtime: RuntimeFolder;
  readonly #cairn: CairnCommand;
  readonly #log: vscode.LogOutputChannel;
  readonly #sessions = new Map<string, LiveSession>();
  /** Sessions that have ended and whose name was not used again, as far as they are known of. */
  readonly #ended = new Map<string, SessionStatus>();
  readonly #joining = new Map<string, Promise<LiveSession | undefined>>();
  readonly #added = new vscode.EventEmitter<LiveSession>();
  readonly #changed = new vscode.EventEmitter<LiveSession | undefined>();
  readonly #snapshot = new vscode.EventEmitter<{ store: string; folder: string }>();
  readonly onDidAdd = this.#added.event;
  /** Status of a session, or (undefined) which sessions there are. */
  readonly onDidChange = this.#changed.event;
  readonly onDidSnapshot = this.#snapshot.event;
  readonly #subscription: vscode.Disposable;

  constructor(stores: Stores, runtime: RuntimeFolder, cairn: CairnCommand, log: vscode.LogOutputChannel) {
    this.#stores = stores;
    this.#runtime = runtime;
    this.#cairn = cairn;
    this.#log = log;
    this.#subscription = runtime.onDidAppear((name) => void this.#discover(name, LISTEN_DEADLINE_MS));
  }

  /** By the time when they began. */
  get all(): readonly LiveSession[] {
    const live = [...this.#sessions.values()].filter((session) => !session.exited);
    return live.sort((a, b) => (a.status.startedAt < b.status.startedAt ? -1 : 1));
  }

  get ended(): readonly SessionStatus[] {
    return [...this.#ended.values()];
  }

  /** Of a live session, or of one that has ended. */
  status(name: string): SessionStatus | undefined {
    return this.find(name)?.status ?? this.#ended.get(name);
  }

  find(name: string): LiveSession | undefined {
    const session = this.#sessions.get(name);
    return session?.exited ? undefined : session;
  }

  /** Finds what lives already. Computations whose coordinator died get a new one. */
  async scan(): Promise<void> {
    const names = await this.#runtime.names();
    const joined = await Promise.all(names.map((name) => this.#discover(name, 0)));
    const others = names.filter((_, index) => !joined[index]);
    const records = (await Promise.all(others.map((name) => this.#runtime.record(name)))).filter(
      (record) => record !== undefined,
    );
    const own = records.filter(({ store }) => this.#stores.includes(store));
    for (const record of own) if (record.state === 'exited') this.#ended.set(record.session, record);
    if (own.length > 0) this.#changed.fire(undefined);
    if (own.every(({ state }) => state === 'exited')) return;
    const known = await this.#cairn.json(z.array(SessionStatus), ['status', '--all']);
    const orphans = known.filter(
      ({ session, state, store }) => state !== 'exited' && this.#stores.includes(store) && others.includes(session),
    );
    await Promise.all(orphans.map(({ session }) => this.#revive(session)));
  }

  /** Joins a session that is known to live, whatever its store, which then becomes one of this window's. */
  async follow(name: string, store: string): Promise<LiveSession | undefined> {
    await this.#stores.add(store);
    return this.#discover(name, LISTEN_DEADLINE_MS);
  }

  #discover(name: string, patienceMs: number): Promise<LiveSession | undefined> {
    const known = this.#sessions.get(name);
    if (known?.connected && !known.exited) return Promise.resolve(known);
    let joining = this.#joining.get(name);
    if (!joining) {
      joining = this.#join(name, patienceMs).finally(() => this.#joining.delete(name));
      this.#joining.set(name, joining);
    }
    return joining;
  }

  async #join(name: string, patienceMs: number): Promise<LiveSession | undefined> {
    const deadline = Date.now() + patienceMs;
    let failed = '';
    for (;;) {
      const record = await this.#runtime.record(name);
      if (record && !this.#stores.includes(record.store)) return undefined;
      const session =
        record &&
        (await LiveSession.join(this.#runtime.socket(name)).catch((error: unknown) => {
          failed = messageOf(error);
        }));
      if (session) return this.#adopt(session);
      if (Date.now() >= deadline) {
        if (failed !== '') this.#log.debug(`Session ${name} does not answer: ${failed}`);
        return undefined;
      }
      await new Promise((resolve) => setTimeout(resolve, LISTEN_POLL_MS));
    }
  }

  /** One that has ended already is still worth its terminal. */
  #adopt(session: LiveSession): LiveSession {
    this.#sessions.get(session.name)?.dispose();
    this.#ended.delete(session.name);
    this.#sessions.set(session.name, session);
    this.#log.info(`Session ${session.name} joined (${session.status.state})`);
    session.onDidChange(() => {
      if (session.exited) this.#ended.set(session.name, session.status);
      this.#changed.fire(session);
    });
    session.onDidSnapshot(({ path }) => this.#snapshot.fire({ store: session.status.store, folder: path }));
    session.onDidClose(() => void this.#closed(session));
    this.#added.fire(session);
    this.#changed.fire(undefined);
    session.leaveWhenOver();
    return session;
  }

  async #closed(session: LiveSession): Promise<void> {
    if (this.#sessions.get(session.name) !== session) return;
    this.#sessions.delete(session.name);
    this.#changed.fire(undefined);
    const { exited, name } = session;
    session.dispose();
    if (exited) return;
    this.#log.warn(`The coordinator of session ${name} went away`);
    await this.#revive(name);
  }

  /** Asking by the command starts a coordinator again where the computation still lives. */
  async #revive(name: string): Promise<void> {
    try {
      await this.#cairn.json(SessionStatus, ['status', '--session', name]);
      await this.#discover(name, LISTEN_DEADLINE_MS);
    } catch (error) {
      this.#log.warn(`Session ${name} is over: ${messageOf(error)}`);
    }
  }

  dispose(): void {
    this.#subscription.dispose();
    for (const session of this.#sessions.values()) session.dispose();
    for (const emitter of [this.#added, this.#changed, this.#snapshot]) emitter.dispose();
  }
}
