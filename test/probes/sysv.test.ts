/**
 * System V objects beside other runs: a restart touches nothing of a run that goes on, whose key it wants too.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withScratch } from '../support/scratch.js';
import { tool } from './tools.js';

test('a restart beside the run that goes on has a segment of its own with the same key', () =>
  withScratch(async (scratch) => {
    const command = [await tool('sysv'), 'segment', '0x43e1'];
    const first = scratch.cairnProgram(['run', '--session', 'one', '--', ...command], { input: true });
    await first.line(/^id/);
    first.type('x\n');
    await first.line(/^number 0$/);
    const { snapshot } = await scratch.checkpoint('one');
    first.type('x\n');
    await first.line(/^number 1$/);
    const second = scratch.cairnProgram(['restart', snapshot, '--session', 'two'], { input: true });
    for (const number of [1, 2, 3]) {
      second.type('x\n');
      await second.line(new RegExp(`^number ${number}$`));
    }
    first.type('x\n');
    await first.line(/^number 2$/);
    second.type('end\n');
    assert.equal(await second.exit(), 0, second.transcript());
    first.type('x\n');
    await first.line(/^number 3$/);
    first.type('end\n');
    assert.equal(await first.exit(), 0, first.transcript());
  }));
