/**
 * The plugins of a restart, as the user changes them in lists: taken out, added, in other layers, with other settings.
 */
import * as vscode from 'vscode';
import type { ProfilePlugin } from '../../../debug-adapter/src/protocol/plugin-profiles.js';
import type { SnapshotSummary } from '../../../debug-adapter/src/protocol/snapshot.js';
import { messageOf } from '../platform/errors.js';
import { type RestartOptions, takeProfile } from './restartArguments.js';

interface Choice extends vscode.QuickPickItem {
  readonly act: () => Promise<void> | void;
}

/** By its name where it has told one, else by its library's. */
interface Listed {
  readonly name: string;
  readonly library: string;
  readonly settings: string;
  readonly added: boolean;
  /** By the profile: it stays, or another profile is chosen. */
  readonly ofProfile: boolean;
}

/** What there is to choose from. */
export interface Known {
  readonly snapshot: SnapshotSummary;
  /** Of the folder whose store it is: what each loads, by absolute paths. */
  profiles: Readonly<Record<string, readonly ProfilePlugin[]>>;
  readonly readProfiles: () => Promise<Known['profiles']>;
}

export function describePlugins(
  { pluginProfile, plugins = [], withoutPlugins = [], pluginOrder, pluginSettings = {} }: RestartOptions,
  { snapshot }: Known,
): string {
  const parts = [
    ...(pluginProfile === undefined ? [] : [`profile ${pluginProfile}`]),
    ...withoutPlugins.map((name) => `without ${name}`),
    ...plugins.map(({ library }) => `with ${stem(library)}`),
    ...Object.entries(pluginSettings).map(([name, value]) => `${name}=${value}`),
    ...(pluginOrder === undefined ? [] : [`order ${pluginOrder.join(', ')}`]),
  ];
  if (parts.length > 0) return parts.join(', ');
  const there = (snapshot.plugins ?? []).map(({ name, library }) => name ?? stem(library));
  return there.length === 0 ? 'none from outside' : `${there.join(', ')}, as at the snapshot`;
}

/** Until it is left, by Escape or by going back. */
export async function editPlugins(options: RestartOptions, known: Known): Promise<void> {
  try {
    known.profiles = await known.readProfiles();
  } catch (error) {
    // All else can be chosen without them.
    void vscode.window.showErrorMessage(messageOf(error));
  }
  for (;;) {
    const back: Choice = { label: '$(arrow-left) Back', act: () => undefined };
    // As an event of a checkpoint goes: from the highest layer down.
    const listed = [...ordered(options, known)].reverse();
    const choices: Choice[] = [
      back,
      ...listed.map((one) => ({
        label: `$(plug) ${one.name}`,
        description: state(one, options),
        detail: one.library,
        act: () => editOne(one, options, known),
      })),
      { label: '$(add) Add a plugin…', act: () => add(options) },
      ...(Object.keys(known.profiles).length === 0
        ? []
        : [{ label: '$(list-ordered) Those of a profile…', act: () => useProfile(options, known) }]),
    ];
    const picked = await vscode.window.showQuickPick(choices, {
      title: 'Plugins of the restart',
      placeHolder: 'From the highest layer down; choose one to change it',
    });
    if (picked === undefined || picked === back) return;
    await picked.act();
  }
}

async function editOne(one: Listed, options: RestartOptions, known: Known): Promise<void> {
  const out = isOut(one, options);
  const takesOut: Choice = {
    label: '$(trash) Take it out',
    description: 'its callbacks are not called any more, its wrappers are undone',
    act: () => takeOut(one, options),
  };
  const choices: Choice[] = [
    ...(out ? [{ label: '$(add) Keep it', act: () => keep(one, options) }] : one.ofProfile ? [] : [takesOut]),
    ...(out
      ? []
      : [
          { label: '$(gear) Change a setting…', description: one.settings, act: () => editSetting(one, options) },
          { label: '$(arrow-up) Move to a higher layer', act: () => move(one, 1, options, known) },
          { label: '$(arrow-down) Move to a lower layer', act: () => move(one, -1, options, known) },
        ]),
  ];
  const picked = await vscode.window.showQuickPick(choices, { title: one.name, placeHolder: 'What to change' });
  await picked?.act();
}

async function editSetting(one: Listed, options: RestartOptions): Promise<void> {
  const text = await vscode.window.showInputBox({
    title: `Setting of ${one.name}`,
    prompt: `KEY=VALUE; KEY alone takes the change back. Now: ${one.settings}`,
    placeHolder: 'KEY=VALUE',
    validateInput: (value) => (/^[^=]+(=|$)/.test(value) ? undefined : 'KEY=VALUE'),
  });
  if (text === undefined) return;
  const equals = text.indexOf('=');
  const name = `${one.name}.${equals < 0 ? text : text.slice(0, equals)}`;
  const { [name]: _, ...others } = options.pluginSettings ?? {};
  options.pluginSettings = equals < 0 ? others : { ...others, [name]: text.slice(equals + 1) };
}

/** Its plugins with their settings in its order, and no others; what was chosen of plugins before is taken back. */
async function useProfile(options: RestartOptions, known: Known): Promise<void> {
  const same = { label: '$(discard) As at the snapshot', profile: undefined };
  const picked = await vscode.window.showQuickPick(
    [
      same,
      ...Object.entries(known.profiles).map(([profile, plugins]) => ({
        label: profile,
        profile,
        description: plugins.map(({ library }) => stem(library)).join(', '),
      })),
    ],
    { title: 'Profile of plugins', placeHolder: 'What is other than in the snapshot is shown before it starts' },
  );
  if (picked !== undefined) takeProfile(options, known, picked.profile);
}

async function add(options: RestartOptions): Promise<void> {
  const chosen = await vscode.window.showOpenDialog({
    title: 'Plugin to add',
    openLabel: 'Add',
    canSelectMany: false,
    filters: { Plugins: ['so'] },
  });
  const library = chosen?.[0]?.fsPath;
  if (library === undefined || options.plugins?.some((one) => one.library === library)) return;
  options.plugins = [...(options.plugins ?? []), { library }];
  if (options.pluginOrder) options.pluginOrder = [...options.pluginOrder, stem(library)];
}

function takeOut(one: Listed, options: RestartOptions): void {
  if (one.added) options.plugins = (options.plugins ?? []).filter(({ library }) => library !== one.library);
  else options.withoutPlugins = [...(options.withoutPlugins ?? []), one.name];
  if (options.pluginOrder) options.pluginOrder = options.pluginOrder.filter((name) => name !== one.name);
  const settings = Object.entries(options.pluginSettings ?? {}).filter(([name]) => !name.startsWith(`${one.name}.`));
  options.pluginSettings = Object.fromEntries(settings);
}

function keep(one: Listed, options: RestartOptions): void {
  options.withoutPlugins = (options.withoutPlugins ?? []).filter((name) => name !== one.name);
  if (options.pluginOrder) options.pluginOrder = [...options.pluginOrder, one.name];
}

function move(one: Listed, by: number, options: RestartOptions, known: Known): void {
  const order = ordered(options, known)
    .filter((other) => !isOut(other, options))
    .map(({ name }) => name);
  const from = order.indexOf(one.name);
  const other = order[from + by];
  if (other === undefined) return;
  order[from + by] = one.name;
  order[from] = other;
  options.pluginOrder = order;
}

/** The lowest layer first; those that are taken out stay where they were. */
function ordered(options: RestartOptions, { snapshot, profiles }: Known): Listed[] {
  const { plugins = [], pluginOrder, pluginProfile = '' } = options;
  const ofProfile = profiles[pluginProfile] ?? [];
  const there = (snapshot.plugins ?? []).map(({ name, library, settings }) => {
    const given = ofProfile.find((one) => one.library === library);
    const now = given?.settings === undefined ? settings : JSON.stringify(given.settings);
    return { name: name ?? stem(library), library, settings: now, added: false, ofProfile: given !== undefined };
  });
  const all: Listed[] = [
    ...there,
    ...ofProfile
      .filter(({ library }) => !there.some((one) => one.library === library))
      .map(({ library, settings = {} }) => ({
        name: stem(library),
        library,
        settings: JSON.stringify(settings),
        added: true,
        ofProfile: true,
      })),
    ...plugins.map(({ library }) => ({ name: stem(library), library, settings: '{}', added: true, ofProfile: false })),
  ];
  if (pluginOrder === undefined) return all;
  const place = ({ name }: Listed): number => pluginOrder.indexOf(name);
  return all.sort((a, b) => place(a) - place(b));
}

const isOut = (one: Listed, { withoutPlugins = [] }: RestartOptions): boolean => !one.added && withoutPlugins.includes(one.name);

function state(one: Listed, options: RestartOptions): string {
  if (isOut(one, options)) return 'taken out';
  const settings = Object.entries(options.pluginSettings ?? {}).filter(([name]) => name.startsWith(`${one.name}.`));
  const parts = [
    ...(one.added ? ['added'] : []),
    ...settings.map(([name, value]) => `${name.slice(one.name.length + 1)}=${value}`),
  ];
  return parts.join(', ') || one.settings;
}

function stem(library: string): string {
  return library.slice(library.lastIndexOf('/') + 1).replace(/\.so$/, '');
}
