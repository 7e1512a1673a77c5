import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkSessionName, checkSnapshotName, freeName, sessionNameFor } from '../../debug-adapter/src/model/names.js';

test('a session name is plain and short', () => {
  for (const name of ['a', 'vvp', 'run-2', 'v1.2_x', 'a'.repeat(48)]) assert.equal(checkSessionName(name), name);
  for (const name of ['', '.', '..', '-x', 'a/b', 'a b', 'ä', 'a\n', 'a'.repeat(49)]) {
    assert.throws(() => checkSessionName(name), { code: 'badSessionName' }, JSON.stringify(name));
  }
});

test('a session gets its name from the program', () => {
  assert.equal(sessionNameFor('/usr/bin/vvp'), 'vvp');
  assert.equal(sessionNameFor('./my sim'), 'my-sim');
  assert.equal(sessionNameFor('.hidden'), 'hidden');
  for (const program of ['/', '', '…', `/${'x'.repeat(200)}`]) checkSessionName(sessionNameFor(program));
});

test('a name that is taken gets a number', () => {
  const taken = new Set(['vvp', 'vvp-2']);
  assert.equal(
    freeName('vvp', (name) => taken.has(name)),
    'vvp-3',
  );
  assert.equal(
    freeName('other', (name) => taken.has(name)),
    'other',
  );
});

test('a snapshot name is one line of printable characters', () => {
  assert.equal(checkSnapshotName('  before the reset '), 'before the reset');
  assert.equal(checkSnapshotName(''), '');
  assert.equal(checkSnapshotName('µ-Reset / ROI'), 'µ-Reset / ROI');
  for (const name of ['a\nb', 'a\u0007', 'x'.repeat(121), 'a\u2028b'])
    assert.throws(() => checkSnapshotName(name), { code: 'badSnapshotName' });
});
