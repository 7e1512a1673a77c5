/**
 * Terminals of computations: what a session's own pseudo-terminal printed and prints, and the way of the keyboard to it. The
 * terminal is a view: closing it ends nothing, and it is filled from the coordinator's scrollback when it opens.
 */
import * as vscode from 'vscode';
import { messageOf } from '../platform/errors.js';
import type { LiveSession } from './liveSession.js';
import type { LiveSessions } from './liveSessions.js';

type Reveal = 'always' | 'onStart' | 'never';

export class Terminals implements vscode.Disposable {
  readonly #log: vscode.LogOutputChannel;
  readonly #terminals = new Map<LiveSession, vscode.Terminal>();
  readonly #subscriptions: vscode.Disposable[];
  /** Sessions found while this is true were there before this window. */
  rejoining = true;

  constructor(sessions: LiveSessions, log: vscode.LogOutputChannel) {
    this.#log = log;
    this.#subscriptions = [
      sessions.onDidAdd((session) => this.#found(session)),
      vscode.window.onDidCloseTerminal((closed) => {
        for (const [session, terminal] of this.#terminals) if (terminal === closed) this.#terminals.delete(session);
      }),
    ];
  }

  /** Shows the terminal of a session, made again if the user closed it. */
  show(session: LiveSession, preserveFocus = false): void {
    this.#terminal(session).show(preserveFocus);
  }

  /** false: it was closed, and what it showed is gone. */
  showEnded(name: string): boolean {
    const terminal = [...this.#terminals].findLast(([session]) => session.name === name)?.[1];
    terminal?.show();
    return terminal !== undefined;
  }

  /** A session may be found before its program was started, and its terminal with it. */
  #found(session: LiveSession): void {
    const { rejoining } = this;
    const wait = session.onDidChange(() => this.#appeared(session, rejoining) && wait.dispose());
    if (this.#appeared(session, rejoining)) wait.dispose();
  }

  #appeared(session: LiveSession, rejoining: boolean): boolean {
    if (!session.status.terminal) return false;
    const terminal = this.#terminal(session);
    const reveal = vscode.workspace.getConfiguration('cairn').get<Reveal>('terminal.reveal', 'always');
    if (reveal === 'always' || (reveal === 'onStart' && !rejoining)) terminal.show(true);
    return true;
  }

  #terminal(session: LiveSession): vscode.Terminal {
    let terminal = this.#terminals.get(session);
    if (!terminal) {
      terminal = vscode.window.createTerminal({
        name: session.name,
        iconPath: new vscode.ThemeIcon('circuit-board'),
        pty: new SessionTerminal(session, this.#log),
        isTransient: true,
      });
      this.#terminals.set(session, terminal);
    }
    return terminal;
  }

  dispose(): void {
    for (const subscription of this.#subscriptions) subscription.dispose();
    for (const terminal of this.#terminals.values()) terminal.dispose();
  }
}

class SessionTerminal implements vscode.Pseudoterminal {
  readonly #session: LiveSession;
  readonly #log: vscode.LogOutputChannel;
  readonly #write = new vscode.EventEmitter<string>();
  readonly #close = new vscode.EventEmitter<void>();
  readonly onDidWrite = this.#write.event;
  readonly onDidClose = this.#close.event;
  readonly #subscriptions: vscode.Disposable[];
  #filled = false;
  #over = false;

  constructor(session: LiveSession, log: vscode.LogOutputChannel) {
    this.#session = session;
    this.#log = log;
    this.#subscriptions = [session.keep()];
  }

  open(dimensions: vscode.TerminalDimensions | undefined): void {
    // Subscribed before the scrollback is asked for: the coordinator sends data only after it has answered.
    this.#subscriptions.push(
      this.#session.onDidPrint((data) => this.#write.fire(data)),
      this.#session.onDidChange(() => this.#checkEnd()),
      this.#session.onDidClose(() => this.#checkEnd()),
    );
    if (dimensions) this.setDimensions(dimensions);
    void this.#fill();
  }

  async #fill(): Promise<void> {
    try {
      const { scrollback } = await this.#session.request('terminal/open', {});
      this.#write.fire(scrollback);
    } catch (error) {
      this.#note(`The terminal of ${this.#session.name} cannot be shown: ${messageOf(error)}`);
    }
    this.#filled = true;
    this.#checkEnd();
  }

  handleInput(data: string): void {
    if (this.#over) this.#close.fire();
    else this.#logFailure('input', this.#session.request('terminal/input', { data }));
  }

  setDimensions({ columns, rows }: vscode.TerminalDimensions): void {
    if (!this.#over) this.#logFailure('resize', this.#session.request('terminal/resize', { columns, rows }));
  }

  close(): void {
    for (const subscription of this.#subscriptions) subscription.dispose();
  }

  #logFailure(what: string, done: Promise<unknown>): void {
    done.catch((error: unknown) => this.#log.warn(`${what} of session ${this.#session.name}: ${messageOf(error)}`));
  }

  /** The text stays, as that of any other terminal's ended program does. What was printed comes before the end is told. */
  #checkEnd(): void {
    const { exited, connected, name, status } = this.#session;
    if (this.#over || !this.#filled || (!exited && connected)) return;
    this.#over = true;
    const how = exited
      ? `ended${status.exitStatus === null ? '' : ` with status ${status.exitStatus}`}`
      : 'can no longer be reached';
    this.#note(`${name} ${how}. Press any key to close this terminal.`);
    this.close();
  }

  #note(text: string): void {
    this.#write.fire(`\r\n\x1b[2m${text}\x1b[0m\r\n`);
  }
}
