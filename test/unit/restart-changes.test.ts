/** What a restart changes, in the words in which it is shown before it starts and on its branch afterwards. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Before, type Changed, restartChanges } from '../../debug-adapter/src/model/restart-changes.js';
import { changeText } from '../../debug-adapter/src/protocol/format.js';
import { checkArguments, type RestartOptions, takeProfile } from '../../extension/src/commands/restartArguments.js';

const first = { library: '/lib/first.so', settings: '{"level":1,"file":"a"}', name: 'one' };
const second = { library: '/lib/second.so', settings: '{}' };
const before: Before = {
  env: new Map([
    ['SEED', '1'],
    ['DEBUG', 'yes'],
  ]),
  plugins: [first, second],
  clock: 'go-on',
};
const as: Changed = { env: {}, processEnv: [], paths: [], plugins: before.plugins };
const said = (now: Partial<Changed>, choices: Parameters<typeof restartChanges>[2] = {}): string[] =>
  restartChanges({ ...as, ...now }, before, choices).map(changeText);

test('a restart as the snapshot was changes nothing', () => {
  assert.deepEqual(said({}), []);
  assert.deepEqual(said({ env: { SEED: '1' }, paths: [{ from: '/a', to: '/a' }] }, { clock: 'go-on', inPlace: false }), []);
});

test('environment, paths, and where it writes', () => {
  const now = {
    env: { SEED: '7', DEBUG: null, NEW: 'x' },
    processEnv: [{ process: 'vvp', env: { TRACE: '1' } }],
    paths: [{ from: '/tools', to: '/new/tools' }],
  };
  assert.deepEqual(said(now, { slot: 'night', inPlace: true, changedFiles: 'use', clock: 'continue' }), [
    'run slot: night',
    'files that are written: in a run folder → in place',
    'variable SEED: 1 → 7',
    'variable DEBUG: yes → none',
    'variable NEW: x',
    'variable TRACE of vvp: 1',
    'path /tools: /tools → /new/tools',
    'files that have changed: refused → used',
    'clock: go-on → continue',
  ]);
});

test('plugins: taken out, added, their settings one by one, and their order', () => {
  const third = { library: '/lib/third.so', settings: '{"a":true}' };
  assert.deepEqual(said({ plugins: [second, third] }), [
    'plugin one: in use → taken out',
    'plugin third: added',
    'setting third.a: true',
  ]);
  assert.deepEqual(said({ plugins: [second, { ...first, settings: '{"level":5,"slot":2}' }] }), [
    'setting one.level: 1 → 5',
    'setting one.file: "a" → not set',
    'setting one.slot: not set → 2',
    'order of plugins: one, second → second, one',
  ]);
});

test('a profile gives its plugins in its order, and no others; it takes back what was chosen of plugins before', () => {
  const snapshot = { plugins: [first, { ...second, library: '/lib/second.so' }] };
  const profiles = { slow: [{ library: '/lib/new.so' }, { library: '/lib/first.so' }] };
  const options: RestartOptions = { slot: 'night', withoutPlugins: ['one'], pluginSettings: { 'one.level': '2' } };
  takeProfile(options, { snapshot, profiles }, 'slow');
  assert.equal(checkArguments(options).join(' '), '--slot night --profile slow --without second --order new,one');
  takeProfile(options, { snapshot, profiles }, undefined);
  assert.equal(checkArguments(options).join(' '), '--slot night');
});

test('what was chosen in the editor is checked as the command would do it', () => {
  assert.deepEqual(checkArguments({}), []);
  const options = {
    env: { SEED: '7', DEBUG: null },
    paths: [{ from: '/a', to: '/b' }],
    slot: 'night',
    plugins: [{ library: '/lib/x.so' }],
    withoutPlugins: ['one'],
    pluginOrder: ['x', 'second'],
    pluginSettings: { 'second.level': '2' },
    inPlace: true,
  };
  assert.equal(
    checkArguments(options).join(' '),
    '--env SEED=7 --unset DEBUG --path /a=/b --slot night --plugin /lib/x.so --without one --order x,second --set second.level=2 --in-place',
  );
});
