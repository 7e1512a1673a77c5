/**
 * Checkpoints that the program asks for, and those that its critical sections keep off (<cairn/cairn.h>): what the call gives, who is named
 * as long as a checkpoint waits, and that it can be given up.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { waitFor } from '../support/processes.js';
import { type Scratch, withScratch } from '../support/scratch.js';
import { tool } from './tools.js';

type Held = {
  operation: { heldOff: { why: string; program: string }[]; finished: boolean; phases: { phase: string }[] } | null;
  state: string;
};

const status = (scratch: Scratch, session: string): Promise<Held> => scratch.json<Held>(['status', '--session', session]);

test('without Cairn nothing happens', () =>
  withScratch(async (scratch) => {
    const program = scratch.start([await tool('requester'), 'request:a', 'section:b', 'request:c', 'leave', 'leave']);
    assert.equal(await program.exit(), 0);
    assert.deepEqual(program.lines, [
      'request:a gives 0',
      'section:b gives 0',
      'request:c gives 0',
      'leave gives 0',
      'leave gives 0',
      'over',
    ]);
  }));

test('the call makes a snapshot with its name, and comes back from each restart, too', () =>
  withScratch(async (scratch) => {
    const program = scratch.cairnProgram(
      ['run', '--session', 'a', '--', await tool('requester'), 'request:one', 'request:two', 'wait'],
      {
        input: true,
      },
    );
    await program.line(/^waits$/);
    assert.deepEqual(program.lines, ['request:one gives 1', 'request:two gives 1', 'waits']);
    program.closeInput();
    await program.exit();
    // In this order: the restart from "one" makes another "two".
    for (const [from, wanted] of [
      ['two', ['request:two gives 2', 'waits']],
      ['one', ['request:one gives 2', 'request:two gives 1', 'waits']],
    ] as const) {
      const restarted = scratch.cairnProgram(['restart', from, '--session', `r${from}`], { input: true });
      await restarted.line(/^waits$/);
      assert.deepEqual(restarted.lines, wanted);
      restarted.closeInput();
      await restarted.exit();
    }
  }));

test('a child may ask; and a request that fails says why', () =>
  withScratch(async (scratch) => {
    const words = ['fork', 'request:one', 'request:a\tb', 'section:own', 'request:two', 'leave'];
    const program = scratch.cairnProgram(['run', '--session', 'a', '--', await tool('requester'), ...words]);
    assert.equal(await program.exit(), 0, program.transcript());
    assert.match(program.stdout, /^request:one gives 1$/m);
    assert.match(program.stdout, /^request:a\tb gives -125: .*a\\tb.*control character/m);
    assert.match(program.stdout, /^request:two gives -35: /m);
    assert.match(program.stdout, /^leave gives 0$/m);
  }));

test('a checkpoint waits for the end of a critical section, and says for whom', () =>
  withScratch(async (scratch) => {
    const words = ['section:bus lock', 'wait', 'leave', 'wait'];
    const program = scratch.cairnProgram(['run', '--session', 'a', '--', await tool('requester'), ...words], { input: true });
    await program.line(/^waits$/);
    const checkpoint = scratch.cairnProgram(['checkpoint', '--session', 'a']);
    const held = await waitFor('the operation to wait', async () => {
      const { operation } = await status(scratch, 'a');
      return operation?.heldOff[0];
    });
    assert.equal(held.program, 'requester');
    assert.match(held.why, /critical section \(bus lock\), for \d+ ms/);
    const shown = await scratch.cairn(['status', '--session', 'a']);
    assert.match(shown.stdout, /waits for process \d+ \(requester\): .*bus lock/);
    assert.equal(checkpoint.status, undefined);
    program.type('x\n');
    assert.equal(await checkpoint.exit(), 0, checkpoint.transcript());
    const { operation } = await status(scratch, 'a');
    assert.deepEqual(operation?.heldOff, []);
    // Attempts in vain are no phases of it.
    assert.equal(operation?.phases.filter(({ phase }) => phase === 'presuspend').length, 1);
    assert.ok(!operation.phases.some(({ phase }) => phase === 'abort'));
    program.closeInput();
    assert.equal(await program.exit(), 9);
  }));

test('a checkpoint that waits can be given up', () =>
  withScratch(async (scratch) => {
    const program = scratch.cairnProgram(
      ['run', '--session', 'a', '--', await tool('requester'), 'section:long', 'wait', 'leave', 'request:b'],
      {
        input: true,
      },
    );
    await program.line(/^waits$/);
    const checkpoint = scratch.cairnProgram(['checkpoint', '--session', 'a']);
    await waitFor('the operation to wait', async () => (await status(scratch, 'a')).operation?.heldOff[0]);
    checkpoint.signal('SIGINT');
    assert.notEqual(await checkpoint.exit(), 0);
    assert.match(checkpoint.stderr, /cancel/i);
    assert.equal((await status(scratch, 'a')).state, 'running');
    program.type('x\n');
    await program.line(/^request:b gives 1$/);
    await program.exit();
  }));
