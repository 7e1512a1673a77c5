/**
 * Simulators of Debian with their forms of waveform: FST (unlinked temporary files, mapped shared), GHW and LXT2. What
 * a restart writes is the waveform of an undisturbed run. (Icarus and Verilator with the sample: test/simulators/soc.test.ts.)
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { built, source, verilate } from './built.js';
import { programTest } from './program-under-cairn.js';

/** A hash of it without what two equal runs differ in: the date. */
function content(file: string, form: string): string {
  let bytes: Buffer = readFileSync(file);
  // An FST may be in a wrapper that is compressed as a whole; its first block holds the date as text of 119 bytes.
  if (form === 'fst' && bytes[0] === 254) bytes = gunzipSync(bytes.subarray(17));
  if (form === 'fst') bytes.fill(0, 202, 321);
  const text = bytes.toString('latin1').replace(/^\$date[^$]*\$end/m, '');
  return `${text.length} bytes, ${createHash('sha256').update(text).digest('hex')}`;
}

for (const form of ['fst', 'wave']) {
  programTest({
    name: `GHDL, mcode, --${form}`,
    command: ['ghdl-mcode', '-r', 'counter', `--${form}=waves`],
    needs: ['ghdl-mcode'],
    prepare: (folder) => void execFileSync('ghdl-mcode', ['-a', source('counter.vhdl')], { cwd: folder }),
    begun: /count 0$/,
    waits: true,
    result: (find) => content(find('waves'), form),
  });
}

programTest({
  name: 'GHDL, llvm, --fst',
  // Its output is standard I/O's, which keeps what is written to a pipe until it has a page of it.
  command: ['stdbuf', '-oL', './counter', '--fst=waves'],
  needs: ['ghdl-llvm', 'gcc', 'stdbuf'],
  prepare: (folder) => {
    execFileSync('ghdl-llvm', ['-a', source('counter.vhdl')], { cwd: folder });
    execFileSync('ghdl-llvm', ['-e', 'counter'], { cwd: folder });
  },
  begun: /count 0$/,
  waits: true,
  result: (find) => content(find('waves'), 'fst'),
});

for (const form of ['vcd', 'fst', 'lxt2']) {
  programTest({
    name: `Icarus, -${form}`,
    command: ['vvp', 'design', `-${form}`],
    needs: ['iverilog', 'vvp'],
    prepare: (folder) => void execFileSync('iverilog', ['-o', 'design', source('counter.v')], { cwd: folder }),
    begun: /^begun$/,
    waits: true,
    result: (find) => content(find('waves.out'), form),
  });
}

programTest({
  name: 'Verilator, --trace-fst',
  command: [join(built('counter.verilated'), 'counter')],
  needs: ['verilator', 'g++', 'make'],
  prepare: async () => void (await verilate('counter', ['counter.v', 'counter.cpp'], '--timing', '--trace-fst', '-GSCALE=8')),
  begun: /^begun$/,
  waits: true,
  later: true,
  result: (find) => content(find('waves.out'), 'fst'),
});
