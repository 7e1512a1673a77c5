/**
 * Processes of Cairn's own killed by force, at every phase: the application goes on to its right end, no partial snapshot is
 * listed, and the next checkpoint works.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { AGENT_PROTOCOL_MAJOR, encodeFrame, FrameReader } from '../../debug-adapter/src/protocol/agent-frames.js';
import { Phase, type SaveDone } from '../../debug-adapter/src/protocol/generated/agent_pb.js';
import { chooseSeed, randomNumbers } from '../support/moments.js';
import { executable, isAlive, waitFor } from '../support/processes.js';
import { Scratch } from '../support/scratch.js';
import { large, small, Victim, withVictim } from './victim.js';

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has just ended.
  }
}

test('the process that holds the threads, while the session is held', () =>
  withVictim('tracer', { ...small, lines: 4000 }, async (victim) => {
    await victim.scratch.json(['hold', '--session', 'tracer']);
    const lines = victim.program.lines.length;
    kill(await victim.helper());
    await waitFor('the application to go on', () => victim.program.lines.length > lines + 5, 10);
    // The coordinator believes that it is held: whatever it answers now, it may not stop anything.
    await victim.scratch.cairn(['resume', '--session', 'tracer']);
    await victim.canBeCheckpointed();
    await victim.comesToItsEnd();
    assert.equal(await victim.snapshotsAreWhole(), 1);
  }));

test('the process that holds the threads, while a checkpoint begins', () =>
  withVictim('tracer', large, async (victim) => {
    let failures = 0;
    for (let round = 0; round < 4; round++) {
      const checkpoint = victim.scratch.cairn(['checkpoint', '--session', 'tracer', '--json']);
      kill(await victim.helper());
      const { status, stderr } = await checkpoint;
      assert.ok(status === 0 || status === 1, stderr);
      if (status === 1) {
        failures++;
        assert.notEqual(stderr.trim(), '', 'a failure without a message');
      }
    }
    assert.ok(failures > 0, 'no checkpoint noticed that its tracer was killed');
    await victim.canBeCheckpointed();
    await victim.comesToItsEnd();
    await victim.storeIsClean();
    await victim.snapshotsAreWhole();
  }));

test('the process that writes the image', () =>
  withVictim('writer', large, async (victim) => {
    await victim.scratch.json(['hold', '--session', 'writer']);
    const tracer = await victim.helper();
    const checkpoint = victim.scratch.cairn(['checkpoint', '--session', 'writer', '--json']);
    kill(await victim.helper(10, [tracer]));
    const { status, stderr } = await checkpoint;
    assert.equal(status, 1, `the checkpoint succeeded without its writer: ${stderr}`);
    assert.match(stderr, /wr(o|i)te|writ/i, 'the message does not say what failed');
    assert.equal(await victim.snapshotsAreWhole(), 0, 'a partial snapshot is listed');
    await victim.storeIsClean();
    await victim.scratch.cairn(['resume', '--session', 'writer']);
    await victim.canBeCheckpointed();
    await victim.comesToItsEnd();
    assert.equal(await victim.snapshotsAreWhole(), 1);
  }));

/** When the first bytes of an image are there: from then on the application is not needed for it. */
function imageBegun(scratch: Scratch): Promise<true> {
  const folder = join(scratch.store, 'tmp');
  const begun = (path: string): boolean => path.endsWith('.pages') && statSync(join(folder, path)).size > 0;
  return waitFor('an image that is being written', () => {
    const paths = existsSync(folder) ? readdirSync(folder, { recursive: true, encoding: 'utf8' }) : [];
    return paths.some(begun) || undefined;
  });
}

test('the application, while its image is written: the snapshot is whole', () =>
  withVictim('gone', large, async (victim) => {
    const pid = await victim.pid();
    const checkpoint = victim.scratch.cairn(['checkpoint', '--session', 'gone', '--json']);
    await imageBegun(victim.scratch);
    kill(pid);
    const { status, stdout, stderr } = await checkpoint;
    assert.equal(status, 0, stderr);
    assert.equal(await victim.snapshotsAreWhole(), 1);
    await victim.program.exit();
    const { snapshot } = JSON.parse(stdout) as { snapshot: string };
    const again = victim.scratch.cairnProgram(['restart', snapshot, '--session', 'again']);
    assert.equal(await again.exit(60), 0, again.transcript());
    assert.ok(again.stdout.length > 0 && victim.expected.endsWith(again.stdout), again.transcript());
  }));

test('a child of a process that adopts orphans, while its image is written: that process sees nothing of what writes', async () => {
  const scratch = new Scratch();
  try {
    const script = `
      $| = 1;
      syscall(157, 36, 1, 0, 0, 0) == 0 or die;  # PR_SET_CHILD_SUBREAPER
      my $child = fork;
      if ($child == 0) { $x = "a" x 200_000_000; print "child $$\n"; sleep 1 while 1 }
      for (;;) { my $ended = wait; last if $ended < 0; print $ended == $child ? "ended $?\n" : "unknown $ended\n" }
      print "nobody is left\n"`;
    const program = scratch.cairnProgram(['run', '--session', 'adopts', '--', 'perl', '-e', script]);
    const child = Number((await program.line(/^child \d+$/)).slice(6));
    const checkpoint = scratch.cairn(['checkpoint', '--session', 'adopts', '--json']);
    await imageBegun(scratch);
    kill(child);
    const { status, stderr } = await checkpoint;
    assert.equal(status, 0, stderr);
    assert.equal(await program.exit(), 0, program.transcript());
    assert.deepEqual(program.lines.slice(1), ['ended 9', 'nobody is left'], program.transcript());
  } finally {
    await scratch.close();
  }
});

test('a program that executes another while its image is written: the snapshot is whole', async () => {
  const scratch = new Scratch();
  try {
    const script = '$x = "a" x 200_000_000; $| = 1; $SIG{USR1} = sub { exec "true" }; print "ready\\n"; sleep 1 while 1';
    const program = scratch.cairnProgram(['run', '--session', 'other', '--', 'perl', '-e', script]);
    await program.line(/^ready$/);
    const checkpoint = scratch.cairn(['checkpoint', '--session', 'other', '--json']);
    await imageBegun(scratch);
    process.kill(await scratch.application(program), 'SIGUSR1');
    const { status, stderr } = await checkpoint;
    assert.equal(status, 0, stderr);
    assert.equal(await program.exit(), 0, program.transcript());
  } finally {
    await scratch.close();
  }
});

/** Takes the place of a coordinator that has been killed, and leads a checkpoint until the threads go on; no further. */
async function leadUntilResumed(victim: Victim, folder: string): Promise<{ socket: Socket; saved: SaveDone[] }> {
  const path = victim.socket('agent');
  process.kill(victim.coordinator(), 'SIGKILL');
  rmSync(path, { force: true });
  const phases = [Phase.PRESUSPEND, Phase.SUSPEND, Phase.SAVE, Phase.RESUME];
  const saved: SaveDone[] = [];
  const server = createServer();
  server.listen(path);
  try {
    const [socket] = (await once(server, 'connection')) as [Socket];
    await new Promise<void>((resolve, reject) => {
      const reader = new FrameReader();
      const next = (): void => {
        const phase = phases.shift();
        if (phase === undefined) resolve();
        else {
          const value = { operation: 1n, phase, folder, snapshot: '0123456789ab', deadlineMs: 10_000 };
          socket.write(encodeFrame(1n, { case: 'phaseRequest', value }));
        }
      };
      socket.on('error', reject);
      socket.on('data', (data) => {
        for (const { body } of reader.push(data)) {
          if (body.case === 'hello') {
            socket.write(encodeFrame(0n, { case: 'helloReply', value: { protocolMajor: AGENT_PROTOCOL_MAJOR } }));
            socket.write(encodeFrame(0n, { case: 'settingsEnd', value: {} }));
          } else if (body.case === 'saveDone') saved.push(body.value);
          else if (body.case === 'ready') next();
          else if (body.case === 'phaseReply' && body.value.error === '') next();
          else if (body.case === 'phaseReply') reject(new Error(body.value.error));
        }
      });
    });
    return { socket, saved };
  } finally {
    server.close();
  }
}

test('the application, when its image is written and others have not gone on yet: its last words are read', () =>
  withVictim('last', small, async (victim) => {
    const { socket, saved } = await leadUntilResumed(victim, victim.scratch.makeFolder(join(victim.scratch.folder, 'image')));
    try {
      await waitFor('the image', () => saved.length > 0 || undefined);
      kill(await victim.pid());
      // What a coordinator that is busy may not have read is lost with the connection, if that ends before the coordinator does.
      await waitFor('the word of what wrote the image', () => saved[1], 10);
      await sleep(100);
      assert.equal(socket.readableEnded, false, 'the connection ended by itself');
      assert.deepEqual(
        saved.map(({ alone, error }) => [alone, error]),
        [
          [false, ''],
          [true, ''],
        ],
      );
      const closed = once(socket, 'close');
      socket.end();
      await closed;
    } finally {
      socket.destroy();
    }
  }));

test('the coordinator, between checkpoints and while held', () =>
  withVictim('idle', { ...small, lines: 4000 }, async (victim) => {
    kill(victim.coordinator());
    await victim.canBeCheckpointed();
    await victim.scratch.json(['hold', '--session', 'idle']);
    const lines = victim.program.lines.length;
    kill(victim.coordinator());
    await waitFor('the application to go on without a coordinator', () => victim.program.lines.length > lines + 5, 10);
    await victim.canBeCheckpointed();
    await victim.comesToItsEnd();
    assert.equal(await victim.snapshotsAreWhole(), 2);
  }));

test('the coordinator, at random moments of a checkpoint', { timeout: 240_000 }, async (context) => {
  const seed = chooseSeed();
  context.diagnostic(`CAIRN_TEST_SEED=${seed}`);
  const random = randomNumbers(seed);
  await withVictim('random', large, async (victim) => {
    for (let round = 0; round < 6; round++) {
      const pid = await victim.pid();
      const checkpoint = victim.scratch.cairn(['checkpoint', '--session', 'random', '--json']);
      // Half of them as soon as the application has a helper, half of them later.
      if (round % 2 === 0) await victim.helper().catch(() => undefined);
      await sleep(random() * 150);
      kill(victim.coordinator());
      const { status, stderr } = await checkpoint;
      assert.ok(status === 0 || (status === 1 && stderr.trim() !== ''), `status ${status}: ${stderr}`);
      assert.ok(isAlive(pid), `the application died\n${victim.program.transcript()}`);
    }
    await victim.canBeCheckpointed();
    await victim.storeIsClean();
    await victim.comesToItsEnd();
    assert.ok((await victim.snapshotsAreWhole()) >= 1);
  });
});

test('the cairn command that waits for a checkpoint', () =>
  withVictim('command', large, async (victim) => {
    const command = victim.scratch.cairnProgram(['checkpoint', '--session', 'command', '--json']);
    await victim.helper();
    command.signal('SIGKILL');
    await command.exit();
    await victim.canBeCheckpointed();
    await victim.comesToItsEnd();
    await victim.storeIsClean();
    assert.ok((await victim.snapshotsAreWhole()) >= 1);
  }));

test('the application itself, in the middle of a checkpoint: a whole snapshot, or an error and nothing is listed', () =>
  withVictim('gone', large, async (victim) => {
    await victim.scratch.json(['hold', '--session', 'gone']);
    const tracer = await victim.helper();
    const checkpoint = victim.scratch.cairn(['checkpoint', '--session', 'gone', '--json']);
    await victim.helper(10, [tracer]);
    kill(await victim.pid());
    const { status, stderr } = await checkpoint;
    assert.ok(status === 0 || (status === 1 && stderr.trim() !== ''), `status ${status}: ${stderr}`);
    assert.equal(await victim.program.exit(), 128 + 9);
    assert.equal(await victim.snapshotsAreWhole(), status === 0 ? 1 : 0);
    await victim.storeIsClean();
  }));

test('the restorer, at random moments of a restart: the snapshot can be restarted afterwards', async () => {
  const scratch = new Scratch();
  try {
    const victim = await Victim.start(scratch, 'again', small);
    const { snapshot } = await scratch.checkpoint('again', '--then', 'kill');
    await victim.program.exit();
    for (let round = 0; round < 4; round++) {
      const restarting = scratch.cairnProgram(['restart', snapshot, '--session', `k${round}`]);
      const pid = await scratch.application(restarting).catch(() => undefined);
      await sleep(round * 3);
      if (pid !== undefined) kill(pid);
      assert.equal(await restarting.exit(30), 128 + 9, `${executable(pid ?? 0)}\n${restarting.transcript()}`);
    }
    assert.equal(await victim.snapshotsAreWhole(), 1);
  } finally {
    await scratch.close();
  }
});
