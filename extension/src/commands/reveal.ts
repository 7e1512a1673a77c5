/**
 * Shows a folder: in the explorer of the workbench where it is part of the workspace, else as the system can.
 */
import * as vscode from 'vscode';

export async function revealPath(path: string): Promise<void> {
  const uri = vscode.Uri.file(path);
  if (vscode.workspace.getWorkspaceFolder(uri)) {
    await vscode.commands.executeCommand('revealInExplorer', uri);
  } else if (vscode.env.uiKind === vscode.UIKind.Desktop && vscode.env.remoteName === undefined) {
    await vscode.commands.executeCommand('revealFileInOS', uri);
  } else {
    await vscode.env.clipboard.writeText(path);
    void vscode.window.showInformationMessage(`${path} (copied)`);
  }
}
