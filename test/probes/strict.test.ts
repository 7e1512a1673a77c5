/**
 * `cairn run --strict`: what no checkpoint could save does not begin. Programs that Cairn cannot get into are not executed, with a
 * message; resources that cannot be saved are not made.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withScratch } from '../support/scratch.js';
import { lacks32Bit } from './catalogue.js';
import { tool } from './tools.js';

test('a program without shared libraries is not started', () =>
  withScratch(async (scratch) => {
    const { status, stderr } = await scratch.cairn(['run', '--strict', '--', await tool('tiny', '-static'), '/']);
    assert.notEqual(status, 0);
    assert.match(stderr, /statically linked/);
    assert.match(stderr, /without --strict/i);
  }));

test('nor is one executed by the program, in whatever way; the others are', () =>
  withScratch(async (scratch) => {
    const tiny = await tool('tiny', '-static');
    const script = `${tiny} /; echo "status $?"; exec 3>&2; python3 -c '
import os, subprocess
try: subprocess.run(["${tiny}", "/"])
except PermissionError: print("not spawned", flush=True)
print("system", os.system("${tiny} /") >> 8, flush=True)
'; echo over`;
    const program = scratch.cairnProgram(['run', '--strict', '--session', 'strict', '--', 'sh', '-c', script]);
    await program.line(/^over$/);
    assert.equal(await program.exit(), 0, program.transcript());
    assert.match(program.stdout, /^status 126$/m);
    assert.match(program.stdout, /^not spawned$/m);
    assert.match(program.stdout, /^system 126$/m);
    assert.doesNotMatch(program.stdout, /running/);
    assert.equal(program.stderr.match(/is not executed: it is statically linked/g)?.length, 3, program.stderr);
  }));

test('nor is a 32-bit program without shared libraries', async (t) => {
  const lacking = await lacks32Bit();
  if (lacking !== '' && !/kernel/.test(lacking)) return t.skip(lacking);
  return withScratch(async (scratch) => {
    const { status, stderr } = await scratch.cairn([
      'run',
      '--strict',
      '--',
      'sh',
      '-c',
      `${await tool('tiny', '-static', '-m32')} /`,
    ]);
    assert.equal(status, 126);
    assert.match(stderr, /is not executed: it is statically linked/);
  });
});

test('but other 32-bit programs are', async (t) => {
  const lacking = await lacks32Bit();
  if (lacking !== '' && !/kernel/.test(lacking)) return t.skip(lacking);
  return withScratch(async (scratch) => {
    const script = `${await tool('tiny', '-m32')} /; echo over $?`;
    const { stdout, stderr } = await scratch.cairn(['run', '--strict', '--', 'sh', '-c', script]);
    // A kernel without 32-bit programs cannot execute it; Cairn has nothing against it.
    if (lacking === '') assert.match(stdout, /^running\ndone\nover 0$/m);
    assert.doesNotMatch(stderr, /is not executed/);
  });
});

const kinds = ['io_uring', 'userfaultfd', 'fanotify', 'perf', 'secret', 'strict'];
for (const [kind, bits] of kinds.flatMap((kind) => [[kind, ''] as const, [kind, '-m32'] as const])) {
  test(`${kind} is not made${bits && ' by a 32-bit program'}, and the program is checkpointed`, async (t) => {
    const lacking = bits ? await lacks32Bit() : '';
    if (lacking !== '') return t.skip(lacking);
    return withScratch(async (scratch) => {
      const refused = await tool('refused', ...(bits ? [bits] : []));
      const program = scratch.cairnProgram(['run', '--strict', '--session', 'kind', '--', refused, kind], { input: true });
      assert.match(await program.line(/^(made|none)/), /^none: Operation not permitted/);
      await scratch.checkpoint('kind');
      program.type('x\n');
      await program.line(/^done$/);
      assert.equal(await program.exit(), 0);
    });
  });
}

test('a strict program is restarted like any other', () =>
  withScratch(async (scratch) => {
    const program = scratch.cairnProgram(['run', '--strict', '--session', 'first', '--', 'sh', '-c', 'echo a; read x; echo b'], {
      input: true,
    });
    await program.line(/^a$/);
    const { snapshot } = await scratch.checkpoint('first', '--then', 'kill');
    await program.exit();
    const restarted = scratch.cairnProgram(['restart', snapshot, '--session', 'second'], { input: true });
    restarted.type('x\n');
    await restarted.line(/^b$/);
    assert.equal(await restarted.exit(), 0, restarted.transcript());
  }));
