/**
 * A snapshot is restarted while the run that it is of goes on: addresses that both want are the first one's, and the second shows
 * them all the same (native-agent/plugins/socket/shown.cc).
 */
import assert from 'node:assert/strict';
import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Scratch } from '../support/scratch.js';
import { buildProbes, findProbes, libraryFolder } from './catalogue.js';

test('TCP connections of a run that still has their ports', async () => {
  const probe = findProbes().find(({ name }) => name === 'sockets/tcp_names');
  assert.ok(probe);
  await buildProbes([probe]);
  const scratch = new Scratch();
  try {
    const control = join(scratch.folder, 'control');
    writeFileSync(control, '');
    const first = scratch.cairnProgram(['run', '--session', 'first', '--', probe.program, control, libraryFolder]);
    await first.line(/^ready$/);
    const { snapshot } = await scratch.checkpoint('first');
    const second = scratch.cairnProgram(['restart', snapshot, '--session', 'second']);
    truncateSync(control, 2);
    for (const program of [first, second]) await program.line(/^alive 2$/);
    truncateSync(control, 1);
    for (const program of [first, second]) {
      assert.equal(await program.line(/^(ok|FAIL:.*)$/, 30), 'ok', program.transcript());
      assert.equal(await program.exit(), 0);
    }
  } finally {
    await scratch.close();
  }
});
