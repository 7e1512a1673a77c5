/**
 * The Barriers view: the phases of the checkpoint or restart in progress, or of the last one, of the session that is shown.
 */
import { basename } from 'node:path';
import * as vscode from 'vscode';
import type { BarriersModel } from '../../../debug-adapter/src/protocol/panels.js';
import type { CurrentSession } from '../session/current.js';
import type { DebugSessions } from '../session/debugSessions.js';
import type { LiveSessions } from '../session/liveSessions.js';
import type { PanelHost } from './panelHost.js';

export class BarriersPanel implements vscode.Disposable {
  readonly #host: PanelHost;
  readonly #current: CurrentSession;
  readonly #subscription: vscode.Disposable;

  constructor(host: PanelHost, current: CurrentSession, sessions: LiveSessions, debug: DebugSessions) {
    this.#host = host;
    this.#current = current;
    const update = () => this.#update();
    this.#subscription = vscode.Disposable.from(
      sessions.onDidChange(update),
      debug.onDidChange(update),
      host.onDidShow(update),
      host.onDidReceive(({ type }) => {
        if (type === 'cancel') void vscode.commands.executeCommand('cairn.cancel');
      }),
    );
  }

  #update(): void {
    const status = this.#current.shown?.status;
    const processes = (status?.processes ?? []).map(({ virtualPid, executable }) => ({ virtualPid, name: basename(executable) }));
    const model: BarriersModel = {
      panel: 'barriers',
      session: status?.session ?? null,
      state: status?.state ?? null,
      operation: status?.operation ?? null,
      processes,
    };
    this.#host.post(model);
  }

  dispose(): void {
    this.#subscription.dispose();
  }
}
