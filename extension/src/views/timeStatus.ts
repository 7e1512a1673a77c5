/**
 * The status bar item of the simulated time: where the simulation is held, or was when it was last looked at. It is not asked while it runs, since
 * that would keep it from its work; a click asks.
 */
import * as vscode from 'vscode';
import { formatSimulatedTime, formatSimulatedTimeBriefly } from '../../../debug-adapter/src/protocol/format.js';
import type { SimulatedTime } from '../../../debug-adapter/src/protocol/snapshot.js';
import { messageOf } from '../platform/errors.js';
import type { CurrentSession } from '../session/current.js';
import type { DebugSessions } from '../session/debugSessions.js';
import type { LiveSession } from '../session/liveSession.js';
import type { LiveSessions } from '../session/liveSessions.js';

interface Known {
  /** undefined: not known yet, or it is no simulation. */
  time?: SimulatedTime;
  /** Of the hold that was looked at. */
  operation?: number;
}

export class TimeStatus implements vscode.Disposable {
  readonly #item = vscode.window.createStatusBarItem('cairn.time', vscode.StatusBarAlignment.Left, 49);
  readonly #current: CurrentSession;
  readonly #log: vscode.LogOutputChannel;
  readonly #known = new WeakMap<LiveSession, Known>();
  readonly #subscriptions: vscode.Disposable[];

  constructor(current: CurrentSession, sessions: LiveSessions, debug: DebugSessions, log: vscode.LogOutputChannel) {
    this.#current = current;
    this.#log = log;
    this.#item.name = 'Cairn: Simulated Time';
    this.#item.command = 'cairn.readTime';
    const update = (): void => this.#update();
    this.#subscriptions = [
      this.#item,
      sessions.onDidChange(update),
      debug.onDidChange(update),
      vscode.commands.registerCommand('cairn.readTime', () => this.#ask(this.#current.shown, true)),
    ];
    update();
  }

  #update(): void {
    const session = this.#current.shown;
    const { status } = session ?? {};
    if (session && status?.state === 'held' && status.operation?.finished !== false) {
      const known = this.#of(session);
      const operation = status.operation?.id ?? 0;
      if (known.operation !== operation) {
        known.operation = operation;
        void this.#ask(session, false);
      }
    }
    this.#show(session);
  }

  #of(session: LiveSession): Known {
    const known = this.#known.get(session) ?? {};
    this.#known.set(session, known);
    return known;
  }

  async #ask(session: LiveSession | undefined, byUser: boolean): Promise<void> {
    if (!session) return;
    try {
      this.#of(session).time = (await session.request('session/scope', { limit: 1 })).time;
    } catch (error) {
      if (byUser) void vscode.window.showInformationMessage(messageOf(error));
      else this.#log.debug(`simulated time: ${messageOf(error)}`);
    }
    this.#show(this.#current.shown);
  }

  #show(session: LiveSession | undefined): void {
    const time = session && this.#known.get(session)?.time;
    if (!session || session.exited || time === undefined) {
      this.#item.hide();
      return;
    }
    const held = session.status.state === 'held';
    const exact = formatSimulatedTime(time);
    this.#item.text = `$(watch) ${held ? '' : '> '}${formatSimulatedTimeBriefly(time)}`;
    const { heldBy } = session.status;
    const why = heldBy === null ? '' : `\n${[heldBy.what, heldBy.why].filter((part) => part !== '').join(': ')}`;
    this.#item.tooltip = held
      ? `Simulated time of ${session.name}: ${exact}${why}`
      : `${session.name} runs, and was at ${exact}. Look again`;
    this.#item.accessibilityInformation = {
      label: held ? `Simulated time ${exact}` : `Simulated time was ${exact}. Look again`,
      role: 'button',
    };
    this.#item.show();
  }

  dispose(): void {
    for (const subscription of this.#subscriptions) subscription.dispose();
  }
}
