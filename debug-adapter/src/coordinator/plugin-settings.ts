/**
 * Settings of plugins that change while the program runs: checked by the plugins' schemas before anything is told, then told to all
 * processes. Where one does not take them, all have those of before again. Processes that begin later find them in the session's settings.
 * Tests: test/protocol/plugin-settings.test.ts, test/probes/plugin-changes.test.ts.
 */
import { changeSettings, checkLive, checkSettings, findPlugin, type NamedPlugin, nameOf } from '../model/plugin-changes.js';
import { settingsSchema } from '../platform/plugin-schema.js';
import type { PluginSetting } from '../protocol/control.js';
import { failure, reason } from '../protocol/errors.js';
import { SettingKind } from '../protocol/generated/agent_pb.js';
import { type AgentConnection, ConnectionLost } from './agent-connection.js';
import type { Context } from './context.js';
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
