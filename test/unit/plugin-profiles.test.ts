import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { profilePlugins } from '../../debug-adapter/src/platform/plugin-profiles.js';
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

test('a profile is that of the nearest folder above that has profiles', () => {
  const root = mkdtempSync(join(tmpdir(), 'cairn-u-'));
  try {
    mkdirSync(join(root, 'w/.vscode'), { recursive: true });
    mkdirSync(join(root, 'w/run/1'), { recursive: true });
    writeFileSync(join(root, 'w/.vscode/cairn-plugins.json'), '{"profiles":{"p":[{"library":"a.so","settings":{"x":2}}]}}');
    assert.throws(() => profilePlugins('p', [join(root, 'w')], 'x'), { code: 'fileNotReadable', message: /w\/a\.so/ });
    writeFileSync(join(root, 'w/a.so'), '');
    assert.deepEqual(profilePlugins('p', [join(root, 'w/run/1')], 'x'), [{ library: join(root, 'w/a.so'), settings: '{"x":2}' }]);
    assert.throws(() => profilePlugins('q', [join(root, 'w')], 'x'), { code: 'usage', message: /"q"/ });
    assert.throws(() => profilePlugins('p', [root], 'x'), { code: 'usage', message: /there is no/ });
    // Of several places the first that has profiles counts, whichever they are.
    mkdirSync(join(root, 'other/.vscode'), { recursive: true });
    writeFileSync(join(root, 'other/.vscode/cairn-plugins.json'), '{"profiles":{"q":[]}}');
    assert.deepEqual(profilePlugins('q', [root, join(root, 'other/.cairn'), join(root, 'w')], 'x'), []);
    assert.throws(() => profilePlugins('p', [join(root, 'other'), join(root, 'w')], 'x'), { code: 'usage', message: /"p"/ });
  } finally {
    rmSync(root, { recursive: true });
  }
});
