import assert from 'node:assert/strict';
import test from 'node:test';
import {
  freeName,
  moved,
  PluginProfiles,
  parseProfiles,
  pluginsOfProfile,
} from '../../debug-adapter/src/protocol/plugin-profiles.js';

test('a plugin moves among the others', () => {
  assert.deepEqual(moved(['a', 'b', 'c'], 0, 2), ['b', 'c', 'a']);
  assert.deepEqual(moved(['a', 'b', 'c'], 2, 1), ['a', 'c', 'b']);
  assert.deepEqual(moved(['a', 'b'], 0, 2), ['a', 'b']);
  assert.deepEqual(moved(['a', 'b'], -1, 0), ['a', 'b']);
});

test('a name that is taken is numbered', () => {
  assert.equal(freeName('default', []), 'default');
  assert.equal(freeName('default', ['default', 'default 2']), 'default 3');
});

test('profiles with words that nobody knows are refused', () => {
  assert.deepEqual(PluginProfiles.parse({}), { profiles: {} });
  assert.equal(PluginProfiles.safeParse({ profiles: { a: [{ libary: 'x.so' }] } }).success, false);
  assert.equal(PluginProfiles.safeParse({ profiles: { a: [{ library: '' }] } }).success, false);
});

test('a profile gives its plugins by absolute paths, those that are on', () => {
  const profiles = parseProfiles(`{
    // the slow one
    "profiles": { "slow": [{ "library": "./build/a.so", "settings": { "k": 1 } }, { "library": "b.so", "disabled": true },
                           { "library": "\${workspaceFolder}/c.so" }, { "library": "/lib/d.so" }, { "library": "../x/./e.so" }], },
  }`);
  assert.deepEqual(pluginsOfProfile(profiles, 'slow', '/w'), [
    { library: '/w/build/a.so', settings: { k: 1 } },
    { library: '/w/c.so' },
    { library: '/lib/d.so' },
    { library: '/x/e.so' },
  ]);
  assert.throws(() => pluginsOfProfile(profiles, 'toString', '/w'), { code: 'usage', remedy: 'There are: slow.' });
});

test('a file of profiles that is wrong is refused with the place', () => {
  assert.throws(() => parseProfiles('{\n  "profiles": {\n'), { message: /cairn-plugins.json, line 3: / });
  assert.throws(() => parseProfiles('{"profiles":{"a":[{}]}}'), { message: /"profiles.a.0.library"/ });
});
