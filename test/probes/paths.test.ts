/**
 * Folders that have moved: `--path OLD=NEW` at a restart, for every call that takes or gives a path (tools/moved.c), for a run in place
 * and with a run folder.
 */
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Scratch } from '../support/scratch.js';
import { compile } from './catalogue.js';
import { tool } from './tools.js';

async function setUp(folder: string): Promise<void> {
  mkdirSync(join(folder, 'sub'), { recursive: true });
  mkdirSync(join(folder, 'other'));
  for (const name of ['file', 'mapped', 'sub/inner', 'other/inner']) writeFileSync(join(folder, name), `content of ${name}\n`);
  symlinkSync(join(folder, 'file'), join(folder, 'link'));
  symlinkSync('..', join(folder, 'sub/up'));
  symlinkSync(`../${folder.slice(folder.lastIndexOf('/') + 1)}`, join(folder, 'up'));
  writeFileSync(join(folder, 'program'), '#!/bin/sh\nexit 7\n');
  chmodSync(join(folder, 'program'), 0o755);
  const source = join(folder, 'library.c');
  writeFileSync(source, 'int in_library(void) { return 1; }\n');
  await compile(source, join(folder, 'library.so'), ['-shared', '-fPIC']);
}

for (const flags of [['--in-place'], []]) {
  test(`everything is found under its old name, ${flags.length > 0 ? 'in place' : 'with a run folder'}`, async () => {
    const scratch = new Scratch();
    try {
      const [old, now, other] = ['old', 'now', 'other'].map((name) => join(scratch.folder, name)) as [string, string, string];
      await setUp(old);
      mkdirSync(other);
      writeFileSync(join(other, 'where'), '');
      const go = join(scratch.folder, 'go');
      const first = scratch.cairnProgram(['run', '--session', 'first', '--', await tool('moved'), old, go]);
      await first.line(/^ready$/);
      const { snapshot } = await scratch.checkpoint('first', '--then', 'kill');
      await first.exit();
      renameSync(old, now);
      writeFileSync(go, '');
      const paths = ['--path', `${old}=${now}`, '--path', `${old}/other=${other}`];
      const again = scratch.cairnProgram(['restart', snapshot, '--session', 'again', ...paths, ...flags]);
      const status = await again.exit();
      assert.equal(again.lines.join('\n'), 'ok', again.transcript());
      assert.equal(status, 0);
    } finally {
      await scratch.close();
    }
  });
}
