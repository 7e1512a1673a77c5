/**
 * Which debug session shows which live session. The adapter tells by its event `cairnSession`. Joins live sessions by an attach
 * session when the window opens, so that a reload changes nothing; those that the user disconnected are left alone.
 */
import * as vscode from 'vscode';
import { SessionSummary } from '../../../debug-adapter/src/protocol/debug.js';
import type { LiveSession } from './liveSession.js';
import type { LiveSessions } from './liveSessions.js';
import { folderOf } from './stores.js';

const LEFT = 'cairn.disconnected';

export class DebugSessions implements vscode.Disposable {
  readonly #sessions: LiveSessions;
  readonly #memory: vscode.Memento;
  readonly #names = new Map<string, string>();
  /** Debug sessions whose computation was to go on when the user took the editor off it. */
  readonly #disconnected = new Set<string>();
  readonly #changed = new vscode.EventEmitter<void>();
  /** The session that the active debug session shows may be another one now. */
  readonly onDidChange = this.#changed.event;
  readonly #subscriptions: vscode.Disposable[];

  constructor(sessions: LiveSessions, memory: vscode.Memento) {
    this.#sessions = sessions;
    this.#memory = memory;
    this.#subscriptions = [
      vscode.debug.onDidReceiveDebugSessionCustomEvent((event) => void this.#received(event)),
      vscode.debug.onDidTerminateDebugSession((session) => void this.#terminated(session)),
      vscode.debug.onDidChangeActiveDebugSession(() => this.#changed.fire()),
      vscode.debug.onDidChangeActiveStackItem((item) => void showFrame(item)),
      vscode.debug.registerDebugAdapterTrackerFactory('cairn', {
        createDebugAdapterTracker: ({ id }) => ({ onWillReceiveMessage: (message) => this.#asked(id, message) }),
      }),
    ];
  }

  /** Name of the session that the active debug session shows. */
  get active(): string | undefined {
    const session = vscode.debug.activeDebugSession;
    return session && this.#names.get(session.id);
  }

  nameOf(session: vscode.DebugSession): string | undefined {
    return this.#names.get(session.id);
  }

  isShown(name: string): boolean {
    return [...this.#names.values()].includes(name);
  }

  /** Joins what lives and was not left on purpose. Sessions in somebody's own terminal are not ours to take over. */
  async rejoin(): Promise<void> {
    const left = this.#memory.get<string[]>(LEFT, []);
    await this.#memory.update(
      LEFT,
      left.filter((key) => this.#sessions.all.some((session) => keyOf(session) === key)),
    );
    if (!vscode.workspace.getConfiguration('cairn').get<boolean>('rejoin', true)) return;
    const wanted = this.#sessions.all.filter(
      (session) => session.status.terminal && !left.includes(keyOf(session)) && !this.isShown(session.name),
    );
    for (const session of wanted) await this.attach(session, true);
  }

  attach(session: LiveSession, quietly = false): Thenable<boolean> {
    const { name } = session;
    const configuration = { type: 'cairn', request: 'attach', name, session: name };
    return vscode.debug.startDebugging(folderOf(session.status.store), configuration, { suppressDebugView: quietly });
  }

  async #received({ event, body, session }: vscode.DebugSessionCustomEvent): Promise<void> {
    if (session.type !== 'cairn' || event !== 'cairnSession') return;
    const status = SessionSummary.parse(body);
    const known = this.#names.get(session.id) === status.session;
    this.#names.set(session.id, status.session);
    if (known) return;
    // Several restarts of one snapshot can be told apart by the sessions that they are.
    if (session.configuration['snapshot'] !== undefined) session.name = status.session;
    const live = await this.#sessions.follow(status.session, status.store);
    if (live) await this.#setLeft(live, false);
    this.#changed.fire();
  }

  /** Closing or reloading a window ends debug sessions too, but does not ask like this. */
  #asked(id: string, message: { command?: string; arguments?: { terminateDebuggee?: boolean } }): void {
    if (message.command === 'disconnect' && message.arguments?.terminateDebuggee === false) this.#disconnected.add(id);
  }

  async #terminated(session: vscode.DebugSession): Promise<void> {
    const name = this.#names.get(session.id);
    this.#names.delete(session.id);
    const live = name === undefined ? undefined : this.#sessions.find(name);
    if (live && this.#disconnected.delete(session.id)) await this.#setLeft(live, true);
    this.#changed.fire();
  }

  async #setLeft(session: LiveSession, left: boolean): Promise<void> {
    const others = this.#memory.get<string[]>(LEFT, []).filter((key) => key !== keyOf(session));
    await this.#memory.update(LEFT, left ? [...others, keyOf(session)] : others);
  }

  dispose(): void {
    for (const subscription of this.#subscriptions) subscription.dispose();
    this.#changed.dispose();
  }
}

/** VS Code by itself goes to frames with source code only; ours have none, and their scopes are what is worth seeing. */
async function showFrame(item: vscode.DebugThread | vscode.DebugStackFrame | undefined): Promise<void> {
  if (item instanceof vscode.DebugThread && item.session.type === 'cairn')
    await vscode.commands.executeCommand('workbench.action.debug.callStackBottom');
}

/** A name may be used again by a later session. */
function keyOf(session: LiveSession): string {
  return `${session.name} ${session.status.startedAt}`;
}
