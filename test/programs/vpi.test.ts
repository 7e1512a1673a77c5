/** Icarus with a VPI module: C code with a heap and a file of its own, called in each cycle. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { source } from './built.js';
import { programTest } from './program-under-cairn.js';

programTest({
  name: 'Icarus with a VPI module',
  command: ['vvp', '-M', '.', '-m', 'ledger', 'design'],
  needs: ['iverilog', 'iverilog-vpi', 'vvp', 'gcc'],
  prepare: (folder) => {
    execFileSync('iverilog-vpi', ['--name=ledger', source('ledger.c')], { cwd: folder });
    execFileSync('iverilog', ['-o', 'design', source('ledger.v')], { cwd: folder });
  },
  begun: /^begun$/,
  waits: true,
  later: true,
  result: (find) => readFileSync(find('ledger.log'), 'utf8'),
});
