/** What processes say in the same words is kept once, and what is different in each is not kept for ever. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SharedWords } from '../../debug-adapter/src/coordinator/shared-words.js';
import type { PluginStatus } from '../../debug-adapter/src/protocol/control.js';

const plugin = (name: string): PluginStatus => ({
  name,
  version: '1',
  author: '',
  library: '',
  layer: 3,
  barriers: ['drain'],
  restartBarriers: [],
  error: '',
});

test('processes with equal plugins share one list of them', () => {
  const words = new SharedWords();
  const first = words.plugins([plugin('file'), plugin('socket')]);
  assert.equal(words.plugins([plugin('file'), plugin('socket')]), first);
  assert.notEqual(words.plugins([plugin('socket'), plugin('file')]), first);
  assert.notEqual(words.plugins([plugin('file'), { ...plugin('socket'), error: 'too old' }]), first);
});

test('lists that differ in every process are not kept for ever', () => {
  const words = new SharedWords();
  const first = words.plugins([plugin('one')]);
  for (let count = 0; count < 1000; count++) words.plugins([plugin(`plugin ${count}`)]);
  assert.notEqual(words.plugins([plugin('one')]), first);
});

test('a word is what it was, however long and however many there are', () => {
  const words = new SharedWords();
  for (let count = 0; count < 1500; count++) assert.equal(words.word(`word ${count}`), `word ${count}`);
  const long = 'x'.repeat(100_000);
  assert.equal(words.word(long), long);
});
