/** The first System V segment of a system has the number 0, by which its mapping is known: it is saved like any other. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { withScratch } from '../support/scratch.js';
import { cairnCommand, inTree } from '../support/tree.js';
import { compile } from './catalogue.js';

const program = inTree('build/test/faults/resident_program');
/** Where nobody has made any. */
const empty = ['unshare', '--ipc'];
const skip =
  spawnSync(empty[0] ?? '', [...empty.slice(1), 'true']).status === 0 ? false : 'no IPC namespaces (unshare --ipc, as root)';

test('a segment with the number 0 is there again', { skip }, () =>
  withScratch(async (scratch) => {
    await compile(inTree('test/faults/resident_program.c'), program, ['-pthread']);
    writeFileSync(join(scratch.work, 'data'), 'a'.repeat(64));
    writeFileSync(join(scratch.work, 'hold'), '');
    const begun = scratch.start([...empty, cairnCommand, 'run', '--session', 'first', '--', program]);
    await begun.line(/^ready$/);
    const { snapshot } = await scratch.checkpoint('first', '--then', 'kill');
    await begun.exit();
    rmSync(join(scratch.work, 'hold'));
    const again = scratch.start([...empty, cairnCommand, 'restart', snapshot, '--session', 'again']);
    await again.line(/^turns 5, .* segment 1, log begun goes on , other -1, offset 64$/, 60);
    assert.equal(await again.exit(), 0);
  }),
);
