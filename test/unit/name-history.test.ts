import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withHistory } from '../../debug-adapter/src/model/name-history.js';
import type { TableRow } from '../../debug-adapter/src/protocol/control.js';

const row = (virtual: string, real: string, detail: string, since = ''): TableRow => ({
  virtualPid: 7,
  virtual,
  real,
  before: '',
  owner: 'pid',
  detail,
  since,
});
const then = (session: string, snapshot: string | null, rows: TableRow[]) => ({ session, snapshot, at: `at ${snapshot}`, rows });

test('one real name for each run, with the first snapshot that shows it; what was not there is left out', () => {
  const first = [row('7', '7', 'process'), row('7', '7', 'group')];
  const restarted = [row('7', '90', 'process', 'restart'), row('7', '91', 'group', 'restart'), row('8', '92', 'thread a')];
  const now = [row('7', '300', 'process'), row('7', '301', 'group'), row('8', '302', 'thread b'), row('9', '303', 'new')];
  const found = withHistory(
    [then('one', 'a', first), then('one', 'b', first), then('two', 'c', restarted)],
    then('three', null, now),
  );
  const told = found.map(({ history }) => history.map(({ session, snapshot, real }) => [session, snapshot, real].join(' ')));
  assert.deepEqual(told, [
    ['one a 7', 'two c 90', 'three  300'],
    ['one a 7', 'two c 91', 'three  301'],
    ['two c 92', 'three  302'],
    ['three  303'],
  ]);
  assert.deepEqual(
    found[0]?.history.map(({ at }) => at),
    ['at a', 'restart', 'at null'],
  );
});

test('a name that changes within a run has both', () => {
  const [only] = withHistory([then('one', 'a', [row('3', '/tmp/x', 'file')])], then('one', 'b', [row('3', '/tmp/y', 'file')]));
  assert.deepEqual(
    only?.history.map(({ snapshot, real }) => [snapshot, real]),
    [
      ['a', '/tmp/x'],
      ['b', '/tmp/y'],
    ],
  );
});
