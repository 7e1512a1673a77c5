/**
 * The settings that processes are given in their handshake: pure, from what was asked for. Tests: test/protocol/settings.test.ts.
 */
import { type Changes, changesFor, type Named, type ProcessChanges } from '../model/environment.js';
import type { LaunchParams } from '../protocol/control.js';
import { SettingKind } from '../protocol/generated/agent_pb.js';
import type { ChangedFile, Rules } from '../protocol/rules.js';

export interface SettingInit {
  kind: SettingKind;
  key: string;
  value: string;
}

export function option(key: string, value: string): SettingInit {
  return { kind: SettingKind.SETTING_OPTION, key, value };
}

/** As the plugin `file` reads them. */
export function fileRules(files: Rules['files']): SettingInit {
  return option('files', files.map(({ pattern, how }) => `${how} ${pattern}\n`).join(''));
}

/** What every process is told of the computation's rules. */
export function ruleSettings({ files, clock, connections }: Rules): SettingInit[] {
  const lines = connections.map(({ pattern, how }) => `${how} ${pattern}\n`).join('');
  return [
    ...(files.length > 0 ? [fileRules(files)] : []),
    ...(clock === 'go-on' ? [] : [option('clock', clock)]),
    ...(lines === '' ? [] : [option('connections', lines)]),
  ];
}

/** What a restart does with files that have changed, beyond rules. */
export function changedFileSettings(changed: ChangedFile | undefined, accepted: readonly string[]): SettingInit[] {
  return [...(changed === 'use' ? [option('files.changed', 'use')] : []), ...accepted.map((path) => option('files.same', path))];
}

/** What the processes' plugins are told; `env` is the environment of the command that starts them. */
export function pluginSettings(plugins: LaunchParams['plugins'], env: Readonly<Record<string, string>>): SettingInit[] {
  const settings: SettingInit[] = plugins.map(({ library, settings: text }) => ({
    kind: SettingKind.SETTING_PLUGIN,
    key: library,
    value: text,
  }));
  const outside = env['CAIRN_SOCKET_OUTSIDE'];
  if (outside !== undefined) settings.push(option('socket.outside', outside));
  return settings;
}

export function environmentSettings(env: Readonly<Changes>): SettingInit[] {
  return Object.entries(env).map(([key, value]) =>
    value === null
      ? { kind: SettingKind.SETTING_ENVIRONMENT_UNSET, key, value: '' }
      : { kind: SettingKind.SETTING_ENVIRONMENT, key, value },
  );
}

/** Replaces the variables of one process over those of all. */
export function withProcessEnvironment(
  settings: readonly SettingInit[],
  one: Named,
  processEnv: readonly ProcessChanges[],
): SettingInit[] {
  const changes = changesFor(one, processEnv);
  const isEnvironment = ({ kind }: SettingInit): boolean =>
    kind === SettingKind.SETTING_ENVIRONMENT || kind === SettingKind.SETTING_ENVIRONMENT_UNSET;
  return [
    ...settings.filter((setting) => !isEnvironment(setting) || !Object.hasOwn(changes, setting.key)),
    ...environmentSettings(changes),
  ];
}
