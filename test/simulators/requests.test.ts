/**
 * Checkpoints from within a design: by VPI in Icarus, by DPI in a Verilator model. Both are built from what is installed, as a user would.
 */
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { Scratch } from '../support/scratch.js';
import { inTree } from '../support/tree.js';
import { runToEnd } from './soc.js';

const folder = inTree('build/test/requests');
const sources = inTree('test/simulators/sources');
const include = inTree('dist/native/include');
const share = inTree('dist/native/share/cairn');

async function make(...command: string[]): Promise<void> {
  const { status, stdout, stderr } = await runToEnd(command, folder);
  assert.equal(status, 0, `${command.join(' ')}\n${stdout}${stderr}`);
}

before(async () => {
  mkdirSync(folder, { recursive: true });
  await Promise.all([
    make('iverilog-vpi', `-I${include}`, join(share, 'cairn_vpi.c')).then(() =>
      make('iverilog', '-o', 'requests.vvp', join(sources, 'requests.v')),
    ),
    make(
      'verilator',
      '--binary',
      '-Wno-fatal',
      '--Mdir',
      'verilated',
      '-CFLAGS',
      `-I${include} -O0`,
      join(sources, 'requests.sv'),
      join(share, 'cairn_dpi.c'),
    ),
  ]);
});

const simulators = {
  'Icarus, by VPI': ['vvp', `-M${folder}`, '-mcairn_vpi', join(folder, 'requests.vvp')],
  'Verilator, by DPI': [join(folder, 'verilated/Vrequests')],
};

for (const [name, command] of Object.entries(simulators)) {
  test(`${name}: a design asks for a checkpoint, and learns of the restart`, async () => {
    const scratch = new Scratch();
    const lines = (text: string): string[] => text.split('\n').filter((line) => /^\d+: /.test(line));
    try {
      const alone = scratch.start(command);
      assert.equal(await alone.exit(), 0);
      assert.deepEqual(lines(alone.stdout), ['100: 0 after 10 cycles', '200: over after 20 cycles']);
      const program = scratch.cairnProgram(['run', '--session', 'design', '--', ...command]);
      assert.equal(await program.exit(60), 0, program.transcript());
      assert.deepEqual(lines(program.stdout), ['100: 1 after 10 cycles', '200: over after 20 cycles']);
      const restarted = scratch.cairnProgram(['restart', 'boot done', '--session', 'again']);
      assert.equal(await restarted.exit(60), 0, restarted.transcript());
      assert.deepEqual(lines(restarted.stdout), ['100: 2 after 10 cycles', '200: over after 20 cycles']);
    } finally {
      await scratch.close();
    }
  });
}
