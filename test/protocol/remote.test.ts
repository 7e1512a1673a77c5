/**
 * The coordinator's ear on a network, by real connections: who proves to know the secret is let in, everybody else is refused with an
 * entry in the log, and nothing of what they send is taken for a frame.
 */
import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { HostPeer } from '../../debug-adapter/src/control/host-peer.js';
import { Listener } from '../../debug-adapter/src/coordinator/listener.js';
import { Log } from '../../debug-adapter/src/coordinator/log.js';
import { connectProven, readSecret } from '../../debug-adapter/src/platform/proof.js';
import type { NetworkAddress } from '../../debug-adapter/src/protocol/control.js';
import { Role } from '../../debug-adapter/src/protocol/generated/agent_pb.js';
import { waitFor } from '../support/processes.js';
import { atEnd, type Fixture, launchParams, openCoordinator } from './fixture.js';

async function listening(t: TestContext): Promise<Fixture & { at: NetworkAddress; secret: string }> {
  const fixture = await openCoordinator(t);
  await fixture.coordinator.launch({ ...launchParams, listen: { address: '127.0.0.1', port: 0 } });
  const at = fixture.coordinator.session.listen;
  assert.ok(at !== null && at.port > 0 && at.address === '127.0.0.1');
  return { ...fixture, at, secret: readSecret(fixture.paths.secret) };
}

function open(t: TestContext, at: NetworkAddress): { socket: Socket; closed: Promise<void> } {
  const socket = connect({ host: at.address, port: at.port });
  socket.on('error', () => undefined);
  atEnd(t, () => socket.destroy());
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  socket.resume();
  return { socket, closed };
}

const refused = (log: Fixture['log'], pattern: RegExp) => () =>
  log.some(({ level, text }) => level === 'warning' && /was refused/.test(text) && pattern.test(text));

test('the secret is for its user alone', async (t) => {
  const { paths, secret } = await listening(t);
  assert.equal(statSync(paths.secret).mode & 0o777, 0o600);
  assert.match(secret, /^[0-9a-f]{64}$/);
});

test('who knows the secret may join, and is told what it needs', async (t) => {
  const { at, secret, coordinator } = await listening(t);
  const peer = await HostPeer.open(at, secret, { role: Role.JOINER });
  atEnd(t, () => peer.close());
  const { body } = await peer.ask({
    case: 'joinRequest',
    value: { identity: 'elsewhere', name: 'bee', sessions: '/run/there', library: '/lib/there/libcairn.so' },
  });
  assert.ok(body.case === 'joinReply', body.case);
  assert.equal(body.value.error, '');
  assert.equal(body.value.hostNumber, 1);
  assert.equal(body.value.hostName, 'bee');
  assert.equal(body.value.folder, '/run/there/test@bee');
  assert.equal(body.value.served, false);
  assert.ok(body.value.environment.includes(`CAIRN_COMPUTATION=${coordinator.status.computation}`));
  assert.ok(!body.value.environment.some((one) => one.includes(secret)), 'the secret is in an environment');
  assert.deepEqual(
    coordinator.status.hosts.map(({ number, connected }) => ({ number, connected })),
    [
      { number: 0, connected: true },
      { number: 1, connected: false },
    ],
  );
});

test('a wrong secret is refused, whatever follows it', async (t) => {
  const { at, log, coordinator } = await listening(t);
  await assert.rejects(connectProven(at, 'ab'.repeat(32)), /secret/);
  await waitFor('the refusal in the log', refused(log, /does not know the secret/));
  assert.deepEqual(coordinator.status.hosts.length, 1);
});

test('bytes that are no proof are refused', async (t) => {
  const { at, log, secret } = await listening(t);
  for (const [bytes, why] of [
    [Buffer.alloc(72, 'x'), /does not speak this protocol/],
    [Buffer.alloc(100_000, 'GET / HTTP/1.1\r\n'), /more than the proof/],
  ] as const) {
    const { socket, closed } = open(t, at);
    socket.write(bytes);
    await closed;
    await waitFor('the refusal in the log', refused(log, why));
  }
  // It still takes those who know.
  (await connectProven(at, secret)).destroy();
});

test('who says nothing is sent away, and does not keep others out', { timeout: 30_000 }, async (t) => {
  const { at, log, secret } = await listening(t);
  // More than may be unproven at a time: who comes after them waits until the first are sent away.
  const silent = Array.from({ length: 1100 }, () => open(t, at));
  (await connectProven(at, secret)).destroy();
  await waitFor('refusals of the slow', refused(log, /too slow/));
  for (const { socket } of silent) socket.destroy();
  assert.ok(log.filter(({ text }) => /was refused/.test(text)).length <= 10, 'the log is flooded');
});

test('strangers take at most half of the files that may be open', async (t) => {
  const entries: string[] = [];
  const log = new Log(() => undefined);
  log.onEntry(({ text }) => entries.push(text));
  const secret = 'ab'.repeat(32);
  let accepted = 0;
  const listener = new Listener(secret, log, () => accepted++, 64);
  atEnd(t, () => listener.close());
  const at = await listener.listen({ address: '127.0.0.1', port: 0 });
  // Who has proven itself counts no more.
  for (let i = 0; i < 40; i++) (await connectProven(at, secret)).destroy();
  assert.equal(accepted, 40);
  const strangers = Array.from({ length: 40 }, () => open(t, at));
  await waitFor('the refusal in the log', () => entries.some((text) => /: 32 others have not proven themselves yet/.test(text)));
  for (const { socket } of strangers) socket.destroy();
});

test('an agent over the network takes part like any other', async (t) => {
  const { at, secret, coordinator } = await listening(t);
  const peer = await HostPeer.open(at, secret, {
    role: Role.AGENT,
    sessionId: coordinator.status.computation,
    virtualPid: 4711,
    realPid: process.pid,
    executable: '/usr/bin/simulator',
  });
  atEnd(t, () => peer.close());
  await waitFor('the process', () => coordinator.status.processes.some((one) => one.virtualPid === 4711));
});
