/** Plugins of a restart: which there are, in which order, with which settings; and what a schema beside a library allows. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  changePlugins,
  checkLive,
  checkSettings,
  findPlugin,
  type NamedPlugin,
  settingOf,
} from '../../debug-adapter/src/model/plugin-changes.js';
import { type SettingsSchema, settingsSchema } from '../../debug-adapter/src/platform/plugin-schema.js';
import { asCairnError, describe } from '../../debug-adapter/src/protocol/errors.js';
import { withScratch } from '../support/scratch.js';

const schema: SettingsSchema = {
  path: '/lib/b.schema.json',
  schema: {
    type: 'object',
    additionalProperties: false,
    properties: {
      slot: { type: 'integer', minimum: 0, description: 'Its run slot.' },
      label: { type: 'string' },
      trace: {
        type: 'object',
        properties: { level: { type: 'integer', maximum: 9, 'x-cairn-live': true }, file: { type: 'string' } },
      },
    },
  },
};
const schemaOf = (library: string): SettingsSchema | null => (library === '/lib/b.so' ? schema : null);
const a: NamedPlugin = { library: '/lib/a.so', settings: '{}', name: 'alpha' };
const b: NamedPlugin = { library: '/lib/b.so', settings: '{"slot":1}', name: 'beta' };
const c: NamedPlugin = { library: '/lib/c.so', settings: '{}' };
/** With the remedy. */
function refused(work: () => unknown, expected: RegExp): void {
  assert.throws(work, (error) => {
    assert.match(describe(asCairnError(error)), expected);
    return true;
  });
}
const names = (plugins: readonly NamedPlugin[]): string[] => plugins.map(({ library }) => library.slice(5, 6));

test('a plugin is taken out by its name, its library or that file, and nothing else changes', () => {
  for (const text of ['alpha', '/lib/a.so', 'a.so', 'a']) {
    const { plugins, without } = changePlugins([a, b, c], { withoutPlugins: [text] }, schemaOf);
    assert.deepEqual(names(plugins), ['b', 'c']);
    assert.deepEqual(without, ['/lib/a.so']);
  }
  refused(() => changePlugins([a, b], { withoutPlugins: ['gamma'] }, schemaOf), /no plugin "gamma".*there are: alpha, beta/s);
  refused(() => findPlugin([a, { ...b, name: 'alpha' }], 'alpha'), /more than one/);
});

test('one that is taken out and given anew begins in the highest layer', () => {
  const { plugins, without } = changePlugins(
    [a, c],
    { withoutPlugins: ['alpha'], plugins: [{ library: '/lib/a.so', settings: '{}' }] },
    schemaOf,
  );
  assert.deepEqual(names(plugins), ['c', 'a']);
  assert.deepEqual(without, ['/lib/a.so']);
});

test('an order has to name all, once; those given at this restart, too', () => {
  const asked = { plugins: [{ library: '/lib/d.so', settings: '{}' }] };
  assert.deepEqual(names(changePlugins([a, b, c], { ...asked, pluginOrder: ['d', 'c', 'beta', 'alpha'] }, schemaOf).plugins), [
    'd',
    'c',
    'b',
    'a',
  ]);
  for (const pluginOrder of [
    ['alpha', 'beta'],
    ['alpha', 'beta', 'c', 'alpha'],
    ['alpha', 'alpha', 'c'],
  ])
    refused(() => changePlugins([a, b, c], { pluginOrder }, schemaOf), /does not name each of them once.*alpha,beta,c/s);
});

test('settings change one by one, in the form that the schema wants; without one, as JSON where it is JSON', () => {
  const set = (text: string): string => {
    const setting = settingOf(text);
    assert.ok(setting, text);
    const { plugins } = changePlugins([{ ...a, settings: '{"what":0}' }, b], { pluginSettings: [setting] }, schemaOf);
    return plugins.map(({ settings }) => settings).join(' ');
  };
  assert.equal(set('beta.slot=2'), '{"what":0} {"slot":2}');
  assert.equal(set('beta.label=7'), '{"what":0} {"slot":1,"label":"7"}');
  assert.equal(set('beta.trace.level=3'), '{"what":0} {"slot":1,"trace":{"level":3}}');
  assert.equal(set('/lib/b.so.slot=4'), '{"what":0} {"slot":4}');
  assert.equal(set('alpha.what=[1]'), '{"what":[1]} {"slot":1}');
  assert.equal(set('alpha.what=a=b'), '{"what":"a=b"} {"slot":1}');
  assert.equal(settingOf('alpha'), undefined);
  assert.equal(settingOf('alpha=1'), undefined);
});

test('of a library that is given twice the last one counts', () => {
  const given = [
    { library: '/lib/x.so', settings: '{"a":1}' },
    { library: '/lib/y.so', settings: '{}' },
    { library: '/lib/x.so', settings: '{"a":2}' },
  ];
  assert.deepEqual(changePlugins([], { plugins: given }, schemaOf).plugins, given.slice(1));
});

test('a setting that neither a schema nor the settings of now know is refused', () => {
  const change = (settings: string, text: string) => () =>
    changePlugins([{ ...a, settings }], { pluginSettings: [settingOf(text) ?? assert.fail(text)] }, schemaOf);
  refused(change('{}', 'alpha.slot=2'), /plugin alpha has a setting "slot".*It has: none.*--plugin \/lib\/a\.so=/s);
  refused(change('{"slot":{"a":1}}', 'alpha.slot.b=2'), /a setting "slot\.b".*It has: slot/s);
  assert.equal(change('{"slot":{"a":1}}', 'alpha.slot.a=2')().plugins[0]?.settings, '{"slot":{"a":2}}');
});

test('what the schema does not allow is refused with the name, what it has to be, and where that is said', () => {
  const change = (text: string) => () => changePlugins([b], { pluginSettings: [settingOf(text) ?? assert.fail(text)] }, schemaOf);
  refused(change('beta.slot=-1'), /plugin beta .*"slot" must be >= 0 \(Its run slot\).*\/lib\/b\.schema\.json/s);
  refused(change('beta.slot=x'), /"slot" must be integer/);
  refused(change('beta.slut=1'), /"slut" is no setting of this plugin/);
  refused(change('beta.trace.level=10'), /"trace.level" must be <= 9/);
  // Settings as a whole, of new plugins and of those named again.
  const bad = { library: '/lib/b.so', settings: '{"label":1}' };
  refused(() => changePlugins([b], { plugins: [bad] }, schemaOf), /"label" must be string/);
  refused(() => changePlugins([], { plugins: [bad] }, schemaOf), /"label" must be string/);
  // Those that do not change are as they were when the schema was another one.
  changePlugins([{ ...b, settings: '{"old":1}' }], {}, schemaOf);
});

test('only what the schema marks so may change while the program runs', () => {
  checkLive(b, 'trace.level', schemaOf);
  for (const key of ['trace.file', 'slot', 'none'])
    refused(() => checkLive(b, key, schemaOf), /schema\.json does not say so.*--set beta\./s);
  refused(() => checkLive(a, 'x', schemaOf), /no schema of its settings is beside its library/);
});

test('the schema is the file beside the library', () =>
  withScratch((scratch) => {
    const library = join(scratch.folder, 'plugin.so');
    assert.equal(settingsSchema(library), null);
    const path = join(scratch.folder, 'plugin.schema.json');
    writeFileSync(path, '{"type":"object","additionalProperties":false}');
    assert.deepEqual(settingsSchema(library)?.path, path);
    refused(
      () => checkSettings({ library, settings: '{"a":1}' }, settingsSchema),
      /plugin plugin .*is no setting of this plugin/s,
    );
    writeFileSync(path, '{');
    refused(() => settingsSchema(library), /schema of the settings .*plugin\.schema\.json cannot be read/);
    return Promise.resolve();
  }));
