/**
 * Launch configurations of type `cairn`: filled in from the workspace and checked before anything starts, so that a mistake is
 * shown where it can be corrected. The adapter checks again what only it can know.
 */
import { constants } from 'node:fs';
import { access, readlink, stat } from 'node:fs/promises';
import { isAbsolute, resolve } from 'node:path';
import * as vscode from 'vscode';
import { AttachConfiguration, LaunchConfiguration } from '../../../debug-adapter/src/protocol/debug.js';
import { UserError } from '../platform/errors.js';
import type { PluginLibraries } from './pluginLibraries.js';
import { profilePlugins } from './pluginProfiles.js';
import { folderOf, folderWith, localFolders, storeOf } from './stores.js';

/** What a configuration has beyond ours, from VS Code. */
type Configuration = vscode.DebugConfiguration & Record<string, unknown>;
type Plugins = LaunchConfiguration['plugins'];

export class ConfigurationProvider implements vscode.DebugConfigurationProvider {
  readonly #libraries: PluginLibraries;

  constructor(libraries: PluginLibraries) {
    this.#libraries = libraries;
  }

  provideDebugConfigurations(): vscode.DebugConfiguration[] {
    return [
      {
        type: 'cairn',
        request: 'launch',
        name: 'Simulation under Cairn',
        program: 'vvp',
        args: ['${workspaceFolder}/design.vvp'],
        cwd: '${workspaceFolder}',
      },
    ];
  }

  /** F5 without a launch.json: undefined `type`; null opens launch.json, with the configuration above. */
  resolveDebugConfiguration(folder: vscode.WorkspaceFolder | undefined, configuration: Configuration): Configuration | null {
    if (!configuration.type && !configuration.request && !configuration.name) return null;
    // What the simulation prints is in its terminal; the debug console, which would cover it, has little to say.
    const filled: Configuration = { internalConsoleOptions: 'neverOpen', ...configuration };
    if (configuration.request === 'attach') {
      if (folder && configuration['processId'] !== undefined) filled['store'] ??= storeOf(folder);
      return filled;
    }
    if (folder) {
      filled['cwd'] ??= folder.uri.fsPath;
      filled['store'] ??= storeOf(folder);
    }
    return filled;
  }

  async resolveDebugConfigurationWithSubstitutedVariables(
    folder: vscode.WorkspaceFolder | undefined,
    configuration: Configuration,
  ): Promise<Configuration | undefined | null> {
    try {
      return await this.#check(folder, configuration);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      const open = 'Open launch.json';
      const choice = await vscode.window.showErrorMessage(`"${configuration.name}": ${error.message}`, { modal: true }, open);
      return choice === open ? null : undefined;
    }
  }

  async #check(folder: vscode.WorkspaceFolder | undefined, configuration: Configuration): Promise<Configuration> {
    if (configuration.request === 'attach') {
      const attach = parse(AttachConfiguration, configuration);
      if (attach.store === undefined && attach.processId !== undefined) {
        const cwd = await readlink(`/proc/${attach.processId}/cwd`).catch(() => '');
        const own = (cwd === '' ? undefined : folderWith(cwd)) ?? localFolders()[0];
        return own === undefined ? configuration : { ...configuration, store: storeOf(own) };
      }
      const store = attach.store === undefined || !folder ? attach.store : resolve(folder.uri.fsPath, attach.store);
      return store === undefined ? configuration : { ...configuration, store };
    }
    const launch = parse(LaunchConfiguration, configuration);
    // One of the workspace's own, beside its folders, belongs to the folder that it is about.
    const own = folder ?? folderAbout(launch);
    if (own !== undefined && launch.store === undefined) {
      launch.store = storeOf(own);
      launch.cwd ??= own.uri.fsPath;
    }
    const base = own?.uri.fsPath ?? launch.cwd;
    const absolute = (path: string) => (base === undefined || isAbsolute(path) ? path : resolve(base, path));
    if (!launch.program && !launch.snapshot)
      throw new UserError('needs "program" (the simulation to start) or "snapshot" (the one to restart).');
    const checked = { ...configuration };
    if (launch.cwd !== undefined) checked['cwd'] = absolute(launch.cwd);
    if (launch.store !== undefined) checked['store'] = absolute(launch.store);
    if (launch.program?.includes('/')) checked['program'] = resolve(absolute(launch.cwd ?? '.'), launch.program);
    if (launch.pluginProfile !== undefined) {
      launch.plugins = await this.#withProfile(own, launch.pluginProfile, launch.plugins);
      checked['plugins'] = launch.plugins;
      delete checked['pluginProfile'];
    }
    // A task that runs first may make the files; and a snapshot brings its own.
    if (configuration['preLaunchTask']) return checked;
    if (!launch.snapshot) await requireFiles(launch, absolute);
    for (const { library, settings } of launch.plugins)
      if (library.includes('/')) await this.#libraries.require(absolute(library), settings ?? {});
    return checked;
  }

  /** A profile's plugins are below those that the configuration itself names. */
  async #withProfile(folder: vscode.WorkspaceFolder | undefined, profile: string, own: Plugins): Promise<Plugins> {
    if (folder === undefined)
      throw new UserError(
        '"pluginProfile" names a profile of a workspace folder: "cwd" has to say of which one, by a path in it.',
      );
    const plugins = await profilePlugins(folder, profile);
    return [...plugins.map(({ library, settings }) => ({ library, ...(settings ? { settings } : {}) })), ...own];
  }
}

/** By its working folder, program or store; else the only one that there is. */
function folderAbout({ cwd, program, store, snapshot }: LaunchConfiguration): vscode.WorkspaceFolder | undefined {
  for (const path of [cwd, program, store, snapshot]) {
    const found = path !== undefined && isAbsolute(path) ? folderWith(path) : undefined;
    if (found) return found;
  }
  if (store !== undefined && isAbsolute(store)) return folderOf(store, cwd);
  const all = localFolders();
  return all.length === 1 ? all[0] : undefined;
}

function parse<T>(
  schema: {
    safeParse(
      value: unknown,
    ): { success: true; data: T } | { success: false; error: { issues: readonly { path: PropertyKey[]; message: string }[] } };
  },
  value: unknown,
): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new UserError(result.error.issues.map(({ path, message }) => `"${path.join('.')}" is wrong: ${message}.`).join(' '));
}

async function requireFiles(launch: LaunchConfiguration, absolute: (path: string) => string): Promise<void> {
  if (launch.cwd !== undefined) await requireFolder(absolute(launch.cwd));
  if (launch.program) await requireProgram(launch.program, absolute(launch.cwd ?? '.'), launch.env['PATH']);
  for (const { library } of launch.plugins) if (library.includes('/')) await requireFile(absolute(library), 'The plugin');
}

/** As a shell finds it: a name without a slash on PATH, else relative to `cwd`. */
async function requireProgram(program: string, cwd: string, path: string | null | undefined): Promise<void> {
  if (program.includes('/')) return requireFile(resolve(cwd, program), 'The program', constants.X_OK);
  for (const entry of (path ?? process.env['PATH'] ?? '').split(':')) {
    if (entry !== '' && (await usable(resolve(entry, program), constants.X_OK))) return;
  }
  throw new UserError(`The program "${program}" was not found on PATH. Install it, or give its path in "program".`);
}

async function usable(file: string, mode: number): Promise<boolean> {
  try {
    await access(file, mode);
    return (await stat(file)).isFile();
  } catch {
    return false;
  }
}

async function requireFile(file: string, what: string, mode = constants.R_OK): Promise<void> {
  if (await usable(file, mode)) return;
  const why = (await usable(file, constants.F_OK)) ? 'is not executable' : 'does not exist';
  throw new UserError(`${what} ${file} ${why}. Build it (a "preLaunchTask" can do that), or correct the path.`);
}

async function requireFolder(path: string): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (!found?.isDirectory()) throw new UserError(`"cwd" is ${path}, which is not a folder.`);
}
