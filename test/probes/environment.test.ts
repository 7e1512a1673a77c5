/**
 * Variables that a restart changes: seen by getenv in the programs that run, whatever they made of their environment, and by the
 * programs that these start with copies of their own; for all processes, or for one program.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Scratch } from '../support/scratch.js';

/** Runs until the file `go` is there, and then says what it sees. */
const programs: Record<string, { command: string[]; says: RegExp }> = {
  'a shell and what it starts': {
    command: [
      'bash',
      '-c',
      'export OWN=1; /bin/true; echo ready; while [ ! -e "$GO" ]; do sleep 0.02; done; printenv OLD NEW ONE GONE; echo end',
    ],
    says: /^new value\nadded\nfor one\nend$/m,
  },
  'a cleared environment stays clear': {
    command: ['sh', '-c', 'echo ready; while [ ! -e "$GO" ]; do sleep 0.02; done; env -i printenv OLD NEW; echo end'],
    says: /^end$/m,
  },
  'perl, which copies its environment': {
    command: [
      'perl',
      '-e',
      '$|=1; $ENV{MINE}=1; $ENV{OTHER}="x"; delete $ENV{OTHER}; print "ready\\n"; select undef,undef,undef,0.02 while !-e $ENV{GO}; print `printenv OLD NEW ONE`; print "end\\n"',
    ],
    says: /^new value\nadded\nend$/m,
  },
};

for (const [name, { command, says }] of Object.entries(programs)) {
  test(`a restart with other variables: ${name}`, async () => {
    const scratch = new Scratch();
    try {
      const go = join(scratch.folder, 'go');
      const env = { OLD: 'a value', GONE: 'x', GO: go };
      const first = scratch.cairnProgram(['run', '--session', 'first', '--', ...command], { env });
      await first.line(/^ready$/);
      const { snapshot } = await scratch.checkpoint('first', '--then', 'kill');
      await first.exit();
      writeFileSync(go, '');
      const changes = ['--env', 'OLD=new value', '--env', 'NEW=added', '--env', 'bash:ONE=for one', '--unset', 'GONE'];
      const again = scratch.cairnProgram(['restart', snapshot, ...changes]);
      assert.equal(await again.exit(), 0, again.transcript());
      assert.match(again.lines.join('\n'), says, again.transcript());
      if (command[0] !== 'bash') assert.match(again.stderr, /No process of the snapshot is "bash"/);
    } finally {
      await scratch.close();
    }
  });
}

test('a variable for one program of many, from the start', async () => {
  const scratch = new Scratch();
  try {
    const script = 'sh -c "echo one \\$V"; bash -c "echo two \\$V"; echo three $V';
    const program = scratch.cairnProgram(['run', '--env', 'V=all', '--env', 'bash:V=bash', '--', 'dash', '-c', script]);
    assert.equal(await program.exit(), 0, program.transcript());
    assert.deepEqual(program.lines, ['one all', 'two bash', 'three all']);
  } finally {
    await scratch.close();
  }
});
