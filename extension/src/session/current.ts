/**
 * Which live session a command means that was given none: the one of the active debug session, else the only one, else the one
 * that the user picks.
 */
import * as vscode from 'vscode';
import { UserError } from '../platform/errors.js';
import { formatCommandLine } from '../views/format.js';
import type { DebugSessions } from './debugSessions.js';
import type { LiveSession } from './liveSession.js';
import type { LiveSessions } from './liveSessions.js';

export class CurrentSession {
  readonly #sessions: LiveSessions;
  readonly #debug: DebugSessions;

  constructor(sessions: LiveSessions, debug: DebugSessions) {
    this.#sessions = sessions;
    this.#debug = debug;
  }

  /** For views: never asks. With several and none active, the newest. */
  get shown(): LiveSession | undefined {
    const { active } = this.#debug;
    return (active === undefined ? undefined : this.#sessions.find(active)) ?? this.#sessions.all.at(-1);
  }

  /** For commands. Throws where there is none, or the user picked none. */
  async pick(title: string): Promise<LiveSession> {
    const { active } = this.#debug;
    const shown = active === undefined ? undefined : this.#sessions.find(active);
    return shown ?? this.choose(title);
  }

  /** The only one, else the one that the user picks, whichever is active. */
  async choose(title: string): Promise<LiveSession> {
    const all = this.#sessions.all;
    const [only] = all;
    if (!only) throw new UserError('No simulation is running under Cairn. Start one with F5, or restart a snapshot.');
    if (all.length === 1) return only;
    const items = all.map((session) => ({
      label: session.name,
      description: session.status.state,
      detail: formatCommandLine(session.status.argv),
      session,
    }));
    const picked = await vscode.window.showQuickPick(items, { title, placeHolder: 'Session' });
    if (!picked) throw new vscode.CancellationError();
    return picked.session;
  }
}
