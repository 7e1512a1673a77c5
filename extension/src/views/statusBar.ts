/**
 * The status bar item: the session that commands would act on, and its state; a click makes a checkpoint.
 */
import * as vscode from 'vscode';
import type { CurrentSession } from '../session/current.js';
import type { DebugSessions } from '../session/debugSessions.js';
import type { LiveSessions } from '../session/liveSessions.js';
import { operationLine } from './phases.js';
import { stateLabel } from './snapshotItems.js';

export class StatusBar implements vscode.Disposable {
  readonly #item = vscode.window.createStatusBarItem('cairn.status', vscode.StatusBarAlignment.Left, 50);
  readonly #current: CurrentSession;
  readonly #subscriptions: vscode.Disposable[];

  constructor(current: CurrentSession, sessions: LiveSessions, debug: DebugSessions) {
    this.#current = current;
    this.#item.name = 'Cairn';
    const update = () => this.#update();
    this.#subscriptions = [this.#item, sessions.onDidChange(update), debug.onDidChange(update)];
    this.#update();
  }

  #update(): void {
    const status = this.#current.shown?.status;
    if (!status) {
      this.#item.hide();
      return;
    }
    const busy = status.state === 'checkpointing' || status.state === 'restarting' || status.state === 'starting';
    const icon = busy ? 'sync~spin' : status.state === 'held' ? 'debug-pause' : 'device-camera';
    this.#item.text = `$(${icon}) ${status.session}: ${stateLabel(status.state)}`;
    this.#item.command = busy ? 'cairn.showBarriers' : 'cairn.checkpoint';
    const last = status.operation ? `\n${operationLine(status.operation)}` : '';
    this.#item.tooltip = `${busy ? 'Show the barriers' : 'Checkpoint'} (session ${status.session} is ${status.state})${last}`;
    this.#item.accessibilityInformation = {
      label: `Cairn: ${status.session} is ${status.state}. ${busy ? 'Show the barriers' : 'Checkpoint'}`,
      role: 'button',
    };
    this.#item.show();
  }

  dispose(): void {
    for (const subscription of this.#subscriptions) subscription.dispose();
  }
}
