/**
 * Files beyond the working folder that were open at a checkpoint: what a restarted run writes there is seen by all of its programs, also
 * when nobody has the file open any more, and in later restarts; the file of the first run stays as it was.
 */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { withScratch } from '../support/scratch.js';
import { restartedShell, shell, told } from './shell.js';

test('a file outside of the working folder is the one that earlier restarts have written', () =>
  withScratch(async (scratch) => {
    const outside = join(scratch.folder, 'outside');
    mkdirSync(outside);
    const file = join(outside, 'file');
    const first = scratch.cairnProgram(['run', '--session', 'first', '--', ...shell], { input: true });
    await first.line(/^ready$/);
    await told(first, `exec 3>${file}; echo one >&3`);
    const second = await restartedShell(scratch, first, 'first', 'second');
    await told(second, 'echo two >&3; exec 3>&-');
    assert.deepEqual(await told(second, `cat ${file}`), ['one', 'two']);
    const third = await restartedShell(scratch, second, 'second', 'third');
    assert.deepEqual(await told(third, `cat ${file}`), ['one', 'two']);
    await told(third, `echo three >> ${file}`);
    assert.deepEqual(await told(third, `cat ${file}`), ['one', 'two', 'three']);
    assert.deepEqual(await told(third, `rm ${file}; cat ${file} || echo gone`), ['gone']);
    const fourth = await restartedShell(scratch, third, 'third', 'fourth');
    fourth.type('exit 0\n');
    assert.equal(await fourth.exit(), 0);
    assert.equal(
      readFileSync(scratch.runFile(second, 'file'), 'utf8'),
      'one\ntwo\n',
      'the third run has written to the second one',
    );
    assert.equal(readFileSync(file, 'utf8'), 'one\n');
  }));
