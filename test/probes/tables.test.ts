/**
 * Tables of virtual names: virtual, real now, real before, owner and since when; of a session and of a snapshot, filtered, and one
 * column alone.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TableRow } from '../../debug-adapter/src/protocol/control.js';
import { Scratch } from '../support/scratch.js';

test('what names mean, before and after a restart', async () => {
  const scratch = new Scratch();
  try {
    // One process without children.
    const script =
      '$|=1; open(F, ">", "out.txt"); POSIX::dup2(fileno(F), 7); print "up\\n"; select(undef, undef, undef, 0.05) while 1';
    const first = scratch.cairnProgram(['run', '--session', 'one', '--env', 'SEED=1', '--', 'perl', '-MPOSIX', '-e', script]);
    await first.line(/^up$/);
    const { snapshot } = await scratch.checkpoint('one', '--then', 'kill');
    await first.exit();
    const began = Date.now();
    const args = ['restart', snapshot, '--session', 'two', '--detach', '--env', 'SEED=2', '--env', 'NEW=3'];
    const { runFolder } = await scratch.json<{ runFolder: string }>(args);
    const table = (kind: string, ...args: string[]): Promise<TableRow[]> =>
      scratch.json(['tables', kind, '--session', 'two', ...args]);

    const [process] = await table('pid', '--filter', 'detail=process');
    assert.ok(process && process.before === process.virtual && process.real !== process.virtual && process.owner === 'pid');
    const [seed] = await table('env', '--filter', 'virtual=SEED');
    assert.deepEqual([seed?.real, seed?.before, seed?.owner], ['2', '1', 'env']);
    assert.deepEqual(
      (await table('env', '--filter', 'virtual=NEW')).map(({ real, before }) => [real, before]),
      [['3', '']],
    );
    const out = join(scratch.work, 'out.txt');
    const [descriptor] = await table('fd', '--filter', 'virtual=7', '--pid', process.virtual);
    assert.equal(descriptor?.before, out);
    assert.equal(descriptor?.real, join(runFolder, 'out.txt'));
    const [path] = await table('path', '--filter', 'virtual=out.txt', '--pid', process.virtual);
    assert.deepEqual([path?.virtual, path?.real, path?.before], [out, descriptor?.real, out]);
    for (const row of [process, seed, descriptor, path]) {
      const since = Date.parse(row?.since ?? '');
      assert.ok(since >= began - 1000 && since <= Date.now() + 1000, `${row?.virtual}: since ${row?.since}`);
    }
    assert.deepEqual(await table('connection'), []);

    const saved = await scratch.json<TableRow[]>(['tables', 'env', '--snapshot', snapshot, '--filter', 'SEED']);
    assert.deepEqual(
      saved.map(({ real, before }) => [real, before]),
      [['1', '']],
    );
    const column = await scratch.cairn(['tables', 'env', '--snapshot', snapshot, '--filter', 'virtual=SEED', '--column', 'real']);
    assert.equal(column.stdout, '1\n');
    const two = await scratch.cairn([
      'tables',
      'env',
      '--snapshot',
      snapshot,
      '--filter',
      'virtual=SEED',
      '--column',
      'virtual',
      '--column',
      'real',
    ]);
    assert.match(two.stdout, /^VIRTUAL +REAL NOW\nSEED +1\n$/);
    const wrong = await scratch.cairn(['tables', 'env', '--snapshot', snapshot, '--column', 'colour']);
    assert.equal(wrong.status, 2);
    assert.match(wrong.stderr, /no column "colour"[\s\S]*virtual/);
  } finally {
    await scratch.cairn(['stop', '--session', 'two', '--grace', '0']);
    await scratch.close();
  }
});
