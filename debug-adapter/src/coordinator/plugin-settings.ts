/**
 * Plugins that come while the computation is held, and settings of plugins that change while the program runs: checked by the plugins' schemas before anything is told, then told to all
 * processes. Where one does not take them, all have those of before again. Processes that begin later find them in the session's settings.
 * Tests: test/protocol/plugin-settings.test.ts, test/probes/plugin-changes.test.ts.
 */
import {
  changeSettings,
  checkLive,
  checkSettings,
  distinct,
  findPlugin,
  type NamedPlugin,
  nameOf,
} from '../model/plugin-changes.js';
import { settingsSchema } from '../platform/plugin-schema.js';
import type { Plugin, PluginSetting } from '../protocol/control.js';
import { failure, reason } from '../protocol/errors.js';
import { SettingKind } from '../protocol/generated/agent_pb.js';
import { type AgentConnection, ConnectionLost } from './agent-connection.js';
import type { Context } from './context.js';
import { pluginSettings } from './settings.js';
import { bounded } from './strand.js';

export async function changeLiveSettings(context: Context, changes: readonly PluginSetting[]): Promise<NamedPlugin[]> {
  const { session, log } = context;
  if (session.state !== 'running' && session.state !== 'held')
    throw failure('wrongState', {
      name: session.name,
      state: session.state,
      what: 'changing settings of plugins',
      remedy: 'Try again when it runs; see cairn status.',
    });
  const before = session.namedPlugins;
  for (const { plugin, key } of changes) checkLive(findPlugin(before, plugin), key, settingsSchema);
  const after = changeSettings(before, changes, settingsSchema);
  const changed = after.filter((one, index) => one.settings !== before[index]?.settings);
  for (const one of changed) checkSettings(one, settingsSchema);
  for (const one of changed) {
    const was = before.find(({ library }) => library === one.library) ?? one;
    await tell(context, one).catch(async (error: unknown) => {
      await tell(context, was).catch((again: unknown) => log.add('warning', `plugin ${nameOf(one)}: ${reason(again)}`));
      throw error;
    });
    log.add('info', `plugin ${nameOf(one)} has other settings: ${one.settings}`);
  }
  return after;
}

/** Further plugins of a computation that is held, in its highest layers: in all processes or in none. */
export async function givePlugins({ session, deadlines, log }: Context, given: readonly Plugin[]): Promise<NamedPlugin[]> {
  if (session.state !== 'held')
    throw failure('wrongState', {
      name: session.name,
      state: session.state,
      what: 'adding plugins',
      remedy: 'Hold it first: cairn hold.',
    });
  const plugins = distinct(given);
  const there = plugins.find(({ library }) => session.plugins.some((one) => one.library === library));
  if (there !== undefined) throw failure('pluginThere', { library: there.library });
  for (const one of plugins) checkSettings(one, settingsSchema);
  const inAll = async (one: Plugin, takeOut: boolean): Promise<void> => {
    const told = await Promise.allSettled(
      session.processes.map((process) =>
        bounded(process.givePlugin(one.library, one.settings, takeOut), deadlines.phase, () => late(process)),
      ),
    );
    const failed = told.find((other) => other.status === 'rejected');
    if (failed !== undefined)
      throw failure('pluginNotGiven', { library: one.library, why: reason(failed.reason) }, failed.reason);
  };
  const begun: Plugin[] = [];
  try {
    for (const one of plugins) {
      begun.unshift(one);
      await inAll(one, false);
    }
  } catch (error) {
    for (const one of begun)
      await inAll(one, true).catch((again: unknown) => log.add('warning', `plugin ${one.library}: ${reason(again)}`));
    throw error;
  }
  // For programs that begin later, and for the next snapshot.
  session.plugins = [...session.plugins, ...plugins];
  session.settings = [...session.settings, ...pluginSettings(plugins, {})];
  session.changed();
  for (const { library } of plugins) log.add('info', `plugin ${library} was given while the computation is held`);
  return session.namedPlugins;
}

/** First for processes that begin meanwhile. */
async function tell({ session, deadlines }: Context, { library, settings }: NamedPlugin): Promise<void> {
  session.plugins = session.plugins.map((one) => (one.library === library ? { ...one, settings } : one));
  session.settings = session.settings.map((one) =>
    one.kind === SettingKind.SETTING_PLUGIN && one.key === library ? { ...one, value: settings } : one,
  );
  session.changed();
  const told = await Promise.allSettled(
    session.processes.map((one) => bounded(tellOne(one, library, settings), deadlines.phase, () => late(one))),
  );
  const failed = told.find((one) => one.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}

async function tellOne(one: AgentConnection, library: string, settings: string): Promise<void> {
  try {
    await one.changeSettings(library, settings);
  } catch (error) {
    // It has ended, or executes another program, which begins with these.
    if (!(error instanceof ConnectionLost)) throw error;
  }
}

const late = (one: AgentConnection): Error =>
  failure('refused', { pid: one.virtualPid, program: one.program, why: 'it did not answer in time' });
