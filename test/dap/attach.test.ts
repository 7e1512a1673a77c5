/** A debug session that attaches to a program which was started without Cairn: by the process id of its configuration. */
import assert from 'node:assert/strict';
import test, { afterEach, beforeEach } from 'node:test';
import type { CheckpointResult, SessionStatus } from '../../debug-adapter/src/protocol/control.js';
import { Scratch } from '../support/scratch.js';
import { Adapter } from './adapter.js';

let scratch: Scratch;
let adapter: Adapter;

beforeEach(async () => {
  scratch = new Scratch();
  adapter = await new Adapter(scratch).start();
});
afterEach(async () => {
  await adapter.stop();
  await scratch.close();
});

const TICKER = '$| = 1; for (1 .. 5000) { print "tick $_\n"; select(undef, undef, undef, 0.02) }';

test('the process is a member of a new session, and is checkpointed; disconnected, it goes on', async () => {
  const program = scratch.start(['perl', '-e', TICKER]);
  await program.line(/^tick/);
  await adapter.ask('attach', { processId: String(program.pid), session: 'late' });
  const { session, processes } = await adapter.ask<SessionStatus>('cairnStatus');
  assert.equal(session, 'late');
  assert.deepEqual(
    processes.map(({ realPid, virtualPid }) => [realPid, virtualPid]),
    [[program.pid, program.pid]],
  );
  const made = await adapter.ask<CheckpointResult>('cairnCheckpoint', { name: '', then: 'resume' });
  assert.ok(made.bytes > 0);
  await adapter.ask('disconnect', { terminateDebuggee: false });
  await program.line(/^tick/);
  assert.equal((await scratch.cairn(['stop', '--session', 'late', '--grace', '0'])).status, 0);
  await program.exit();
});

test('what is against it is said, and the program goes on', async () => {
  const refused = await adapter.refusal('attach', { processId: 0x3fffff });
  assert.match(refused.text, /cannot be attached/);
  assert.match(refused.text, /no such process/);
  const wrong = await adapter.refusal('attach', { processId: 'perl' });
  assert.match(wrong.text, /processId.*process id/);
});
