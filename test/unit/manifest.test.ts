/** The extension's manifest against the code that it speaks of: what is contributed exists, and what exists is contributed. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { AttachConfiguration, LaunchConfiguration } from '../../debug-adapter/src/protocol/debug.js';
import { inTree, root } from '../support/tree.js';

interface Item {
  command: string;
  when?: string;
}
interface Contributes {
  commands: { command: string; title: string; icon?: string }[];
  menus: Record<string, Item[]>;
  keybindings: (Item & { key: string })[];
  debuggers: {
    configurationAttributes: Record<'launch' | 'attach', { properties: Record<string, unknown> }>;
    variables: Record<string, string>;
  }[];
  configuration: { properties: Record<string, unknown> };
  views: Record<string, { id: string }[]>;
  viewsWelcome: { view: string; contents: string }[];
  walkthroughs: { steps: { description: string; media: { markdown: string } }[] }[];
}
const manifest = JSON.parse(readFileSync(inTree('package.json'), 'utf8')) as { contributes: Contributes; icon: string };
const { contributes } = manifest;
const sources = readdirSync(inTree('extension/src'), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => readFileSync(join(inTree('extension/src'), name), 'utf8'))
  .join('\n');

const sorted = (names: Iterable<string>) => [...names].sort();

test('launch and attach have exactly the attributes that the adapter takes', () => {
  const [debuggerType] = contributes.debuggers;
  assert.ok(debuggerType);
  const { launch, attach } = debuggerType.configurationAttributes;
  assert.deepEqual(sorted(Object.keys(launch.properties)), sorted(Object.keys(LaunchConfiguration.shape)));
  assert.deepEqual(sorted(Object.keys(attach.properties)), sorted(Object.keys(AttachConfiguration.shape)));
});

test('each contributed command is registered', () => {
  assert.ok(contributes.commands.length > 10);
  for (const { command } of contributes.commands) assert.ok(sources.includes(`'${command}'`), `${command} is not registered`);
});

test('menus, keys, variables, views and texts name only what there is', () => {
  const commands = new Set(contributes.commands.map(({ command }) => command));
  for (const [menu, items] of Object.entries(contributes.menus))
    for (const { command } of items) assert.ok(commands.has(command), `${menu}: ${command}`);
  for (const { command } of contributes.keybindings) assert.ok(sources.includes(`'${command}'`), `key of ${command}`);
  for (const command of Object.values(contributes.debuggers[0]?.variables ?? {}))
    assert.ok(sources.includes(`'${command}'`), command);
  const texts = [
    ...contributes.viewsWelcome.map(({ contents }) => contents),
    ...contributes.walkthroughs.flatMap(({ steps }) => steps.map(({ description }) => description)),
  ];
  for (const text of texts)
    for (const [, command = ''] of text.matchAll(/\(command:(cairn\.\w+)\)/g)) assert.ok(commands.has(command), command);
  const views = new Set(Object.values(contributes.views).flatMap((list) => list.map(({ id }) => id)));
  for (const { view } of contributes.viewsWelcome) assert.ok(views.has(view), view);
});

test('each view is provided, and each setting is read', () => {
  for (const { id } of Object.values(contributes.views).flat()) {
    const [, name = ''] = id.split('.');
    assert.ok(sources.includes(`'${id}'`) || sources.includes(`PanelHost(context, '${name}')`), `${id} has no provider`);
  }
  for (const setting of Object.keys(contributes.configuration.properties)) {
    const name = setting.replace(/^cairn\./, '');
    assert.ok(sources.includes(`'${name}'`), `${setting} is not read`);
  }
});

test('a menu item of a tree fits some element of it', () => {
  const values = [
    'snapshot pinned whole',
    'snapshot unpinned damaged',
    'snapshot unpinned whole',
    'session live running terminal',
    'session live held run',
    'session exited terminal',
    'session live checkpointing',
    'branch',
    'store',
  ];
  for (const { command, when = '' } of contributes.menus['view/item/context'] ?? []) {
    const pattern = /viewItem =~ \/(.*)\/$/.exec(when)?.[1];
    assert.ok(pattern, `${command}: ${when}`);
    const fits = values.filter((value) => new RegExp(pattern).test(value));
    assert.ok(fits.length > 0 && fits.length < values.length, `${command}: ${pattern} fits ${fits.length} kinds of elements`);
  }
});

test('files that the manifest names are there', () => {
  const named = [
    manifest.icon,
    ...contributes.walkthroughs.flatMap(({ steps }) => steps.map(({ media }) => media.markdown)),
    ...(JSON.stringify(manifest).match(/media\/[\w./-]+/g) ?? []),
  ];
  for (const file of named) assert.ok(existsSync(join(root, file)), file);
});
