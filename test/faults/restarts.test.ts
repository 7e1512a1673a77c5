/**
 * Restarts that meet something: a checkpoint while threads are still on their way, and a reason to fail, which the user is told.
 */
import assert from 'node:assert/strict';
import { rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { tool } from '../probes/tools.js';
import { executable, waitFor } from '../support/processes.js';
import { type Scratch, withScratch } from '../support/scratch.js';

async function isRunning(scratch: Scratch, session: string): Promise<void> {
  await waitFor(
    `session ${session} to run`,
    async () => {
      const { stdout } = await scratch.cairn(['status', '--session', session, '--json']);
      return /"state":\s*"running"/.test(stdout) || undefined;
    },
    20,
  );
}

test('a checkpoint while a thread has not yet left the restart', () =>
  withScratch(async (scratch) => {
    const file = join(scratch.folder, 'go');
    const first = scratch.cairnProgram(['run', '--session', 'crowd', '--', await tool('crowd'), file, '12']);
    await first.line(/^running$/);
    let { snapshot } = await scratch.checkpoint('crowd', '--then', 'kill');
    await first.exit();
    for (const session of ['again', 'once-more']) {
      const restarted = scratch.cairnProgram(['restart', snapshot, '--session', session]);
      await isRunning(scratch, session);
      ({ snapshot } = await scratch.checkpoint(session, '--then', 'kill'));
      await restarted.exit();
    }
    const restarted = scratch.cairnProgram(['restart', snapshot, '--session', 'last']);
    await isRunning(scratch, 'last');
    writeFileSync(file, '');
    assert.equal(await restarted.exit(30), 0, restarted.transcript());
    assert.match(restarted.stdout, /^end 1$/m);
  }));

test('a restart that fails says why where the program would have said something', () =>
  withScratch(async (scratch) => {
    // A folder: what the check before a restart does not look at.
    const data = scratch.makeFolder(join(scratch.work, 'data'));
    const first = scratch.cairnProgram(['run', '--session', 'reader', '--', 'sh', '-c', 'exec 3<data; echo open; exec sleep 60']);
    await first.line(/^open$/);
    const pid = await scratch.application(first);
    await waitFor('the program to run', () => executable(pid).endsWith('/sleep') || undefined, 10);
    const { snapshot } = await scratch.checkpoint('reader', '--then', 'kill');
    await first.exit();
    rmdirSync(data);
    const restarted = scratch.cairnProgram(['restart', snapshot, '--session', 'changed']);
    assert.equal(await restarted.exit(30), 1, restarted.transcript());
    assert.match(restarted.stderr, /^cairn: the restart failed: .*is not there any more.*data/m);
  }));

test('thousands of threads, checkpointed and restarted again and again', () =>
  withScratch(async (scratch) => {
    const file = join(scratch.folder, 'go');
    const count = 4500;
    const first = scratch.cairnProgram(['run', '--session', 's0', '--', await tool('thousands'), file, String(count)]);
    await first.line(/^running$/, 60);
    let { snapshot } = await scratch.checkpoint('s0', '--then', 'kill');
    await first.exit();
    for (const session of ['s1', 's2']) {
      const restarted = scratch.cairnProgram(['restart', snapshot, '--session', session]);
      await isRunning(scratch, session);
      ({ snapshot } = await scratch.checkpoint(session, '--then', 'kill'));
      await restarted.exit();
    }
    const last = scratch.cairnProgram(['restart', snapshot, '--session', 's3']);
    await isRunning(scratch, 's3');
    writeFileSync(file, '');
    assert.equal(await last.exit(60), 0, last.transcript());
    assert.match(last.stdout, new RegExp(`^sum ${(count * (count + 1)) / 2}$`, 'm'));
  }));
