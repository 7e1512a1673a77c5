/**
 * The page of a webview, from dist/webview: with a content security policy that lets only its own script and styles in.
 */
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import * as vscode from 'vscode';
import type { ToPanel } from '../../../debug-adapter/src/protocol/panels.js';

export const webviewFolder = ({ extensionUri }: vscode.ExtensionContext): vscode.Uri =>
  vscode.Uri.joinPath(extensionUri, 'dist', 'webview');

export async function webviewPage(
  webview: vscode.Webview,
  folder: vscode.Uri,
  name: ToPanel['panel'],
  title: string,
): Promise<string> {
  const resource = (file: string): string => webview.asWebviewUri(vscode.Uri.joinPath(folder, file)).toString();
  const values: Record<string, string> = {
    title: title.replace(/[&<>"]/g, ''),
    cspSource: webview.cspSource,
    nonce: randomBytes(16).toString('base64'),
    script: resource(`${name}.js`),
    style: resource(`${name}.css`),
    codicons: resource('codicon.css'),
  };
  const template = await readFile(vscode.Uri.joinPath(folder, 'panel.html').fsPath, 'utf8');
  return template.replace(/\{\{(\w+)\}\}/g, (_, key: string) => values[key] ?? '');
}
