/**
 * The Plugins view: the profiles of the workspace, the plugins of one in the order of their layers, their settings as forms. What is
 * changed there is in the profile's file at once; what is wrong is said beside it, and again when it is to be used.
 */
import { basename, relative } from 'node:path';
import * as vscode from 'vscode';
import type { Plugin } from '../../../debug-adapter/src/protocol/control.js';
import type { FromPanel, PluginEntry, PluginsModel } from '../../../debug-adapter/src/protocol/panels.js';
import { freeName, libraryPath, moved, type ProfilePlugin } from '../../../debug-adapter/src/protocol/plugin-profiles.js';
import { settingsProblems } from '../../../debug-adapter/src/protocol/plugin-settings.js';
import { isObject, type Settings, withValue } from '../../../debug-adapter/src/protocol/settings-value.js';
import { messageOf, reporting, UserError } from '../platform/errors.js';
import type { LiveSession } from '../session/liveSession.js';
import type { LiveSessions } from '../session/liveSessions.js';
import type { PluginLibraries } from '../session/pluginLibraries.js';
import { fileOf, type ProfileStore, readProfiles } from '../session/pluginProfiles.js';
import { localFolders } from '../session/stores.js';
import { snapshotLabel } from './format.js';
import type { SnapshotTreeNode } from './nodes.js';
import type { PanelHost } from './panelHost.js';

const KEPT = 'cairn.pluginProfile';
const KEPT_FOLDER = 'cairn.pluginFolder';

/** What a profile can be compared with: the plugins of a session that runs, or of a snapshot. */
interface Other {
  readonly key: string;
  readonly label: string;
  /** null: a snapshot. */
  readonly session: LiveSession | null;
  /** The lowest layer first. */
  readonly plugins: readonly Plugin[];
}

export class PluginsPanel implements vscode.Disposable {
  readonly #host: PanelHost;
  readonly #profiles: ProfileStore;
  readonly #libraries: PluginLibraries;
  readonly #sessions: LiveSessions;
  readonly #memory: vscode.Memento;
  readonly #log: vscode.LogOutputChannel;
  readonly #subscription: vscode.Disposable;
  /** Answers to an older question are dropped. */
  #question = 0;
  /** That was selected in the tree last. */
  #snapshot: Other | undefined;
  #compared: string | null = null;
  /** Of the sessions, as they were shown. */
  #seen = '';

  constructor(
    host: PanelHost,
    profiles: ProfileStore,
    libraries: PluginLibraries,
    sessions: LiveSessions,
    memory: vscode.Memento,
    log: vscode.LogOutputChannel,
  ) {
    this.#host = host;
    this.#profiles = profiles;
    this.#libraries = libraries;
    this.#sessions = sessions;
    this.#memory = memory;
    this.#log = log;
    this.#subscription = vscode.Disposable.from(
      host.onDidShow(() => void this.#read()),
      profiles.onDidChange(() => host.visible && void this.#read()),
      // Statuses change with every phase of a checkpoint, plugins hardly ever.
      sessions.onDidChange(() => host.visible && this.#seen !== seenOf(this.#others) && void this.#read()),
      host.onDidReceive((message) => void reporting(log, 'Plugins', () => this.#received(message))),
    );
  }

  async #received(message: FromPanel): Promise<void> {
    switch (message.type) {
      case 'refresh':
        this.#libraries.forget();
        return this.#read();
      case 'selectProfile':
        return this.#select(this.#folder(), message.profile);
      case 'selectFolder':
        await this.#memory.update(KEPT_FOLDER, localFolders()[message.folder]?.uri.toString());
        return this.#read();
      case 'comparePlugins':
        this.#compared = message.key;
        return this.#read();
      case 'applySetting':
        return this.#apply(message);
      case 'givePlugin':
        return this.#give(message.index);
      case 'addProfile':
        return this.#addProfile();
      case 'renameProfile':
        return this.#renameProfile();
      case 'deleteProfile':
        return this.#deleteProfile();
      case 'openProfiles':
        return void (await vscode.window.showTextDocument(fileOf(this.#folder())));
      case 'startWithProfile':
        return this.#start();
      case 'addPlugin':
        return this.#addPlugins();
      case 'removePlugin':
        return this.#change((plugins) => plugins.filter((_, index) => index !== message.index));
      case 'movePlugin':
        return this.#change((plugins) => moved(plugins, message.index, message.to));
      case 'enablePlugin':
        return this.#replace(message.index, (one) => ({ ...one, disabled: message.enabled ? undefined : true }));
      case 'changeSetting':
        return this.#replace(message.index, ({ settings = {}, ...one }) => ({
          ...one,
          settings: { ...withValue(settings, message.path, message.value) },
        }));
      default:
    }
  }

  /** Offers the plugins of a snapshot that was selected in the tree. */
  follow(node: SnapshotTreeNode | undefined): void {
    if (node?.kind !== 'snapshot') return;
    const { path, plugins = [] } = node.snapshot;
    this.#snapshot = { key: path, label: snapshotLabel(node.snapshot), session: null, plugins };
    if (this.#host.visible) void this.#read();
  }

  get #others(): Other[] {
    const live = this.#sessions.all.map((session): Other => {
      const { name, status } = session;
      return { key: `session ${name}`, label: name, session, plugins: status.plugins };
    });
    return this.#snapshot === undefined ? live : [...live, this.#snapshot];
  }

  /** Of a session that runs, in all its processes. */
  async #apply({ index, key, value }: Extract<FromPanel, { type: 'applySetting' }>): Promise<void> {
    const { library: plugin } = await this.#plugin(index);
    await this.#comparedSession?.request('session/settings', { changes: [{ plugin, key, value }] });
  }

  /** To a session that is held, in all its processes. */
  async #give(index: number): Promise<void> {
    const { library, settings = {} } = await this.#plugin(index);
    await this.#libraries.require(library, settings);
    await this.#comparedSession?.request('session/givePlugins', { plugins: [{ library, settings: JSON.stringify(settings) }] });
  }

  get #comparedSession(): LiveSession | null | undefined {
    return this.#others.find((other) => other.key === this.#compared)?.session;
  }

  /** Of the profile shown, by an absolute path. */
  async #plugin(index: number): Promise<ProfilePlugin> {
    const folder = this.#folder();
    const profiles = await readProfiles(folder);
    const one = profiles[this.#chosen(folder, Object.keys(profiles)) ?? '']?.[index];
    if (one === undefined) throw new UserError('The profile has changed meanwhile: try again.');
    return { ...one, library: libraryPath(folder.uri.fsPath, one.library) };
  }

  /** The one whose profiles are shown: the first, where none was chosen. */
  #shown(): vscode.WorkspaceFolder | undefined {
    const kept = this.#memory.get<string>(KEPT_FOLDER);
    const all = localFolders();
    return all.find(({ uri }) => uri.toString() === kept) ?? all[0];
  }

  #folder(): vscode.WorkspaceFolder {
    const folder = this.#shown();
    if (folder === undefined) throw new UserError('Profiles are kept in a folder: open one first.');
    return folder;
  }

  /** The one shown; the first, where none was chosen. */
  #chosen({ uri }: vscode.WorkspaceFolder, names: readonly string[]): string | null {
    const kept = this.#memory.get<string>(`${KEPT} ${uri.toString()}`, '');
    return names.includes(kept) ? kept : (names[0] ?? null);
  }

  #keep({ uri }: vscode.WorkspaceFolder, profile: string): Thenable<void> {
    return this.#memory.update(`${KEPT} ${uri.toString()}`, profile);
  }

  async #select(folder: vscode.WorkspaceFolder, profile: string): Promise<void> {
    await this.#keep(folder, profile);
    await this.#read();
  }

  async #askName(title: string, value: string, taken: readonly string[]): Promise<string | undefined> {
    return vscode.window.showInputBox({
      title,
      value,
      prompt: 'A launch configuration names it by "pluginProfile"',
      validateInput: (text) => {
        if (text.trim() === '') return 'A profile needs a name';
        return taken.includes(text.trim()) ? `There is a profile "${text.trim()}" already` : undefined;
      },
    });
  }

  /** Another folder may be shown before the user has answered: what is asked about is changed. */
  async #addProfile(): Promise<void> {
    const folder = this.#folder();
    const taken = Object.keys(await readProfiles(folder));
    const name = (await this.#askName('New profile of plugins', freeName('default', taken), taken))?.trim();
    if (name === undefined) return;
    await this.#profiles.change(folder, () => [[name, []]]);
    await this.#select(folder, name);
  }

  async #renameProfile(): Promise<void> {
    const folder = this.#folder();
    const names = Object.keys(await readProfiles(folder));
    const old = this.#chosen(folder, names);
    if (old === null) return;
    const others = names.filter((one) => one !== old);
    const name = (await this.#askName(`Rename profile ${old}`, old, others))?.trim();
    if (name === undefined || name === old) return;
    await this.#keep(folder, name);
    await this.#profiles.change(folder, (profiles) => [
      [name, profiles[old] ?? []],
      [old, undefined],
    ]);
  }

  async #deleteProfile(): Promise<void> {
    const folder = this.#folder();
    const name = this.#chosen(folder, Object.keys(await readProfiles(folder)));
    if (name === null) return;
    const button = 'Delete';
    const detail = 'Its plugins stay where they are. Launch configurations that name it are refused from then on.';
    if ((await vscode.window.showWarningMessage(`Delete the profile ${name}?`, { modal: true, detail }, button)) !== button)
      return;
    await this.#profiles.change(folder, () => [[name, undefined]]);
  }

  async #addPlugins(): Promise<void> {
    const folder = this.#folder();
    const chosen = await vscode.window.showOpenDialog({
      title: 'Plugins to add',
      openLabel: 'Add',
      defaultUri: folder.uri,
      canSelectMany: true,
      filters: { 'Shared libraries': ['so'], 'All files': ['*'] },
    });
    if (!chosen) return;
    const added = chosen.map(({ fsPath }): ProfilePlugin => ({ library: portable(folder, fsPath) }));
    await this.#change((plugins) => [...plugins, ...added], folder);
  }

  #replace(index: number, edit: (one: ProfilePlugin) => ProfilePlugin): Promise<void> {
    return this.#change((plugins) => plugins.map((one, at) => (at === index ? edit(one) : one)));
  }

  /** The profile shown; one is made for the first plugin. */
  async #change(edit: (plugins: readonly ProfilePlugin[]) => ProfilePlugin[], folder = this.#folder()): Promise<void> {
    await this.#profiles.change(folder, (profiles) => {
      const name = this.#chosen(folder, Object.keys(profiles)) ?? 'default';
      return [[name, edit(profiles[name] ?? [])]];
    });
  }

  /** A launch configuration of the folder, with this profile instead of what it names. */
  async #start(): Promise<void> {
    const folder = this.#folder();
    const profile = this.#chosen(folder, Object.keys(await readProfiles(folder)));
    if (profile === null) return;
    const all = vscode.workspace.getConfiguration('launch', folder).get<vscode.DebugConfiguration[]>('configurations', []);
    const launches = all.filter(({ type, request }) => type === 'cairn' && request === 'launch');
    if (launches.length === 0) throw new UserError('There is no launch configuration of type "cairn". Add one to launch.json.');
    const items = launches.map((configuration) => ({ label: configuration.name, configuration }));
    const choice =
      items.length === 1
        ? items[0]
        : await vscode.window.showQuickPick(items, { placeHolder: `What to start with the plugins of ${profile}` });
    if (choice) await vscode.debug.startDebugging(folder, { ...choice.configuration, pluginProfile: profile });
  }

  async #read(): Promise<void> {
    const question = ++this.#question;
    const folder = this.#shown();
    const folders = localFolders();
    const model: PluginsModel = {
      panel: 'plugins',
      nowhere: !folder,
      folders: folders.map(({ name }) => name),
      folder: folder ? folders.indexOf(folder) : -1,
      profiles: [],
      profile: null,
      plugins: [],
      others: [],
      compared: null,
      error: '',
    };
    const others = this.#others;
    this.#seen = seenOf(others);
    model.others = others.map(({ key, label, session }) => ({ key, label: session ? `${label} (runs)` : `${label} (snapshot)` }));
    const other = others.find(({ key }) => key === this.#compared);
    try {
      if (folder) {
        const profiles = await readProfiles(folder);
        model.profiles = Object.keys(profiles);
        model.profile = this.#chosen(folder, model.profiles);
        const plugins = model.profile === null ? [] : (profiles[model.profile] ?? []);
        model.plugins = await Promise.all(plugins.map((plugin) => this.#entry(folder, plugin, other)));
        if (other !== undefined) model.compared = compared(folder, plugins, other);
      }
    } catch (error) {
      if (!(error instanceof UserError)) this.#log.warn(messageOf(error));
      model.error = messageOf(error);
    }
    if (question === this.#question) this.#host.post(model);
  }

  async #entry(
    folder: vscode.WorkspaceFolder,
    { library, settings = {}, disabled }: ProfilePlugin,
    other: Other | undefined,
  ): Promise<PluginEntry> {
    const path = libraryPath(folder.uri.fsPath, library);
    const report = await this.#libraries.report(path);
    const { schema, ...said } = { ...report, reasons: [...report.reasons], warnings: [...report.warnings] };
    const problems = schema === null ? [] : settingsProblems(schema, settings);
    const same = other?.plugins.find((one) => one.library === path);
    const there = same === undefined ? null : settingsOf(same);
    return { ...said, library, enabled: !disabled, schema, settings, problems, there };
  }

  dispose(): void {
    this.#subscription.dispose();
  }
}

const seenOf = (others: readonly Other[]): string => JSON.stringify(others.map(({ key, plugins }) => [key, plugins]));

function settingsOf({ settings }: Plugin): Settings {
  try {
    const value: unknown = JSON.parse(settings);
    return isObject(value) ? value : {};
  } catch {
    return {};
  }
}

/** But for the settings, which stand with each plugin. */
function compared(
  { uri }: vscode.WorkspaceFolder,
  profile: readonly ProfilePlugin[],
  { key, label, session, plugins }: Other,
): PluginsModel['compared'] {
  const ours = profile.filter(({ disabled }) => !disabled).map(({ library }) => libraryPath(uri.fsPath, library));
  const nameOf = ({ name, library }: Plugin): string => name ?? basename(library);
  const both = plugins.filter(({ library }) => ours.includes(library));
  const order = ours.filter((library) => both.some((one) => one.library === library));
  const isSame = both.every(({ library }, index) => order[index] === library);
  const more = plugins.filter((one) => !ours.includes(one.library)).map(nameOf);
  return { key, label, live: session !== null, more, order: isSame ? [] : both.map(nameOf) };
}

/** As it is found on another machine, too, where it is below the folder. */
function portable(folder: vscode.WorkspaceFolder, path: string): string {
  const within = relative(folder.uri.fsPath, path);
  return within.startsWith('..') ? path : within;
}
