import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromResponseError, toResponseError } from '../../debug-adapter/src/control/wire.js';
import {
  asCairnError,
  CairnError,
  describe,
  type ErrorCode,
  errorTable,
  failure,
} from '../../debug-adapter/src/protocol/errors.js';

test('numbers are unique, and every error says something', () => {
  const entries = Object.values(errorTable);
  assert.equal(new Set(entries.map((entry) => entry.number)).size, entries.length);
  for (const [code, entry] of Object.entries(errorTable)) assert.ok(entry.message !== '' && entry.remedy !== '', code);
});

test('placeholders are filled, in the message and in the remedy', () => {
  const error = failure('sessionExists', { name: 'vvp' });
  assert.equal(error.message, 'A session "vvp" is already running');
  assert.match(error.remedy, /--session vvp/);
  for (const code of Object.keys(errorTable) as ErrorCode[]) assert.doesNotMatch(describe(failure(code)), /[{}]/);
});

test('an error is the same on the other end of the control protocol', () => {
  const error = failure('snapshotPinned', { id: 'abc' });
  const there = fromResponseError(toResponseError(error, '/log'));
  assert.ok(there instanceof CairnError);
  assert.deepEqual([there.data, there.message], [error.data, error.message]);
  assert.equal(fromResponseError(new Error('of the socket')), undefined);
});

test('what nobody foresaw is an internal error with its words', () => {
  const error = asCairnError(new TypeError('x is not a function'), '/log');
  assert.equal(error.code, 'internal');
  assert.equal(error.message, 'x is not a function');
  assert.match(error.remedy, /\/log/);
});
