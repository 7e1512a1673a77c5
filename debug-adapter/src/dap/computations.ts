/**
 * Computations by way of the control protocol: starts a session's coordinator for a launch, a restart or
 * a program that runs already, joins a live one, and
 * comes back to it when its coordinator was replaced. Tests: test/dap/launch.test.ts.
 */
import { resolve } from 'node:path';
import { attachProcess } from '../control/attaching.js';
import type { ControlClient } from '../control/client.js';
import { createSession, createSessionNamedAfter, liveSessions, openSession } from '../control/sessions.js';
import { splitChanges } from '../model/environment.js';
import { sessionNameFor } from '../model/names.js';
import { settingOf } from '../model/plugin-changes.js';
import { pluginLibrary } from '../platform/installation.js';
import { profilePlugins } from '../platform/plugin-profiles.js';
import { checkProgram } from '../platform/program.js';
import {
  type Notice,
  type NotificationName,
  notifications,
  type PluginSetting,
  type SessionStatus,
} from '../protocol/control.js';
import type { AttachConfiguration, LaunchConfiguration } from '../protocol/debug.js';
import { CairnError, describe, failure, reason } from '../protocol/errors.js';
import type { SnapshotSummary } from '../protocol/snapshot.js';
import { slotArgument } from '../store/slots.js';
import { Store } from '../store/store.js';
import type { Computation, Computations, Listener, Params, Result } from './computation.js';
import { programEnvironment } from './environment.js';

/** A restart of a large image on a cold disk takes its time; the coordinator has deadlines of its own for each step. */
const START_MS = 120_000;

export class ControlComputations implements Computations {
  readonly #env: NodeJS.ProcessEnv;

  constructor(env: NodeJS.ProcessEnv = process.env) {
    this.#env = env;
  }

  async launch(
    configuration: LaunchConfiguration,
    listener: Listener,
    breakpoints: Promise<readonly string[]>,
  ): Promise<Computation> {
    const cwd = resolve(configuration.cwd ?? '.');
    const store = new Store(resolve(cwd, configuration.store ?? this.#env['CAIRN_STORE'] ?? '.cairn'));
    const { program } = configuration;
    const snapshot = configuration.snapshot === undefined ? undefined : store.find(configuration.snapshot);
    if (snapshot === undefined && program === undefined) {
      throw failure('usage', {
        what: 'The launch configuration names neither a program nor a snapshot',
        remedy: 'Give "program" or "snapshot".',
      });
    }
    // A restart need not be told where its program runs; its store lies in the workspace.
    const places = snapshot === undefined ? [cwd] : configuration.cwd === undefined ? [store.path] : [cwd, store.path];
    const plugins = pluginParams(configuration, cwd, places);
    const env = programEnvironment(this.#env, splitChanges(configuration.env).env);
    if (snapshot === undefined && program !== undefined) checkProgram(program, env, cwd);
    const suggested = snapshot?.session ?? sessionNameFor(program ?? '');
    // A restart is a branch of its own in the tree of snapshots, so its name is not that of an older one.
    const used = snapshot ? store.list().map(({ session }) => session) : [];
    const options = { store: store.path, compress: configuration.compress };
    const client = await (configuration.session === undefined
      ? createSessionNamedAfter(suggested, options, used)
      : createSession(configuration.session, options));
    const computation = new ControlledComputation(client, listener);
    try {
      if (snapshot) {
        await computation.request('session/breakpoints', { names: [...(await breakpoints)] });
        const { warnings } = await computation.request(
          'session/restart',
          restartParams(configuration, plugins, snapshot, store.path),
        );
        for (const { message, remedy } of warnings) warn(listener, `${message} ${remedy}`);
      } else await computation.request('session/launch', launchParams(configuration, plugins, program ?? '', cwd, env));
      await computation.request('session/started', { timeoutMs: START_MS });
      return computation;
    } catch (error) {
      computation.dispose();
      throw error;
    }
  }

  async attach(configuration: AttachConfiguration, listener: Listener): Promise<Computation> {
    const { processId, session } = configuration;
    if (processId !== undefined) {
      const store = resolve(configuration.store ?? this.#env['CAIRN_STORE'] ?? '.cairn');
      const { client } = await attachProcess(Number(processId), { session, store, plugins: [] });
      return new ControlledComputation(client, listener);
    }
    const name = session ?? this.#env['CAIRN_SESSION'] ?? (await onlySession());
    return new ControlledComputation(await openSession(name), listener);
  }
}

function launchParams(
  configuration: LaunchConfiguration,
  plugins: Params<'session/launch'>['plugins'],
  program: string,
  cwd: string,
  env: Record<string, string>,
): Params<'session/launch'> {
  const { args } = configuration;
  const { processEnv } = splitChanges(configuration.env);
  const argv = [program, ...args];
  return { argv, cwd, env, processEnv, plugins, ...ruleParams(configuration), owner: 'coordinator' };
}

/** The order of a JSON object's keys is the order in which they count. */
function ruleParams({
  files,
  clock,
  connections,
}: LaunchConfiguration): Pick<Params<'session/launch'>, 'files' | 'clock' | 'connections'> {
  return {
    files: Object.entries(files).map(([pattern, how]) => ({ pattern, how })),
    connections: Object.entries(connections).map(([pattern, how]) => ({ pattern, how })),
    ...(clock === undefined ? {} : { clock }),
  };
}

function restartParams(
  configuration: LaunchConfiguration,
  plugins: Params<'session/launch'>['plugins'],
  snapshot: SnapshotSummary,
  store: string,
): Params<'session/restart'> {
  const { paths, withoutPlugins, pluginOrder, inPlace, changedFiles, slot } = configuration;
  return {
    snapshot: snapshot.path,
    ...splitChanges(configuration.env),
    paths,
    plugins,
    withoutPlugins,
    ...(pluginOrder === undefined ? {} : { pluginOrder }),
    pluginSettings: settingParams(configuration.pluginSettings),
    inPlace,
    ...ruleParams(configuration),
    ...(changedFiles === undefined ? {} : { changedFiles }),
    ...(slot === undefined ? {} : { slot: slotArgument(store, slot, resolve(configuration.cwd ?? '.')) }),
    owner: 'coordinator',
  };
}

function warn(listener: Listener, text: string): void {
  listener.notified('session/log', { time: new Date().toISOString(), level: 'warning', virtualPid: 0, text });
}

/** A profile's plugins are below those that the configuration itself names. */
function pluginParams(
  { plugins, pluginProfile }: LaunchConfiguration,
  cwd: string,
  places: readonly string[],
): Params<'session/launch'>['plugins'] {
  const own = plugins.map(({ library, settings }) => ({
    library: pluginLibrary(library, cwd),
    settings: JSON.stringify(settings ?? {}),
  }));
  if (pluginProfile === undefined) return own;
  return [...profilePlugins(pluginProfile, places, `"pluginProfile": "${pluginProfile}"`), ...own];
}

function settingParams(settings: LaunchConfiguration['pluginSettings']): PluginSetting[] {
  return Object.entries(settings).map(([name, value]) => {
    const found = settingOf(`${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
    if (found === undefined)
      throw failure('usage', {
        what: `"pluginSettings" has "${name}": it has to be PLUGIN.KEY`,
        remedy: 'For example: "emulator.slot": 2',
      });
    return found;
  });
}

async function onlySession(): Promise<string> {
  const live = await liveSessions();
  const [only] = live;
  if (!only) throw failure('noSession');
  if (live.length > 1) throw failure('sessionAmbiguous', { sessions: live.map(({ session }) => session).join(', ') });
  return only.session;
}

/** Follows one session through the coordinators that it may have one after another. */
class ControlledComputation implements Computation {
  readonly #listener: Listener;
  #client: ControlClient;
  #last: SessionStatus['state'] = 'starting';
  #disposed = false;

  constructor(client: ControlClient, listener: Listener) {
    this.#client = client;
    this.#listener = listener;
    this.#follow(client);
  }

  request<M extends Parameters<ControlClient['request']>[0]>(method: M, params: Params<M>): Promise<Result<M>> {
    return this.#client.request(method, params);
  }

  dispose(): void {
    this.#disposed = true;
    this.#client.close();
  }

  #follow(client: ControlClient): void {
    for (const name of Object.keys(notifications) as NotificationName[])
      client.on(name, (notice) => this.#notified(name, notice));
    void client.closed.then(() => this.#lost(client));
  }

  #notified<N extends NotificationName>(name: N, notice: Notice<N>): void {
    if (name === 'session/changed') this.#last = (notice as SessionStatus).state;
    this.#listener.notified(name, notice);
  }

  async #lost(client: ControlClient): Promise<void> {
    if (this.#disposed) return;
    if (this.#last === 'exited') return this.#listener.lost('');
    try {
      const next = await openSession(client.session);
      if (this.#disposed) return next.close();
      this.#client = next;
      this.#follow(next);
      this.#notified('session/changed', await next.request('session/status', {}));
    } catch (error) {
      this.#listener.lost(error instanceof CairnError ? describe(error) : reason(error));
    }
  }
}
