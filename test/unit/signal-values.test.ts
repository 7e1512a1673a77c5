/** Values of design signals, as people write them and as the plugin `hdl` takes and gives them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseSignalCondition } from '../../debug-adapter/src/model/signal-condition.js';
import { formatSignalValue, parseSignalValue } from '../../debug-adapter/src/model/signal-values.js';

test('values are written as in Verilog', () => {
  const expected: Record<string, string> = {
    '0': '00',
    '10': '01010',
    '+3': '011',
    "'h1f": '000011111',
    "8'hA5": '010100101',
    "'b1_0xz": '010xz',
    "'bx01": 'xx01',
    "4'hz": 'zzzzz',
    "'o17": '0001111',
    "'d12": '01100',
    "'dx": 'xx',
    "'b?0": 'zz0',
    "'sh8": '01000',
    '0xff': '011111111',
    '-1': '111',
    '-2': '1110',
    '1.5': 'r1.5',
    '1e3': 'r1000',
    '-0.25': 'r-0.25',
  };
  for (const [text, digits] of Object.entries(expected)) assert.equal(parseSignalValue(text), digits, text);
  for (const text of ['', 'x', "'b12", "'h", "'q1", '1 2', '0xz', "4'hff", "'d1x", '--1'])
    assert.throws(() => parseSignalValue(text), { code: 'usage' }, text);
  assert.equal(parseSignalValue("8'hxx"), 'xxxxxxxxx');
  assert.equal(parseSignalValue("4'h00f"), '0000000001111');
});

test('values are shown so that they can be written again', () => {
  const expected: Record<string, string | null> = {
    '': null,
    '1': "1'b1",
    x: "1'bx",
    '00101010': "8'h2a",
    '101': "3'h5",
    xxxxzzzz: "8'hxz",
    x0100: "5'hx4",
    '01xz': "4'b01xz",
    xx: "2'hx",
    'r0.5': '0.5',
    r2: '2.0',
    'r-1e+30': '-1e+30',
  };
  for (const [digits, text] of Object.entries(expected)) {
    assert.equal(formatSignalValue(digits), text, digits);
    if (text !== null) assert.doesNotThrow(() => parseSignalValue(text), text);
  }
});

test('a condition is an operator and a value; a value alone is to be met; nothing is every change', () => {
  const all: [string | undefined, string, string][] = [
    [undefined, 'any', ''],
    ['  ', 'any', ''],
    ['== 3', '==', '011'],
    ['=3', '==', '011'],
    ["8'hff", '==', '011111111'],
    ['!= 0', '!=', '00'],
    ['>= 1.5', '>=', 'r1.5'],
    ['<2', '<', '010'],
  ];
  for (const [text, operation, value] of all) assert.deepEqual(parseSignalCondition(text), { operation, value });
  for (const text of ['==', '> much', '3 + 4']) assert.throws(() => parseSignalCondition(text), { code: 'usage' });
});
