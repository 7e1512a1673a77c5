/**
 * Context keys for menus, keys and welcome texts: cairn.live, cairn.state (of the session that commands would act on),
 * cairn.hasSnapshots.
 */
import * as vscode from 'vscode';
import type { CurrentSession } from './current.js';
import type { DebugSessions } from './debugSessions.js';
import type { LiveSessions } from './liveSessions.js';
import type { Snapshots } from './snapshots.js';

export function followContext(
  sessions: LiveSessions,
  snapshots: Snapshots,
  current: CurrentSession,
  debug: DebugSessions,
): vscode.Disposable {
  const known = new Map<string, unknown>();
  const set = (key: string, value: unknown): void => {
    if (known.get(key) === value) return;
    known.set(key, value);
    void vscode.commands.executeCommand('setContext', key, value);
  };
  const update = (): void => {
    set('cairn.live', sessions.all.length > 0);
    const { state = 'none', operation } = current.shown?.status ?? {};
    // At a breakpoint of a checkpoint or restart it is resumed as one that is held.
    set('cairn.state', (operation?.heldAt ?? '') === '' ? state : 'held');
    set(
      'cairn.hasSnapshots',
      snapshots.contents.some((content) => content.snapshots.length > 0),
    );
  };
  update();
  return vscode.Disposable.from(sessions.onDidChange(update), snapshots.onDidChange(update), debug.onDidChange(update));
}
