/** SystemC: its threads have stacks in the heap; the waveform is the one of an undisturbed run. */
import { readFileSync } from 'node:fs';
import { build, built } from './built.js';
import { programTest } from './program-under-cairn.js';

programTest({
  name: 'SystemC with a VCD',
  command: [built('systemc')],
  env: { SYSTEMC_DISABLE_COPYRIGHT_MESSAGE: '1' },
  needs: ['g++', '/usr/include/systemc.h'],
  prepare: () => build('systemc', ['systemc.cpp'], 'g++', '-lsystemc'),
  begun: /^begun$/,
  waits: true,
  // Its header has a date.
  result: (find) => readFileSync(find('trace.vcd'), 'latin1').replace(/^\$date[^$]*\$end/m, ''),
});
