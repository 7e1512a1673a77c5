/** ngspice in batch mode: a transient analysis, its listing and its raw file. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { programTest, untilCheckpointed } from './program-under-cairn.js';

programTest({
  name: 'ngspice -b, a transient analysis',
  command: [
    'sh',
    '-c',
    `echo begun; ngspice -b -r out.raw -o listing circuit.cir; status=$?; ${untilCheckpointed}; exit $status`,
  ],
  needs: ['ngspice'],
  prepare: (folder) =>
    writeFileSync(
      join(folder, 'circuit.cir'),
      `A ring of inverters
.model n nmos level=1 vto=0.7 kp=100u
.model p pmos level=1 vto=-0.7 kp=40u
vdd vdd 0 3.3
.subckt inv in out vdd
mp out in vdd vdd p w=4u l=1u
mn out in 0 0 n w=2u l=1u
c out 0 20f
.ends
${Array.from({ length: 15 }, (_, stage) => `x${stage} n${stage} n${(stage + 1) % 15} vdd inv`).join('\n')}
.ic v(n0)=0 v(n1)=3.3
.tran 5p 400n uic
.print tran v(n0) v(n7)
.end
`,
    ),
  begun: /^begun$/,
  waits: true,
  result: (find) => readFileSync(find('out.raw'), 'latin1').replace(/^Date:.*$/m, ''),
});
