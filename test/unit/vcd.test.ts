/** What differs between the waveforms of two runs. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { differenceOf, writeDifference } from '../../debug-adapter/src/model/vcd.js';

async function* lines(text: string): AsyncGenerator<string> {
  for (const line of text.split('\n')) yield line;
}

const header = `$date today $end
$timescale
  1ns
$end
$scope module tb $end
$var wire 1 ! clk $end
$scope module core $end
$var reg 8 " pc [7:0] $end
$var wire 8 " pc_alias [7:0] $end
$var real 64 # r $end
$upscope $end
$upscope $end
$enddefinitions $end
`;
const golden = `${header}#0
$dumpvars
0!
b0 "
r1.5 #
$end
#5
1!
b00000011 "
#10
0!
b100 "
#15
1!
#20
`;

test('the same dump differs nowhere, however its vectors are written', async () => {
  const other = golden.replace('b00000011', 'b11');
  assert.deepEqual(await differenceOf(lines(golden), lines(other), 9), { signals: [], first: null });
});

test('signals that differ are told with the first moment, also those that are the same again later', async () => {
  const other = golden.replace('b100 "', 'b101 "\nr2.5 #').replace('#15\n1!', '#15\n1!\nb100 "');
  const found = await differenceOf(lines(golden), lines(other), 9);
  assert.deepEqual(found, {
    signals: ['tb.core.pc', 'tb.core.pc_alias', 'tb.core.r'],
    first: { signal: 'tb.core.pc', time: 10 },
  });
  assert.equal((await differenceOf(lines(golden), lines(other), 1)).signals.length, 1);
  let text = '';
  await writeDifference(lines(golden), lines(other), ['tb.core.pc'], (part) => (text += part));
  assert.match(text, /^\$timescale 1ns \$end\n/);
  assert.match(
    text,
    /\$scope module difference \$end\n\$scope module tb \$end\n\$scope module core \$end\n\$var wire 1 (\S+) pc \$end\n/,
  );
  const ids = [...text.matchAll(/\$var \w+ (\d+) (\S+) pc/g)].map(([, , id]) => id ?? '');
  const [differs = '', was = '', is = ''] = ids;
  const parts = text.slice(text.indexOf('$enddefinitions')).split(/^#(?=\d+$)/m);
  const at = (time: number): string[] => {
    const [, ...told] =
      parts
        .find((part) => part.startsWith(`${time}\n`))
        ?.trim()
        .split('\n') ?? [];
    return told;
  };
  assert.deepEqual(at(0), [`0${differs}`, `b0 ${was}`, `b0 ${is}`]);
  assert.deepEqual(at(10), [`1${differs}`, `b100 ${was}`, `b101 ${is}`]);
  assert.deepEqual(at(15), [`0${differs}`, `b100 ${is}`]);
  // It can be read as a dump: the difference with itself is none.
  assert.deepEqual((await differenceOf(lines(text), lines(text), 9)).signals, []);
});

test('where one run has ended nothing more is compared', async () => {
  const other = golden.replace(/#10[\s\S]*/, '');
  assert.deepEqual(await differenceOf(lines(golden), lines(other), 9), { signals: [], first: null });
});
