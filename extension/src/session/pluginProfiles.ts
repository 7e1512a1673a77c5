/**
 * The profiles of plugins of a workspace folder: read from and written to its .vscode/cairn-plugins.json, where a user may edit them,
 * too, with comments.
 */
import { applyEdits, modify } from 'jsonc-parser';
import * as vscode from 'vscode';
import { CairnError } from '../../../debug-adapter/src/protocol/errors.js';
import {
  type PluginProfiles,
  PROFILES_FILE,
  type ProfilePlugin,
  parseProfiles,
  pluginsOfProfile,
} from '../../../debug-adapter/src/protocol/plugin-profiles.js';
import { describeRemote } from '../platform/errors.js';

const FORMAT = { insertSpaces: true, tabSize: 2, insertFinalNewline: true };

/** An edit: a new list, undefined to remove the profile. */
type Change = (profiles: PluginProfiles['profiles']) => readonly [name: string, plugins: readonly ProfilePlugin[] | undefined][];

export class ProfileStore implements vscode.Disposable {
  readonly #changed = new vscode.EventEmitter<void>();
  readonly onDidChange = this.#changed.event;
  readonly #subscription: vscode.Disposable;
  /** Edits follow one another. */
  #last: Promise<unknown> = Promise.resolve();

  constructor() {
    const watcher = vscode.workspace.createFileSystemWatcher(`**/${PROFILES_FILE}`);
    const changed = () => this.#changed.fire();
    this.#subscription = vscode.Disposable.from(
      watcher,
      watcher.onDidChange(changed),
      watcher.onDidCreate(changed),
      watcher.onDidDelete(changed),
      vscode.workspace.onDidChangeWorkspaceFolders(changed),
    );
  }

  async change(folder: vscode.WorkspaceFolder, edit: Change): Promise<void> {
    const done = this.#last.then(async () => {
      let text = await textOf(folder);
      for (const [name, plugins] of edit(profilesIn(text)))
        text = applyEdits(text, modify(text, ['profiles', name], plugins, { formattingOptions: FORMAT }));
      await vscode.workspace.fs.writeFile(fileOf(folder), Buffer.from(text));
      this.#changed.fire();
    });
    this.#last = done.catch(() => undefined);
    return done;
  }

  dispose(): void {
    this.#subscription.dispose();
    this.#changed.dispose();
  }
}

export function fileOf(folder: vscode.WorkspaceFolder): vscode.Uri {
  return vscode.Uri.joinPath(folder.uri, PROFILES_FILE);
}

/** Throws what the user has to correct in the file. */
export async function readProfiles(folder: vscode.WorkspaceFolder): Promise<PluginProfiles['profiles']> {
  return profilesIn(await textOf(folder));
}

async function textOf(folder: vscode.WorkspaceFolder): Promise<string> {
  try {
    return Buffer.from(await vscode.workspace.fs.readFile(fileOf(folder))).toString('utf8');
  } catch (error) {
    if (error instanceof vscode.FileSystemError && error.code === 'FileNotFound') return '{\n  "profiles": {}\n}\n';
    throw error;
  }
}

/** The plugins to load by a profile. Throws where there is none of that name. */
export async function profilePlugins(folder: vscode.WorkspaceFolder, name: string): Promise<ProfilePlugin[]> {
  const text = await textOf(folder);
  return toldHere(() => pluginsOfProfile(parseProfiles(text), name, folder.uri.fsPath));
}

/** What each profile loads. Throws what the user has to correct in the file. */
export async function loadedProfiles(folder: vscode.WorkspaceFolder | undefined): Promise<Record<string, ProfilePlugin[]>> {
  if (folder === undefined) return {};
  const profiles = await readProfiles(folder);
  return Object.fromEntries(Object.keys(profiles).map((name) => [name, pluginsOfProfile(profiles, name, folder.uri.fsPath)]));
}

function profilesIn(text: string): PluginProfiles['profiles'] {
  return toldHere(() => parseProfiles(text));
}

function toldHere<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw error instanceof CairnError ? describeRemote(error.message, error.data) : error;
  }
}
