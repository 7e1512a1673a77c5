import assert from 'node:assert/strict';
import test from 'node:test';
import type { TableRow } from '../../debug-adapter/src/protocol/control.js';
import { asText, matching } from '../../webview-ui/src/names/rows.js';

const row = (virtual: string, real: string, detail = ''): TableRow => ({
  virtualPid: 7,
  virtual,
  real,
  before: '',
  owner: 'path',
  detail,
  since: '',
});
const rows = [row('/work/soc.vcd', '/runs/1/soc.vcd', 'open'), row('/work/soc.log', '/work/soc.log'), row('HOME', '/home/Ada')];

test('every word of the filter has to occur somewhere in the row, in any case', () => {
  assert.deepEqual(matching(rows, '', ''), rows);
  assert.deepEqual(matching(rows, '  ', ''), rows);
  assert.deepEqual(matching(rows, 'soc open', ''), [rows[0]]);
  assert.deepEqual(matching(rows, 'ADA', ''), [rows[2]]);
  assert.deepEqual(matching(rows, 'soc ada', ''), []);
});

test('a word can be for one column', () => {
  assert.deepEqual(matching(rows, 'real=runs', ''), [rows[0]]);
  assert.deepEqual(matching(rows, 'virtual=soc real=work', ''), [rows[1]]);
  assert.deepEqual(matching(rows, 'soc', 'real'), [rows[0], rows[1]]);
  assert.deepEqual(matching(rows, 'home', 'virtual'), [rows[2]]);
  assert.deepEqual(matching(rows, 'open', 'owner'), []);
  assert.deepEqual(matching([row('X', 'a=b')], 'a=b', ''), [row('X', 'a=b')], 'what is no column is text');
});

test('a copied table has a line a row, whatever is in the values', () => {
  const lines = asText([row('X', 'a\tb\nc')]).split('\n');
  assert.deepEqual(lines, ['virtual\treal\tbefore restart\tplugin\tdetail\tsince', 'X\ta b c\t\tpath\t\t']);
});
