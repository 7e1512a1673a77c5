/**
 * A program that starts `cairn checkpoint` itself, and waits for the end of that by SIGCHLD alone, as event loops do. The command is
 * outside of the computation and lives still when the snapshot is made: after a restart it counts as ended well, and the program is told.
 */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Scratch } from '../support/scratch.js';
import { inTree } from '../support/tree.js';

const script = `
use POSIX ':sys_wait_h';
$| = 1;
my $told = 0;
$SIG{CHLD} = sub { $told++ };
my $child = fork // die;
if (!$child) {
  open STDOUT, '>', '/dev/null';
  exec @ARGV;
  exit 9;
}
for (my $round = 0; $round < 3000 && !$told; $round++) { select undef, undef, undef, 0.01 }
my $taken = waitpid $child, WNOHANG;
print 'told ', $told, ($taken == $child ? ' taken ' : ' not taken '), $?, "\\n";
`;

test('a program that asks for its own checkpoint is told that the command has ended, also by a restart', {
  timeout: 120_000,
}, async () => {
  const scratch = new Scratch();
  try {
    const command = [inTree('bin/cairn'), 'checkpoint', '--session', 'asks'];
    const program = scratch.cairnProgram(['run', '--session', 'asks', '--', 'perl', '-e', script, ...command]);
    assert.equal(await program.exit(60), 0, program.transcript());
    assert.deepEqual(program.lines, ['told 1 taken 0']);
    const [snapshot] = readdirSync(join(scratch.store, 'snapshots'));
    assert.ok(snapshot, 'no snapshot was made');
    const restarted = scratch.cairnProgram(['restart', snapshot, '--session', 'again']);
    assert.equal(await restarted.exit(60), 0, restarted.transcript());
    assert.deepEqual(restarted.lines, ['told 1 taken 0']);
  } finally {
    await scratch.close();
  }
});
