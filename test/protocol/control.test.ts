/** The control protocol over its real socket: every request is answered, errors keep their number, changes are told. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { statSync } from 'node:fs';
import { connect } from 'node:net';
import { type TestContext, test } from 'node:test';
import { SocketMessageReader } from 'vscode-jsonrpc/node';
import { ControlClient } from '../../debug-adapter/src/control/client.js';
import { ControlServer } from '../../debug-adapter/src/control/server.js';
import { Log } from '../../debug-adapter/src/coordinator/log.js';
import type { SessionStatus } from '../../debug-adapter/src/protocol/control.js';
import { waitFor } from '../support/processes.js';
import { atEnd, running } from './fixture.js';

async function served(t: TestContext) {
  const fixture = await running(t);
  const log = new Log(() => undefined);
  const server = new ControlServer(fixture.coordinator, log, '/log');
  await server.listen(fixture.paths.controlSocket);
  atEnd(t, () => server.close());
  const open = async (): Promise<ControlClient> => {
    const client = await ControlClient.open('test', fixture.paths.controlSocket, '/log');
    atEnd(t, () => client.close());
    return client;
  };
  return { ...fixture, server, open, client: await open(), sessionLog: log };
}

test('a checkpoint is told to every client, with the phases it went through', async (t) => {
  const { client, open } = await served(t);
  const other = await open();
  const changes: SessionStatus[] = [];
  other.on('session/changed', (status) => changes.push(status));
  const told = new Promise((resolve) => other.on('session/snapshot', resolve));
  const result = await client.request('session/checkpoint', { name: 'x', then: 'resume' });
  assert.deepEqual(await told, result);
  while (!changes.some((one) => one.operation?.finished && one.lastSnapshot === result.snapshot))
    await once(process, 'nothing', { signal: AbortSignal.timeout(20) }).catch(() => undefined);
  assert.deepEqual(
    changes.at(-1)?.operation?.phases.map((one) => one.phase),
    ['presuspend', 'suspend', 'save', 'resume', 'running', 'write'],
  );
});

test('an error has the same number and remedy here as there', async (t) => {
  const { client } = await served(t);
  await assert.rejects(client.request('terminal/open', {}), {
    name: 'CairnError',
    code: 'noTerminal',
    number: 207,
    remedy: /--detach/,
  });
  await assert.rejects(client.request('session/table', { kind: 'fd', virtualPid: 1 }), { code: 'unknownProcess' });
});

test('tables come from the process', async (t) => {
  const { client, peer } = await served(t);
  const { rows } = await client.request('session/table', { kind: 'path' });
  assert.deepEqual(rows, [
    { virtualPid: peer.virtualPid, virtual: '/a', real: '/b', before: '', owner: 'path', detail: '', since: '' },
  ]);
});

/** A client that does not keep to the protocol's types. */
async function raw(
  path: string,
  method: string,
  params: unknown,
): Promise<{ error?: { code: number; message: string }; result?: unknown }> {
  const socket = connect(path);
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });
  socket.write(`Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
  type Answer = { id?: number; error?: { code: number; message: string }; result?: unknown };
  return new Promise((resolve) =>
    new SocketMessageReader(socket).listen((message) => {
      if ((message as Answer).id !== 1) return;
      resolve(message as Answer);
      socket.destroy();
    }),
  );
}

test('a wrong call is answered with what is wrong', async (t) => {
  const { paths } = await served(t);
  const wrong = await raw(paths.controlSocket, 'session/checkpoint', { name: 5, then: 'explode' });
  assert.equal(wrong.error?.code, 106);
  assert.match(wrong.error?.message ?? '', /name: .*then: /);
  const unknown = await raw(paths.controlSocket, 'session/explode', {});
  assert.equal(unknown.error?.code, 107);
});

test('bytes that are no JSON-RPC hurt nobody', async (t) => {
  const { paths, client } = await served(t);
  for (const bytes of ['Content-Length: 5\r\n\r\n{{{{{', 'nonsense\r\n\r\n', '\0\0\0']) {
    const socket = connect(paths.controlSocket);
    socket.on('error', () => undefined);
    // What it is told meanwhile is read, too: its end comes behind that.
    socket.resume();
    socket.end(bytes);
    await once(socket, 'close');
  }
  assert.equal((await client.request('session/status', {})).state, 'running');
});

test('a request that a lost coordinator cannot answer ends, and says so', async (t) => {
  const { client, server, peer } = await served(t);
  peer.behaviours.set('suspend', 'hang');
  const waiting = assert.rejects(client.request('session/hold', {}), { code: 'coordinatorLost', message: /session\/hold/ });
  while (!peer.phases.includes('suspend')) await new Promise((resolve) => setImmediate(resolve));
  server.close();
  await waiting;
  await client.closed;
});

test('the socket is for its user alone', async (t) => {
  const { paths } = await served(t);
  assert.equal(statSync(paths.controlSocket).mode & 0o777, 0o600);
});

test('a client is told all once, then what is other; one that comes later is told all, too', async (t) => {
  const { client, open, coordinator, paths } = await served(t);
  const sizes: number[] = [];
  const socket = connect(paths.controlSocket);
  atEnd(t, () => socket.destroy());
  new SocketMessageReader(socket).listen((message) => void sizes.push(JSON.stringify(message).length));
  coordinator.session.argv = Array.from({ length: 1000 }, (_, index) => `argument ${index}`);
  const seen: SessionStatus[] = [];
  client.on('session/changed', (status) => seen.push(status));
  await waitFor('the first to be told', () => {
    coordinator.session.progressed();
    return seen.length > 0 && sizes.length > 0;
  });
  coordinator.session.lastSnapshot = 'one';
  coordinator.session.progressed();
  await waitFor('the second', () => seen.at(-1)?.lastSnapshot === 'one' && sizes.length > 1);
  const [all = 0, ...rest] = sizes;
  assert.ok(all > 10_000 && rest.every((size) => size < 500), sizes.join(', '));
  const late: SessionStatus[] = [];
  (await open()).on('session/changed', (status) => late.push(status));
  await waitFor('the late one to be told', () => {
    coordinator.session.progressed();
    return late.length > 0;
  });
  assert.deepEqual(late[0], coordinator.status);
  assert.deepEqual(seen.at(-1), coordinator.status);
});

test('the larger what is told, the rarer: it takes no more than a tenth of the time', async (t) => {
  const { client, coordinator } = await served(t);
  // As of a computation of thousands of processes, all of which have become others.
  const argv = Array.from({ length: 100_000 }, (_, index) => `"argument" ${index} with what has to be escaped`);
  const others = ['other', ...argv];
  coordinator.session.argv = argv;
  // The first ones are slower than those that are told.
  const encodings = Array.from({ length: 10 }, () => {
    const began = performance.now();
    JSON.stringify(coordinator.status);
    return performance.now() - began;
  });
  const each = Math.min(...encodings);
  let told = 0;
  client.on('session/changed', () => told++);
  const changes = setInterval(() => {
    coordinator.session.argv = coordinator.session.argv === argv ? others : argv;
    coordinator.session.progressed();
  }, 1);
  atEnd(t, () => clearInterval(changes));
  await new Promise((resolve) => setTimeout(resolve, 40 * each));
  clearInterval(changes);
  assert.ok(told <= 8, `told ${told} times in the time of 40`);
});
