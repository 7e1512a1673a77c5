/** Processes coming and going: the handshake, refusals, exec, the end of the computation and its status, stop. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { statSync } from 'node:fs';
import { connect } from 'node:net';
import { type TestContext, test } from 'node:test';
import { atEnd, launchParams, openCoordinator, running } from './fixture.js';

/** A real process, for what looks at pids. */
function sleeper(t: TestContext, command = 'sleep 60'): ChildProcess {
  const child = spawn('/bin/sh', ['-c', `exec ${command}`], { stdio: 'ignore' });
  atEnd(t, () => void child.kill('SIGKILL'));
  return child;
}

test('a process is shown as it introduced itself, with its plugins', async (t) => {
  const { coordinator, peer } = await running(t, {
    peer: { plugins: [{ name: 'file', layer: 2, barriers: ['a', 'b'], restartBarriers: ['c'] }] },
  });
  const [found] = coordinator.status.processes;
  assert.equal(found?.virtualPid, peer.virtualPid);
  assert.deepEqual(found?.argv, ['simulator', 'design.vvp']);
  assert.deepEqual(found?.plugins, [
    { name: 'file', version: '1', author: '', library: '', layer: 2, barriers: ['a', 'b'], restartBarriers: ['c'], error: '' },
  ]);
  assert.equal(coordinator.status.state, 'running');
});

test('plugins of the launch are told to the process', async (t) => {
  const { coordinator, join } = await openCoordinator(t);
  await coordinator.launch({ ...launchParams, plugins: [{ library: '/lib/vendor.so', settings: '{"a":1}' }] });
  const peer = await join();
  assert.deepEqual(
    peer.settings.map(({ key, value }) => [key, value]),
    [['/lib/vendor.so', '{"a":1}']],
  );
});

test('the environment names the session, and our library stands before what the program preloads itself', async (t) => {
  const { coordinator, paths, store } = await openCoordinator(t);
  const { env, command, cwd } = await coordinator.launch({
    ...launchParams,
    env: { PATH: '/usr/bin', LD_PRELOAD: '/lib/a.so /lib/b.so' },
  });
  assert.match(env['LD_PRELOAD'] ?? '', /^\/.*\/\$PLATFORM\/libcairn\.so:\/lib\/a\.so:\/lib\/b\.so$/);
  assert.equal(env['CAIRN_AGENT_SOCKET'], paths.agentSocket);
  assert.equal(env['CAIRN_STORE'], store.path);
  assert.equal(env['CAIRN_SESSION'], 'test');
  assert.equal(env['PATH'], '/usr/bin');
  assert.deepEqual(command.slice(-3), ['--', 'simulator', 'design.vvp']);
  assert.equal(cwd, '/tmp');
});

test('another major version is refused in words', async (t) => {
  const { coordinator, join } = await openCoordinator(t);
  await coordinator.launch(launchParams);
  const peer = await join({ major: 2 });
  assert.match(peer.refusal, /version 2 .* coordinator 1/);
  await peer.closed;
  assert.deepEqual(coordinator.status.processes, []);
});

test('a process of another computation is refused', async (t) => {
  const { coordinator, join } = await openCoordinator(t);
  await coordinator.launch(launchParams);
  assert.match((await join({ computation: 'ffffffffffffffff' })).refusal, /ffffffffffffffff/);
});

test('bytes that are no frame end that connection, and nothing else', async (t) => {
  const { coordinator, paths, peer } = await running(t);
  for (const bytes of ['GET / HTTP/1.0\r\n\r\n', '\x05\x00\x00\x00\xff\xff\xff\xff\xff', '\x00\x00\x00\x00']) {
    const socket = connect(paths.agentSocket);
    socket.on('error', () => undefined);
    socket.write(Buffer.from(bytes, 'latin1'));
    await once(socket, 'close');
  }
  assert.equal(coordinator.status.processes.length, 1);
  await coordinator.hold();
  assert.deepEqual(peer.phases, ['presuspend', 'suspend']);
});

test('a request that a coordinator does not know is answered', async (t) => {
  const { peer } = await running(t);
  peer.send(9n, { case: 'holdBarrier', value: {} });
  assert.equal((await peer.requestCheckpoint('')).error, '');
  assert.deepEqual(peer.refused, ['a coordinator does not answer "holdBarrier"']);
});

test('only the user reaches the agent socket', async (t) => {
  const { paths } = await openCoordinator(t);
  assert.equal(statSync(paths.agentSocket).mode & 0o777, 0o600);
  assert.equal(statSync(paths.folder).mode & 0o777, 0o700);
});

test('after exec the same process is there once', async (t) => {
  const { coordinator, join } = await running(t);
  await join();
  assert.equal(coordinator.status.processes.length, 1);
  await coordinator.checkpoint({ name: '', then: 'resume' });
});

test('the launcher gives the exit status; the session ends when the last process has gone', async (t) => {
  const { coordinator, join } = await openCoordinator(t);
  await coordinator.launch(launchParams);
  const { pid = 0 } = sleeper(t);
  const peer = await join({ pid });
  await coordinator.started(1000);
  process.kill(pid, 'SIGKILL');
  peer.close();
  const launcher = await join({ launcher: true, pid: process.pid });
  launcher.send(0n, { case: 'processExit', value: { realPid: pid, waitStatus: 9 } });
  await coordinator.ended;
  assert.equal(coordinator.status.state, 'exited');
  assert.equal(coordinator.status.exitStatus, 137);
  await launcher.closed;
  await assert.rejects(coordinator.checkpoint({ name: '', then: 'resume' }), { code: 'sessionEnded', message: /137/ });
});

test('a program that ends at once has been started', async (t) => {
  const { coordinator, join } = await openCoordinator(t);
  await coordinator.launch(launchParams);
  const launcher = await join({ launcher: true });
  launcher.send(0n, { case: 'processExit', value: { realPid: 1, waitStatus: 3 << 8 } });
  const status = await coordinator.started(5000);
  assert.deepEqual([status.state, status.exitStatus], ['exited', 3]);
});

test('a start that nobody executes is given up', async (t) => {
  const { coordinator } = await openCoordinator(t, { deadlines: { start: 50 } });
  await coordinator.launch(launchParams);
  await assert.rejects(coordinator.started(5000), { code: 'notStarted' });
  assert.equal(coordinator.status.state, 'exited');
});

test('a session runs one computation', async (t) => {
  const { coordinator } = await running(t);
  await assert.rejects(coordinator.launch(launchParams), { code: 'sessionBusy' });
});

for (const [name, command] of [
  ['listens to SIGTERM', 'sleep 60'],
  ['ignores SIGTERM', `sh -c 'trap "" TERM; while :; do sleep 0.05; done'`],
] as const) {
  test(`stop ends a process that ${name}`, async (t) => {
    const { coordinator, join } = await openCoordinator(t);
    await coordinator.launch(launchParams);
    const child = sleeper(t, command);
    const peer = await join({ pid: child.pid ?? 0 });
    child.once('exit', () => peer.close());
    const status = await coordinator.stop(200);
    assert.equal(status.state, 'exited');
    assert.notEqual(child.signalCode, null);
  });
}
