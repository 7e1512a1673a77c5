/**
 * The profiles of plugins of a workspace folder: read from and written to its .vscode/cairn-plugins.json, where a user may edit them,
 * too, with comments.
 */
import { isAbsolute, join } from 'node:path';
import { applyEdits, modify, type ParseError, parse, printParseErrorCode } from 'jsonc-parser';
import * as vscode from 'vscode';
import { PluginProfiles, PROFILES_FILE, type ProfilePlugin } from '../../../debug-adapter/src/protocol/plugin-profiles.js';
import { UserError } from '../platform/errors.js';

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

  /** The one whose profiles are shown. */
  get folder(): vscode.WorkspaceFolder | undefined {
    return vscode.workspace.workspaceFolders?.find(({ uri }) => uri.scheme === 'file');
  }

  async change(folder: vscode.WorkspaceFolder, edit: Change): Promise<void> {
    const done = this.#last.then(async () => {
      let text = await textOf(folder);
      for (const [name, plugins] of edit(profilesIn(text).profiles))
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

/** Absolute. */
export function libraryPath(folder: vscode.WorkspaceFolder, library: string): string {
  const named = library.replaceAll('${workspaceFolder}', folder.uri.fsPath);
  return isAbsolute(named) ? named : join(folder.uri.fsPath, named);
}

/** Throws what the user has to correct in the file. */
export async function readProfiles(folder: vscode.WorkspaceFolder): Promise<PluginProfiles['profiles']> {
  return profilesIn(await textOf(folder)).profiles;
}

/** The plugins to load by a profile. Throws where there is none of that name. */
export async function pluginsOfProfile(folder: vscode.WorkspaceFolder, name: string): Promise<ProfilePlugin[]> {
  const profiles = await readProfiles(folder);
  const plugins = Object.hasOwn(profiles, name) ? profiles[name] : undefined;
  if (plugins !== undefined)
    return plugins.filter(({ disabled }) => !disabled).map((one) => ({ ...one, library: libraryPath(folder, one.library) }));
  const names = Object.keys(profiles);
  const known = names.length === 0 ? 'The view Plugins makes them.' : `There are: ${names.join(', ')}.`;
  throw new UserError(`"pluginProfile" names "${name}", which is not in ${PROFILES_FILE}. ${known}`);
}

async function textOf(folder: vscode.WorkspaceFolder): Promise<string> {
  try {
    return Buffer.from(await vscode.workspace.fs.readFile(fileOf(folder))).toString('utf8');
  } catch (error) {
    if (error instanceof vscode.FileSystemError && error.code === 'FileNotFound') return '{\n  "profiles": {}\n}\n';
    throw error;
  }
}

function profilesIn(text: string): PluginProfiles {
  const errors: ParseError[] = [];
  const value: unknown = parse(text, errors, { allowTrailingComma: true });
  const [first] = errors;
  if (first) {
    const line = text.slice(0, first.offset).split('\n').length;
    throw new UserError(`${PROFILES_FILE}, line ${line}: ${printParseErrorCode(first.error)}. Correct it there.`);
  }
  const result = PluginProfiles.safeParse(value);
  if (result.success) return result.data;
  const wrong = result.error.issues.map(({ path, message }) => `"${path.join('.')}": ${message}`).join('; ');
  throw new UserError(`${PROFILES_FILE}: ${wrong}. Correct it there.`);
}
