/**
 * Commands on a live session: checkpoint, hold, resume, stop, cancel, terminal, attach. Each takes the element of a tree that it
 * was called on; called without one, the session is the current one.
 */
import * as vscode from 'vscode';
import type { CheckpointResult, SessionState } from '../../../debug-adapter/src/protocol/control.js';
import { formatBytes, formatDuration } from '../../../debug-adapter/src/protocol/format.js';
import { UserError } from '../platform/errors.js';
import type { CurrentSession } from '../session/current.js';
import type { DebugSessions } from '../session/debugSessions.js';
import type { LiveSession } from '../session/liveSession.js';
import type { LiveSessions } from '../session/liveSessions.js';
import type { Snapshots } from '../session/snapshots.js';
import type { Terminals } from '../session/terminals.js';
import { LOST, sessionOfNode } from '../views/nodes.js';
import type { SnapshotTreeView } from '../views/snapshotTree.js';
import { withLateProgress } from './progress.js';
import { revealPath } from './reveal.js';

const MESSAGE_MS = 6_000;
const STOP_GRACE_MS = 5_000;

export interface SessionParts {
  readonly sessions: LiveSessions;
  readonly current: CurrentSession;
  readonly debug: DebugSessions;
  readonly snapshots: Snapshots;
  readonly tree: SnapshotTreeView;
  readonly terminals: Terminals;
}

export class SessionCommands {
  readonly #parts: SessionParts;

  constructor(parts: SessionParts) {
    this.#parts = parts;
  }

  /** Command → what it does, for the composition root to register. */
  all(): Record<string, (node?: unknown) => Promise<void>> {
    return {
      'cairn.checkpoint': (node) => this.#checkpoint(node, 'resume'),
      'cairn.checkpointAs': (node) => this.#checkpointAs(node),
      'cairn.checkpointAndHold': (node) => this.#checkpoint(node, 'hold'),
      'cairn.checkpointAndStop': (node) => this.#checkpoint(node, 'kill'),
      'cairn.hold': (node) => this.#hold(node),
      'cairn.resume': (node) => this.#resume(node),
      'cairn.stop': (node) => this.#stop(node),
      'cairn.cancel': (node) => this.#cancel(node),
      'cairn.showTerminal': (node) => this.#showTerminal(node),
      'cairn.attach': (node) => this.#attach(node),
      'cairn.revealRun': (node) => this.#revealRun(node),
    };
  }

  async #session(node: unknown, title: string): Promise<LiveSession> {
    if (node === LOST) return this.#parts.current.choose(title);
    // Menus of the debug views give a debug session's id, which stands for the active one.
    const name = sessionOfNode(node);
    if (name === undefined) return this.#parts.current.pick(title);
    const session = this.#parts.sessions.find(name);
    if (!session) throw new UserError(`The session "${name}" has ended. Restart one of its snapshots.`);
    return session;
  }

  async #checkpoint(node: unknown, then: 'resume' | 'hold' | 'kill', name = ''): Promise<void> {
    const session = await this.#session(node, 'Checkpoint');
    await this.#take(session, then, name);
  }

  async #checkpointAs(node: unknown): Promise<void> {
    const session = await this.#session(node, 'Checkpoint As');
    const name = await vscode.window.showInputBox({
      title: `Checkpoint of ${session.name}`,
      prompt: 'Name of the snapshot',
      placeHolder: 'region of interest',
      validateInput: (text) => (text.length > 120 ? 'At most 120 characters' : undefined),
    });
    if (name !== undefined) await this.#take(session, 'resume', name.trim());
  }

  async #take(session: LiveSession, then: 'resume' | 'hold' | 'kill', name: string): Promise<void> {
    const { store } = session.status;
    const made = session.request('session/checkpoint', { name, then });
    const result = await withLateProgress(`Checkpoint of ${session.name}`, made, () =>
      session.request('session/cancel', { only: 'checkpoint' }),
    );
    vscode.window.setStatusBarMessage(summary(result), MESSAGE_MS);
    await this.#parts.snapshots.announce(store, result.path);
    await this.#parts.tree.reveal(result.path);
  }

  async #hold(node: unknown): Promise<void> {
    const session = await this.#session(node, 'Hold');
    await withLateProgress(`Holding ${session.name}`, session.request('session/hold', {}), () =>
      session.request('session/cancel', {}),
    );
  }

  async #resume(node: unknown): Promise<void> {
    const session = await this.#session(node, 'Resume');
    await withLateProgress(`Resuming ${session.name}`, session.request('session/resume', {}));
  }

  async #stop(node: unknown): Promise<void> {
    const session = await this.#session(node, 'Stop');
    await withLateProgress(`Stopping ${session.name}`, session.request('session/stop', { graceMs: STOP_GRACE_MS }));
  }

  async #cancel(node: unknown): Promise<void> {
    const session = await this.#session(node, 'Cancel');
    const busy: readonly SessionState[] = ['checkpointing', 'restarting'];
    if (!busy.includes(session.status.state))
      throw new UserError(`${session.name} is ${session.status.state}: there is nothing to cancel.`);
    await session.request('session/cancel', {});
  }

  async #showTerminal(node: unknown): Promise<void> {
    const name = sessionOfNode(node);
    if (name !== undefined && !this.#parts.sessions.find(name)) {
      if (this.#parts.terminals.showEnded(name)) return;
      throw new UserError(
        `${name} has ended, and its terminal was closed. For what it printed: cairn logs --output --session ${name}`,
      );
    }
    const session = await this.#session(node, 'Show Terminal');
    if (!session.status.terminal)
      throw new UserError(`${session.name} runs in the terminal where it was started; its output is there.`);
    this.#parts.terminals.show(session);
  }

  async #revealRun(node: unknown): Promise<void> {
    const name = sessionOfNode(node) ?? (await this.#session(node, 'Reveal Run Folder')).name;
    const folder = this.#parts.sessions.status(name)?.runFolder ?? null;
    if (folder === null) throw new UserError(`${name} writes its files in place: it has no run folder.`);
    await revealPath(folder);
  }

  async #attach(node: unknown): Promise<void> {
    const session = await this.#session(node, 'Attach');
    if (this.#parts.debug.isShown(session.name)) throw new UserError(`${session.name} is in the Run and Debug view already.`);
    await this.#parts.debug.attach(session);
  }
}

function summary({ bytes, pauseMs, totalMs }: CheckpointResult): string {
  return `$(device-camera) Snapshot made in ${formatDuration(totalMs)}: ${formatBytes(bytes)}, held for ${formatDuration(pauseMs)}`;
}
