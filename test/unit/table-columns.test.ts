import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TableRow } from '../../debug-adapter/src/protocol/control.js';
import { filterRows, parseFilter } from '../../debug-adapter/src/protocol/table-columns.js';

const row = (fields: Partial<TableRow>): TableRow => ({
  virtualPid: 7,
  virtual: '',
  real: '',
  before: '',
  owner: 'env',
  detail: '',
  since: '',
  ...fields,
});

test('a filter is for one column where it names one', () => {
  assert.deepEqual(parseFilter('real=/tools'), { column: 'real', text: '/tools' });
  assert.deepEqual(parseFilter('Owner=pid'), { column: 'owner', text: 'pid' });
  assert.deepEqual(parseFilter('/tools'), { text: '/tools' });
  assert.deepEqual(parseFilter('SEED=7'), { text: 'SEED=7' });
  assert.deepEqual(parseFilter('=x'), { text: '=x' });
  assert.deepEqual(parseFilter('virtual='), { column: 'virtual', text: '' });
});

test('rows fit all filters, whatever the case of letters', () => {
  const rows = [row({ virtual: 'HOME', real: '/home/ada' }), row({ virtual: 'PWD', real: '/home/ada/soc', virtualPid: 12 })];
  const left = (...texts: string[]): string[] => filterRows(rows, texts.map(parseFilter)).map((one) => one.virtual);
  assert.deepEqual(left(), ['HOME', 'PWD']);
  assert.deepEqual(left('ADA'), ['HOME', 'PWD']);
  assert.deepEqual(left('ada', 'real=soc'), ['PWD']);
  assert.deepEqual(left('virtual=home'), ['HOME']);
  assert.deepEqual(left('process=12'), ['PWD']);
  assert.deepEqual(left('before=x'), []);
});
