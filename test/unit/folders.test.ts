/** Which workspace folder a snapshot, a program or a launch configuration belongs to, where there are several. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { folderAround, folderOfRun } from '../../extension/src/session/folders.js';

const a = { path: '/w/a', store: '/w/a/.cairn' };
const b = { path: '/w/b', store: '/w/b/.cairn' };
const inner = { path: '/w/a/inner', store: '/shared' };
const other = { path: '/w/c', store: '/shared' };

test('the innermost folder around a path', () => {
  assert.equal(folderAround([a, b, inner], '/w/a/inner/run'), inner);
  assert.equal(folderAround([inner, a, b], '/w/a/inn'), a);
  assert.equal(folderAround([a, b], '/w/ab'), undefined);
  const root = { path: '/', store: '/.cairn' };
  assert.equal(folderAround([root, a], '/w'), root);
});

test('a run belongs to the folder whose store it is; with a store of several, or of none, to the one that it ran in', () => {
  assert.equal(folderOfRun([a, b], { store: '/w/b/.cairn', cwd: '/w/a' }), b);
  assert.equal(folderOfRun([a, inner, other], { store: '/shared', cwd: '/w/c/run' }), other);
  assert.equal(folderOfRun([a, inner, other], { store: '/shared', cwd: '/w/a/inner' }), inner);
  // Only folders that have the store count.
  assert.equal(folderOfRun([a, inner, other], { store: '/shared', cwd: '/w/a/run' }), inner);
  assert.equal(folderOfRun([a, b], { store: '/scratch', cwd: '/w/b/run' }), b);
  assert.equal(folderOfRun([a, b], { store: '/scratch', cwd: '' }), undefined);
  assert.equal(folderOfRun([a], { store: '/scratch', cwd: '' }), a);
});
