/**
 * Makes the `cairn` command work in the workbench's terminals: its folder on PATH, a runtime for it, and the store of the
 * terminal's workspace folder, so that command and editor speak of the same sessions and snapshots.
 */
import { delimiter } from 'node:path';
import * as vscode from 'vscode';
import { storeOf } from './stores.js';

export function provideCommand(context: vscode.ExtensionContext): vscode.Disposable {
  const { environmentVariableCollection: all } = context;
  const describe = () => {
    all.clear();
    all.persistent = false;
    all.description = 'Adds the `cairn` command';
    all.prepend('PATH', `${context.asAbsolutePath('bin')}${delimiter}`);
    all.replace('CAIRN_NODE', process.execPath);
    for (const workspaceFolder of vscode.workspace.workspaceFolders ?? []) {
      const scoped = all.getScoped({ workspaceFolder });
      scoped.clear();
      if (workspaceFolder.uri.scheme === 'file') scoped.replace('CAIRN_STORE', storeOf(workspaceFolder));
    }
  };
  describe();
  return vscode.Disposable.from(
    vscode.workspace.onDidChangeWorkspaceFolders(describe),
    vscode.workspace.onDidChangeConfiguration((event) => event.affectsConfiguration('cairn.store') && describe()),
  );
}
