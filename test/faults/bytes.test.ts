/**
 * Bytes that nobody should send, on both sockets of a coordinator and to an agent: connections end, nothing else happens. The
 * application goes on to its right end and can be checkpointed afterwards.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { chmodSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { isAlive, waitFor } from '../support/processes.js';
import { small, withVictim } from './victim.js';

function frame(body: Buffer, length = body.length): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt32LE(length);
  return Buffer.concat([head, body]);
}

/** Protobuf fields of small numbers and of bytes, by hand: what no encoder would make. */
const varint = (value: number): Buffer => {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Buffer.from([...bytes, rest]);
    bytes.push((rest % 128) | 128);
  }
};
const number = (field: number, value: number): Buffer => Buffer.concat([varint(field * 8), varint(value)]);
const bytes = (field: number, value: Buffer, length = value.length): Buffer =>
  Buffer.concat([varint(field * 8 + 2), varint(length), value]);
const message = (field: number, body: Buffer): Buffer => Buffer.concat([number(1, 1), bytes(field, body)]);

const hello = (major: number, role: number): Buffer =>
  frame(message(2, Buffer.concat([number(1, major), number(4, role), number(5, 1), number(6, 1)])));

const toCoordinator: [string, Buffer][] = [
  ['nothing', Buffer.alloc(0)],
  ['noise', randomBytes(4096)],
  ['a frame of 4 GB', frame(Buffer.from('x'), 0xffffffff)],
  ['a frame without a body', frame(Buffer.alloc(0))],
  ['half a frame', frame(Buffer.from([8, 1]), 100)],
  ['a frame of noise', frame(randomBytes(200))],
  ['a field longer than its frame', frame(Buffer.concat([number(1, 1), bytes(2, Buffer.from('abc'), 5000)]))],
  ['a ready before hello', frame(message(7, Buffer.alloc(0)))],
  ['a hello of version 99', hello(99, 1)],
  ['a hello of no role', hello(1, 0)],
  ['a hello of a process that does not exist', hello(1, 1)],
  ['an end of the computation from a stranger', Buffer.concat([hello(1, 2), frame(message(14, number(1, 1)))])],
  ['HTTP', Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')],
];

const header = (body: string, length = body.length): Buffer => Buffer.from(`Content-Length: ${length}\r\n\r\n${body}`);
const toControl: [string, Buffer][] = [
  ['nothing', Buffer.alloc(0)],
  ['noise', randomBytes(4096)],
  ['no JSON', header('{"jsonrpc": nonsense')],
  ['a body of -1 bytes', header('{}', -1)],
  ['a body of 10^15 bytes', header('{}', 1e15)],
  ['an unknown method', header('{"jsonrpc":"2.0","id":1,"method":"session/explode","params":{}}')],
  ['parameters of wrong types', header('{"jsonrpc":"2.0","id":1,"method":"session/checkpoint","params":{"name":7,"then":[]}}')],
  ['no parameters', header('{"jsonrpc":"2.0","id":1,"method":"session/checkpoint"}')],
  [
    'a second launch',
    header(
      '{"jsonrpc":"2.0","id":1,"method":"session/launch","params":{"argv":["true"],"cwd":"/","env":{},"plugins":[],"owner":"caller"}}',
    ),
  ],
  [
    'a restart of nothing',
    header(
      '{"jsonrpc":"2.0","id":1,"method":"session/restart","params":{"snapshot":"/nowhere","env":{},"paths":[],"plugins":[],"inPlace":false,"owner":"caller"}}',
    ),
  ],
  ['a prototype', header('{"jsonrpc":"2.0","id":1,"method":"__proto__","params":{"__proto__":{"then":"kill"}}}')],
];

/** Sends, and waits for the other side to close, or a moment. */
async function send(path: string, data: Buffer): Promise<void> {
  const socket = connect(path);
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });
  socket.on('error', () => undefined);
  socket.resume();
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  socket.write(data);
  await Promise.race([closed, sleep(60)]);
  socket.destroy();
}

for (const [name, attacks] of [
  ['agent', toCoordinator],
  ['control', toControl],
] as const) {
  test(`the coordinator's ${name} socket`, { timeout: 120_000 }, () =>
    withVictim(name, small, async (victim) => {
      const coordinator = victim.coordinator();
      for (const [what, data] of attacks) {
        await send(victim.socket(name), data);
        assert.ok(isAlive(coordinator), `the coordinator ended by: ${what}\n${victim.scratch.logs()}`);
        const { state } = await victim.scratch.json<{ state: string }>(['status', '--session', name]);
        assert.equal(state, 'running', `after: ${what}`);
      }
      await victim.canBeCheckpointed();
      await victim.comesToItsEnd();
      assert.equal(await victim.snapshotsAreWhole(), 1);
    }),
  );
}

const helloReply = frame(message(3, number(1, 1)));
const settingsEnd = frame(message(5, Buffer.alloc(0)));
const phase = (which: number): Buffer => frame(message(8, Buffer.concat([number(1, 1), number(2, which)])));
const toAgent: [string, Buffer][] = [
  ['noise', randomBytes(2048)],
  ['a frame of 4 GB', frame(Buffer.from('x'), 0xffffffff)],
  ['half a frame', frame(Buffer.from([8, 1]), 100)],
  ['a refusal', frame(message(3, Buffer.concat([number(1, 1), bytes(3, Buffer.from('go away'))])))],
  ['another version', frame(message(3, number(1, 99)))],
  ['a welcome and noise', Buffer.concat([helloReply, frame(randomBytes(100))])],
  ['a save out of order', Buffer.concat([helloReply, settingsEnd, phase(4)])],
  ['an unknown phase', Buffer.concat([helloReply, settingsEnd, phase(77)])],
  ['a barrier out of order', Buffer.concat([helloReply, settingsEnd, phase(3)])],
  ['a stop, and then nothing', Buffer.concat([helloReply, settingsEnd, phase(1), phase(2)])],
];

test('an agent, from something that stands in for its coordinator', { timeout: 120_000 }, () =>
  withVictim('stand-in', { ...small, lines: 4000 }, async (victim) => {
    const path = victim.socket('agent');
    process.kill(victim.coordinator(), 'SIGKILL');
    rmSync(path, { force: true });
    let met = 0;
    const open = new Set<Socket>();
    const server = createServer((socket) => {
      open.add(socket);
      socket.on('error', () => undefined).resume();
      const attack = toAgent[met++];
      if (attack) socket.write(attack[1]);
      setTimeout(() => socket.destroy(), attack ? 150 : 0);
    });
    await new Promise<void>((resolve) => server.listen(path, resolve));
    chmodSync(path, 0o600);
    const pid = await victim.pid();
    try {
      // An agent that was refused may stay away: then the rest was not needed.
      await waitFor('the agent to come back', () => met > 0, 15);
      for (let quiet = 0, seen = met; quiet < 30 && met < toAgent.length; quiet++) {
        await sleep(100);
        if (met > seen) quiet = 0;
        seen = met;
        assert.ok(isAlive(pid), `the application died of: ${toAgent[met - 1]?.[0]}`);
      }
    } finally {
      for (const socket of open) socket.destroy();
      server.close();
    }
    const lines = victim.program.lines.length;
    await waitFor(
      'the application to go on',
      () => victim.program.lines.length > lines + 5 || victim.program.status !== undefined,
      10,
    );
    await victim.comesToItsEnd();
  }),
);
