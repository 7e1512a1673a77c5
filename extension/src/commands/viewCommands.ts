/**
 * Commands that only show or choose something: for launch configurations (`${command:…}`), and for other views.
 */
import * as vscode from 'vscode';
import type { CurrentSession } from '../session/current.js';
import type { Snapshots } from '../session/snapshots.js';
import { snapshotDescription, snapshotLabel } from '../views/format.js';

export function registerViewCommands(current: CurrentSession, snapshots: Snapshots): vscode.Disposable {
  const focus = (view: string) => () => vscode.commands.executeCommand(`${view}.focus`);
  return vscode.Disposable.from(
    vscode.commands.registerCommand('cairn.showBarriers', focus('cairn.barriers')),
    vscode.commands.registerCommand('cairn.showNames', focus('cairn.names')),
    vscode.commands.registerCommand('cairn.showPlugins', focus('cairn.plugins')),
    vscode.commands.registerCommand('cairn.showSnapshots', focus('cairn.snapshots')),
    vscode.commands.registerCommand('cairn.pickSession', async () => {
      try {
        return (await current.pick('Session to attach to')).name;
      } catch (error) {
        if (!(error instanceof vscode.CancellationError)) throw error;
        return undefined;
      }
    }),
    vscode.commands.registerCommand('cairn.pickSnapshot', async () => {
      const items = snapshots.contents
        .flatMap((content) => content.snapshots)
        .filter(({ problem }) => problem === '')
        .map((snapshot) => ({
          label: snapshotLabel(snapshot),
          description: `${snapshot.session} · ${snapshotDescription(snapshot)}`,
          path: snapshot.path,
        }))
        .reverse();
      return (await vscode.window.showQuickPick(items, { placeHolder: 'Snapshot to restart' }))?.path;
    }),
  );
}
