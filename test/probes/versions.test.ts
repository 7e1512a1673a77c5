/**
 * Files of which a restarted run has a version of its own, and one process after the other learns of it: whoever has read the old one
 * before, programs that were started since, also with another environment, and those of a later restart.
 */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { withScratch } from '../support/scratch.js';
import { restartedShell, shell, told } from './shell.js';

/** By the shell itself, so that it is one process that opens the file again and again. */
const read = (name: string): string =>
  `for i in 1 2; do if read -r l < ${name}; then echo "$l"; else echo none; fi; done 2> /dev/null`;
const twice = (text: string): string[] => [text, text];

test('a process that has read a file reads the version that another one has made since', () =>
  withScratch(async (scratch) => {
    mkdirSync(join(scratch.work, 'sub'));
    for (const name of ['a', 'b', 'c', 'd', 'e', 'f', 'sub/a', 'sub/g'])
      writeFileSync(join(scratch.work, name), `first ${name}\n`);
    const first = scratch.cairnProgram(['run', '--session', 'first', '--', ...shell], { input: true });
    await first.line(/^ready$/);
    let now = await restartedShell(scratch, first, 'first', 'second');

    const changed = async (name: string, command: string, after: string): Promise<void> => {
      assert.deepEqual(await told(now, read(name)), twice(`first ${name}`));
      await told(now, command);
      assert.deepEqual(await told(now, read(name)), twice(after), command);
      assert.deepEqual(await told(now, `cat ${name} 2> /dev/null || echo none`), [after], command);
    };
    await changed('a', 'env -i sh -c "echo second > a"', 'second');
    await changed('b', 'sh -c "(echo second > new; mv new b)"', 'second');
    await changed('c', 'rm c', 'none');
    await changed('d', 'ln -s target link; echo second > target; mv link d', 'second');
    await changed('sub/g', 'mv sub moved', 'none');
    assert.deepEqual(await told(now, read('moved/g')), twice('first sub/g'));
    await told(now, 'mkdir sub; cd sub');
    assert.deepEqual(await told(now, read('a')), twice('none'));
    await told(now, 'cd ..');
    assert.deepEqual(await told(now, read('a')), twice('second'));

    now = await restartedShell(scratch, now, 'second', 'third');
    for (const [name, text] of [
      ['a', 'second'],
      ['b', 'second'],
      ['c', 'none'],
      ['moved/g', 'first sub/g'],
      ['sub/g', 'none'],
    ] as const)
      assert.deepEqual(await told(now, read(name)), twice(text), name);
    await changed('e', 'env -i sh -c "echo third > e"', 'third');
    assert.deepEqual(await told(now, read('a')), twice('second'));
    await told(now, 'sh -c "echo third > a"');
    assert.deepEqual(await told(now, read('a')), twice('third'));
    // Many processes at the same time, and the one that reads all the while.
    await told(now, 'for n in 1 2 3 4 5 6 7 8; do (sleep 0.0$n; echo $n > f; echo $n > f$n) & done');
    await told(now, 'until [ "$(cat f1 f2 f3 f4 f5 f6 f7 f8 2> /dev/null | wc -l)" = 8 ]; do read -r l < f; done; wait');
    const [one, other] = await told(now, read('f'));
    assert.match(one ?? '', /^[1-8]$/);
    assert.equal(other, one);
    now.type('exit 0\n');
    assert.equal(await now.exit(), 0);
    assert.equal(readFileSync(join(scratch.work, 'a'), 'utf8'), 'first a\n');
  }));

test('a watch of inotify on a file that the run has a version of since does not keep a snapshot from being made', () =>
  withScratch(async (scratch) => {
    writeFileSync(join(scratch.work, 'watched'), 'first\n');
    const first = scratch.cairnProgram(['run', '--session', 'first', '--', ...shell], { input: true });
    await first.line(/^ready$/);
    const now = await restartedShell(scratch, first, 'first', 'second');
    const watch =
      'l = ctypes.CDLL(None); l.inotify_add_watch(l.inotify_init1(0), b"watched", 0x400); print("watching", flush=True)';
    await told(now, `python3 -c 'import ctypes, time; ${watch}; time.sleep(60)' > watcher & until [ -s watcher ]; do :; done`);
    await told(now, 'echo second > watched');
    await scratch.checkpoint('second', '--then', 'kill');
    await now.exit();
  }));
