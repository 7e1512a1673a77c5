/**
 * Verilated models: one with two threads, which talks over TCP to a reference model in C++ that a shell script starts beside it, and
 * one that writes its waveform as an FST.
 */
import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { build, built, source } from './built.js';
import { programTest, sorted } from './program-under-cairn.js';

const run = promisify(execFile);

/** Verilates a design of test/programs/sources and builds it with its main(); gives the program. */
async function verilate(name: string, sources: readonly string[], ...words: string[]): Promise<string> {
  const folder = built(`${name}.verilated`);
  mkdirSync(dirname(folder), { recursive: true });
  const flags = ['--cc', '--exe', '--build', '-Wno-fatal', '-CFLAGS', `-I${dirname(source(name))}`];
  await run('verilator', [...flags, '-Mdir', folder, '-o', name, ...words, ...sources.map(source)]);
  return join(folder, name);
}

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
${model} "$port"
echo "the design ended with $?"
wait $reference
echo "the reference model ended with $?"
`,
    );
  },
  begun: /^begun, 2 threads$/,
  waits: true,
  later: true,
  normal: sorted,
});
