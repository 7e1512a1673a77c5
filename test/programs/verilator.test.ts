/** A verilated model with two threads, which talks over TCP to a reference model in C++; a shell script starts both. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build, built, verilate } from './built.js';
import { programTest, sorted } from './program-under-cairn.js';

programTest({
  name: 'Verilator with two threads, and a reference model over TCP',
  command: ['sh', 'both.sh'],
  needs: ['verilator', 'g++', 'make'],
  prepare: async (folder) => {
    const model = await verilate('lanes', ['lanes.v', 'transactor.cpp'], '--threads', '2');
    await build('transaction-reference', ['transaction-reference.cpp'], 'g++');
    writeFileSync(
      join(folder, 'both.sh'),
      `${built('transaction-reference')} port &
reference=$!
until [ -s port ]; do sleep 0.02; done
read port < port
${model} "$port" || exit
wait $reference || exit
echo "both ended well"
`,
    );
  },
  begun: /^begun, 2 threads$/,
  waits: true,
  later: true,
  normal: sorted,
});
