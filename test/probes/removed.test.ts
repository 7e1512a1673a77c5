/**
 * Files that a restarted run has removed or renamed: they lie below its run folder still, and no program of the computation may see them,
 * also one that is started later, in this restart or in a later one.
 */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { withScratch } from '../support/scratch.js';
import { restartedShell, shell, told } from './shell.js';

test('what was removed is seen by no program that is started later, and in no later restart', () =>
  withScratch(async (scratch) => {
    mkdirSync(join(scratch.work, 'sub'));
    for (const name of ['a', 'b', 'c', 'd']) writeFileSync(join(scratch.work, 'sub', name), name);
    const first = scratch.cairnProgram(['run', '--session', 'first', '--', ...shell], { input: true });
    await first.line(/^ready$/);
    const second = await restartedShell(scratch, first, 'first', 'second');
    await told(second, 'rm sub/a');
    assert.deepEqual(await told(second, 'ls sub'), ['b', 'c', 'd']);
    const third = await restartedShell(scratch, second, 'second', 'third');
    assert.deepEqual(await told(third, 'ls sub'), ['b', 'c', 'd']);
    assert.deepEqual(await told(third, 'cat sub/a || echo gone'), ['gone']);
    await told(third, 'mv sub/b sub/e');
    const fourth = await restartedShell(scratch, third, 'third', 'fourth');
    assert.deepEqual(await told(fourth, 'ls sub'), ['c', 'd', 'e']);
    await told(fourth, 'rm -r sub');
    await told(fourth, 'mkdir sub');
    const fifth = await restartedShell(scratch, fourth, 'fourth', 'fifth');
    assert.deepEqual(await told(fifth, 'ls sub'), []);
    fifth.type('exit 0\n');
    assert.equal(await fifth.exit(), 0);
    assert.ok(existsSync(join(scratch.work, 'sub/a')), 'the first run has lost a file');
  }));
