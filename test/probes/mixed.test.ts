/**
 * Programs of 32 bits below those of 64: what a user sees of them. That they share memory, sockets and signals is test/probes/mixed,
 * that each kind of resource comes back is in the probes that run as 32-bit programs.
 */
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Manifest } from '../../debug-adapter/src/protocol/snapshot.js';
import { Scratch } from '../support/scratch.js';
import { inTree } from '../support/tree.js';
import { lacks32Bit } from './catalogue.js';
import { tool } from './tools.js';

/** Not run where no 32-bit program can be made. */
function mixed(name: string, work: (scratch: Scratch, narrow: string) => Promise<void>): void {
  test(name, async (context: TestContext) => {
    const lacking = await lacks32Bit();
    if (lacking !== '') return context.skip(lacking);
    const narrow = await tool('counter', '-m32');
    const scratch = new Scratch();
    try {
      await work(scratch, narrow);
    } finally {
      await scratch.close();
    }
  });
}

mixed(
  'a shell runs a 32-bit program, which a restart brings back; the dynamic linker complains of nothing',
  async (scratch, narrow) => {
    const counter = await tool('counter');
    const whole = scratch.start([counter, '300', 'whole'], { cwd: scratch.work });
    assert.equal(await whole.exit(), 0);
    const script = `${narrow} 300 lines 5000 && ${counter} 300 other && echo both`;
    const program = scratch.cairnProgram(['run', '--session', 'first', '--', 'sh', '-c', script], { cwd: scratch.work });
    await program.line(new RegExp(`^${whole.lines[20]}$`));
    const { snapshot, path } = await scratch.checkpoint('first', '--then', 'kill');
    await program.exit();
    const restarted = scratch.cairnProgram(['restart', snapshot, '--session', 'second']);
    await restarted.line(/^both$/);
    assert.equal(await restarted.exit(), 0);
    const last = whole.lines.at(-1);
    assert.equal(
      restarted.lines.filter((line) => line === last).length,
      2,
      'the two programs do not agree with the uninterrupted one',
    );
    assert.doesNotMatch(program.stderr + restarted.stderr, /ld\.so|preload|wrong ELF/i);
    const { default: manifest } = (await import(join(path, 'manifest.json'), { with: { type: 'json' } })) as {
      default: Manifest;
    };
    assert.deepEqual(
      manifest.processes.map((one) => one.architecture),
      ['x86_64', 'i386'],
    );
  },
);

mixed('an installation without the parts for 32-bit programs says so before anything is started', async (scratch, narrow) => {
  const program = scratch.cairnProgram(['run', '--session', 'first', '--', narrow, '100000', 'lines', '5000'], {
    cwd: scratch.work,
  });
  await program.line(/./);
  const { snapshot } = await scratch.checkpoint('first', '--then', 'kill');
  await program.exit();
  const other = join(scratch.folder, 'other');
  mkdirSync(other);
  for (const part of ['bin', 'dist', 'package.json']) cpSync(inTree(part), join(other, part), { recursive: true });
  rmSync(join(other, 'dist/native/i386'), { recursive: true });
  const env = { CAIRN_NODE: process.execPath };
  const refused = scratch.start([join(other, 'bin/cairn'), 'restart', snapshot], { env });
  assert.equal(await refused.exit(), 1);
  assert.match(refused.stderr, /There are 32-bit programs in it/);
  const doctor = scratch.start([join(other, 'bin/cairn'), 'doctor'], { env });
  await doctor.exit();
  assert.match(doctor.transcript(), /32-bit programs/);
  const plain = scratch.start([join(other, 'bin/cairn'), 'run', '--session', 'plain', '--', narrow, '3', 'lines'], {
    env,
    cwd: scratch.work,
  });
  assert.equal(await plain.exit(), 0, 'it does not run');
  assert.match(plain.stderr, /is a 32-bit program, for which this installation has no agent/);
});
