import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  changedFileSettings,
  environmentSettings,
  ruleSettings,
  withProcessEnvironment,
} from '../../debug-adapter/src/coordinator/settings.js';

const pairs = (settings: readonly { key: string; value: string }[]): [string, string][] =>
  settings.map(({ key, value }) => [key, value]);

test('rules are told where they are other than usual', () => {
  assert.deepEqual(ruleSettings({ files: [], clock: 'go-on', connections: [] }), []);
  const files = [
    { pattern: '*.vcd', how: 'save' },
    { pattern: '/a/**', how: 'ignore' },
  ] as const;
  assert.deepEqual(
    pairs(ruleSettings({ files: [...files], clock: 'continue', connections: [{ pattern: '10.*', how: 'close' }] })),
    [
      ['files', 'save *.vcd\nignore /a/**\n'],
      ['clock', 'continue'],
      ['connections', 'close 10.*\n'],
    ],
  );
  assert.deepEqual(pairs(changedFileSettings('use', ['/x'])), [
    ['files.changed', 'use'],
    ['files.same', '/x'],
  ]);
  assert.deepEqual(changedFileSettings('refuse', []), []);
});

test('variables of one process stand in place of those of all', () => {
  const all = environmentSettings({ SEED: '1', MODE: 'a', OLD: null });
  const one = { virtualPid: 5, executable: '/bin/sim', argv: ['sim'] };
  const changed = [
    { process: 'sim', env: { SEED: '2', MODE: null } },
    { process: 'other', env: { SEED: '3' } },
    { process: '5', env: { SEED: '4' } },
  ];
  assert.deepEqual(pairs(withProcessEnvironment(all, one, changed)), [
    ['OLD', ''],
    ['SEED', '4'],
    ['MODE', ''],
  ]);
});
