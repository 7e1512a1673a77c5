/**
 * The stores of this window: one a workspace folder (setting `cairn.store`), and those that launch configurations named, which
 * are remembered for the workspace.
 */
import { realpathSync } from 'node:fs';
import { isAbsolute, join, normalize } from 'node:path';
import * as vscode from 'vscode';
import { type FolderPlace, folderAround, folderOfRun } from './folders.js';

const REMEMBERED = 'cairn.stores';

export class Stores implements vscode.Disposable {
  readonly #memory: vscode.Memento;
  readonly #changed = new vscode.EventEmitter<void>();
  readonly onDidChange = this.#changed.event;
  readonly #subscriptions: vscode.Disposable[];

  constructor(memory: vscode.Memento) {
    this.#memory = memory;
    this.#subscriptions = [
      vscode.workspace.onDidChangeWorkspaceFolders(() => this.#changed.fire()),
      vscode.workspace.onDidChangeConfiguration((event) => {
        if (event.affectsConfiguration('cairn.store')) this.#changed.fire();
      }),
    ];
  }

  /** Absolute paths, each once; those of the workspace folders first. */
  get all(): readonly string[] {
    const own = localFolders().map(storeOf);
    return [...new Set([...own, ...this.#memory.get<string[]>(REMEMBERED, [])])];
  }

  includes(store: string): boolean {
    return this.#find(store) !== undefined;
  }

  /** The path by which a store is known here, whichever way to it was given. */
  known(store: string): string {
    return this.#find(store) ?? store;
  }

  #find(store: string): string | undefined {
    const wanted = canonical(store);
    return this.all.find((one) => canonical(one) === wanted);
  }

  async add(store: string): Promise<void> {
    if (this.includes(store)) return;
    await this.#memory.update(REMEMBERED, [...this.#memory.get<string[]>(REMEMBERED, []), normalize(store)]);
    this.#changed.fire();
  }

  dispose(): void {
    for (const subscription of this.#subscriptions) subscription.dispose();
    this.#changed.dispose();
  }
}

/** The same for two ways to one folder, where it exists. */
export function canonical(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return normalize(path);
  }
}

/** Store of a workspace folder, by its setting. */
export function storeOf(folder: vscode.WorkspaceFolder): string {
  const setting = vscode.workspace.getConfiguration('cairn', folder).get<string>('store', '').trim() || '.cairn';
  return normalize(isAbsolute(setting) ? setting : join(folder.uri.fsPath, setting));
}

/** Those on this machine. */
export function localFolders(): vscode.WorkspaceFolder[] {
  return (vscode.workspace.workspaceFolders ?? []).filter(({ uri }) => uri.scheme === 'file');
}

function places(): (FolderPlace & { folder: vscode.WorkspaceFolder })[] {
  return localFolders().map((folder) => ({
    folder,
    path: canonical(folder.uri.fsPath),
    store: canonical(storeOf(folder)),
  }));
}

/** The folder whose store it is; undefined: none of this window's. `cwd`: of a run in that store, by which one of several is known. */
export function folderOf(store: string, cwd = ''): vscode.WorkspaceFolder | undefined {
  return folderOfRun(places(), { store: canonical(store), cwd: cwd === '' ? '' : canonical(cwd) })?.folder;
}

/** The only folder whose store it is, by its setting. */
export function ownerOf(store: string): vscode.WorkspaceFolder | undefined {
  const own = places().filter((one) => one.store === canonical(store));
  return own.length === 1 ? own[0]?.folder : undefined;
}

/** The folder that has `path` in it. */
export function folderWith(path: string): vscode.WorkspaceFolder | undefined {
  return folderAround(places(), canonical(path))?.folder;
}
