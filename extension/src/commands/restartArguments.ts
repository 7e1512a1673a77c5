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
  /** Of the folder whose store it is. */
  pluginProfile?: string;
  plugins?: { library: string }[];
  withoutPlugins?: string[];
  pluginOrder?: string[];
  pluginSettings?: Record<string, string>;
}

/**
 * A profile's plugins, and no others, in its order; what was chosen of plugins before is taken back. undefined: as in the snapshot.
 * `profiles`: what each loads.
 */
export function takeProfile(
  options: RestartOptions,
  {
    snapshot,
    profiles,
  }: { snapshot: { plugins?: readonly Named[] | undefined }; profiles: Readonly<Record<string, readonly Named[]>> },
  profile: string | undefined,
): void {
  for (const key of ['pluginProfile', 'plugins', 'withoutPlugins', 'pluginOrder', 'pluginSettings'] as const) delete options[key];
  if (profile === undefined) return;
  const wanted = profiles[profile] ?? [];
  const there = snapshot.plugins ?? [];
  options.pluginProfile = profile;
  options.withoutPlugins = there.filter(({ library }) => !wanted.some((one) => one.library === library)).map(nameOf);
  options.pluginOrder = wanted.map((one) => nameOf(there.find(({ library }) => library === one.library) ?? one));
}

interface Named {
  readonly name?: string | undefined;
  readonly library: string;
}

const nameOf = ({ name, library }: Named): string => name ?? library.slice(library.lastIndexOf('/') + 1).replace(/\.so$/, '');

/** Of `cairn restart`, without those that only a start needs. */
export function checkArguments(options: RestartOptions): string[] {
  const { env = {}, paths = [], slot, pluginProfile, plugins = [], withoutPlugins = [] } = options;
  const { pluginOrder, pluginSettings = {}, inPlace } = options;
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
    ...(pluginProfile === undefined ? [] : ['--profile', pluginProfile]),
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
