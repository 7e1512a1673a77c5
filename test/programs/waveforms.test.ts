/**
 * Icarus with a waveform in LXT2, by a dumper thread: what a restart writes is the waveform of an undisturbed run. (Icarus and Verilator
 * with the sample, in VCD and FST: test/simulators/soc.test.ts.)
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { source } from './built.js';
import { programTest } from './program-under-cairn.js';

/** A hash of it without what two equal runs differ in: the date. */
function content(file: string): string {
  const text = readFileSync(file)
    .toString('latin1')
    .replace(/^\$date[^$]*\$end/m, '');
  return `${text.length} bytes, ${createHash('sha256').update(text).digest('hex')}`;
}

programTest({
  name: 'Icarus, -lxt2',
  command: ['vvp', 'design', '-lxt2'],
  needs: ['iverilog', 'vvp'],
  prepare: (folder) => void execFileSync('iverilog', ['-o', 'design', source('counter.v')], { cwd: folder }),
  begun: /^begun$/,
  waits: true,
  result: (find) => content(find('waves.out')),
});
