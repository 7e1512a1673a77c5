/** No room for a snapshot: the checkpoint fails and says so, the application goes on, and nothing partial is listed or left. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { withScratch } from '../support/scratch.js';
import { cairnCommand } from '../support/tree.js';
import { small, Victim } from './victim.js';

const size = { ...small, megabytes: 24 };

async function expectFailure(victim: Victim, pattern: RegExp): Promise<void> {
  const { status, stderr } = await victim.scratch.cairn(['checkpoint', '--session', victim.session, '--json']);
  assert.equal(status, 1, `the checkpoint succeeded: ${stderr}`);
  assert.match(stderr, pattern);
  assert.equal(await victim.snapshotsAreWhole(), 0);
  await victim.storeIsClean();
}

test('the file system of the store is full', (context) =>
  withScratch(async (scratch) => {
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', scratch.store], { encoding: 'utf8' });
    if (mounted.status !== 0)
      return context.skip(`no file system can be mounted here: ${mounted.stderr?.trim() || mounted.error?.message}`);
    try {
      const victim = await Victim.start(scratch, 'full', size);
      await expectFailure(victim, /space|ENOSPC|full/i);
      await victim.comesToItsEnd();
    } finally {
      // Whatever still writes there is ended by the folder's owner; a lazy unmount waits for nobody.
      spawnSync('umount', ['-l', scratch.store]);
    }
  }));

test('files may not grow beyond a limit (RLIMIT_FSIZE)', () =>
  withScratch(async (scratch) => {
    const victim = await Victim.start(scratch, 'limited', size, ['prlimit', '--fsize=6000000', '--', cairnCommand]);
    await expectFailure(victim, /large|big|EFBIG|limit|signal/i);
    await victim.comesToItsEnd();
  }));

test('the store cannot be written to', (context) =>
  withScratch(async (scratch) => {
    if (process.getuid?.() === 0) {
      // Root writes everywhere but where a file is in the place of the folder.
      const victim = await Victim.start(scratch, 'readonly', small);
      spawnSync('rm', ['-rf', scratch.store]);
      spawnSync('touch', [scratch.store]);
      const { status, stderr } = await scratch.cairn(['checkpoint', '--session', 'readonly', '--json']);
      assert.equal(status, 1);
      assert.match(stderr, new RegExp(scratch.store));
      await victim.comesToItsEnd();
      return;
    }
    const closed = join(scratch.folder, 'closed');
    mkdirSync(closed, { mode: 0o500 });
    const victim = await Victim.start(scratch, 'readonly', small);
    chmodSync(scratch.store, 0o500);
    const { status, stderr } = await scratch.cairn(['checkpoint', '--session', 'readonly', '--json']);
    chmodSync(scratch.store, 0o700);
    assert.equal(status, 1);
    assert.match(stderr, new RegExp(scratch.store));
    await victim.comesToItsEnd();
    context.diagnostic('as an ordinary user');
  }));
