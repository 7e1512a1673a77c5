/**
 * What was chosen for a restart, as a launch configuration takes it, and as options of the command. Pure.
 * Tests: test/unit/restart-changes.test.ts.
 */

/** Part of a launch configuration. */
export interface RestartOptions {
  inPlace?: boolean;
  session?: string;
  env?: Record<string, string | null>;
  paths?: { from: string; to: string }[];
  slot?: string;
  plugins?: { library: string }[];
  withoutPlugins?: string[];
  pluginOrder?: string[];
  pluginSettings?: Record<string, string>;
}

/** Of `cairn restart`, without those that only a start needs. */
export function checkArguments(options: RestartOptions): string[] {
  const { env = {}, paths = [], slot, plugins = [], withoutPlugins = [], pluginOrder, pluginSettings = {}, inPlace } = options;
  const each = (option: string, values: readonly string[]): string[] => values.flatMap((value) => [option, value]);
  const variables = Object.entries(env);
  return [
    ...each(
      '--env',
      variables.flatMap(([name, value]) => (value === null ? [] : [`${name}=${value}`])),
    ),
    ...each(
      '--unset',
      variables.flatMap(([name, value]) => (value === null ? [name] : [])),
    ),
    ...each(
      '--path',
      paths.map(({ from, to }) => `${from}=${to}`),
    ),
    ...(slot === undefined ? [] : ['--slot', slot]),
    ...each(
      '--plugin',
      plugins.map(({ library }) => library),
    ),
    ...each('--without', withoutPlugins),
    ...(pluginOrder === undefined ? [] : ['--order', pluginOrder.join(',')]),
    ...each(
      '--set',
      Object.entries(pluginSettings).map(([name, value]) => `${name}=${value}`),
    ),
    ...(inPlace ? ['--in-place'] : []),
  ];
}
