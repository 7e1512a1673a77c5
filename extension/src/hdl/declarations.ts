/**
 * Where a signal of the design is declared in the workspace's sources. Pure but for the reading of them: the rest is in sources.ts.
 */
import * as vscode from 'vscode';
import { declarationOf, modulesOf, modulesOfScopes } from './sources.js';

const SOURCES = '**/*.{v,vh,sv,svh}';
const MOST_SOURCES = 2000;

/** undefined: no source has it. */
export async function declarationIn(
  folder: vscode.WorkspaceFolder | undefined,
  name: string,
): Promise<vscode.Location | undefined> {
  const pattern = folder === undefined ? SOURCES : new vscode.RelativePattern(folder, SOURCES);
  const files = await vscode.workspace.findFiles(pattern, undefined, MOST_SOURCES);
  const texts = await Promise.all(files.map(async (file) => new TextDecoder().decode(await vscode.workspace.fs.readFile(file))));
  const parts = name.replace(/\[\d+\]$/, '').split('.');
  const signal = parts.pop() ?? '';
  const scopes = parts.map((_, index) => parts.slice(0, index + 1).join('.'));
  const modules = modulesOfScopes(scopes, modulesOf(texts));
  // A generate block is no module: what is in it is declared in the module around.
  const around = scopes.reverse().find((scope) => modules.has(scope));
  const module = around === undefined ? undefined : modules.get(around);
  if (module === undefined) return undefined;
  for (const [index, text] of texts.entries()) {
    const offset = declarationOf(text, module, signal);
    const file = files[index];
    if (offset === undefined || file === undefined) continue;
    const before = text.slice(0, offset).split('\n');
    const place = new vscode.Position(before.length - 1, before.at(-1)?.length ?? 0);
    return new vscode.Location(file, new vscode.Range(place, place.translate(0, signal.length)));
  }
  return undefined;
}
