/**
 * Faults in messages (native-agent/faults/messages): on each kind of connection, in each call by which messages go, at their own boundaries; what
 * comes is what the fault makes of it, and the others come as ever.
 */
import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Run } from '../../debug-adapter/src/protocol/campaign.js';
import { compile } from '../probes/catalogue.js';
import { type Scratch, withScratch } from '../support/scratch.js';
import { inTree } from '../support/tree.js';

const program = inTree('build/test/faults/messages_victim');

const edges = inTree('build/test/faults/messages_edges');

const ruleLibrary = inTree('build/test/faults/messages_rule.so');

test.before(async () => {
  await compile(inTree('test/faults/messages_victim.c'), program, ['-pthread']);
  await compile(inTree('test/faults/messages_edges.c'), edges, ['-pthread']);
  const include = `-I${inTree('native-agent/include')}`;
  await compile(inTree('test/faults/messages_rule.c'), ruleLibrary, ['-shared', '-fPIC', include]);
});

type Fault = Record<string, unknown>;

const SENT = ['m1.', 'm2..', 'm3...', 'm4....', 'm5.....', 'm6......'];
const rule = { lengthBytes: 2, bigEndian: true, header: 2 };

let settings = 0;

function plugin(scratch: Scratch, faults: readonly Fault[]): string[] {
  const file = join(scratch.folder, `faults${settings++}.json`);
  writeFileSync(file, JSON.stringify({ faults }));
  return ['--plugin', `fault-messages=${file}`];
}

async function snapshot(scratch: Scratch, how: string): Promise<void> {
  writeFileSync(join(scratch.work, 'hold'), '');
  const started = scratch.cairnProgram(['run', '--session', 'roi', '--', program, how]);
  await started.line(/^ready$/);
  await scratch.checkpoint('roi', '--name', 'roi', '--then', 'kill');
  await started.exit();
  rmSync(join(scratch.work, 'hold'));
}

const changed = (index: number, to: string[]): string =>
  ['got', ...SENT.slice(0, index), ...to, ...SENT.slice(index + 1)].join(' ');

/** And what comes with it in the nth message. */
const effects: [string, Fault, (n: number) => string][] = [
  ['drop', { drop: true }, (n) => changed(n - 1, [])],
  ['corrupt', { corrupt: { offset: 2, flip: '20' } }, (n) => changed(n - 1, [(SENT[n - 1] ?? '').replace('m', 'M')])],
  ['delay', { delayUs: 20_000 }, (n) => changed(n - 1, [SENT[n - 1] ?? ''])],
  ['duplicate', { duplicate: true }, (n) => changed(n - 1, [SENT[n - 1] ?? '', SENT[n - 1] ?? ''])],
  ['reorder', { reorder: true }, (n) => ['got', ...SENT.slice(0, n - 1), SENT[n], SENT[n - 1], ...SENT.slice(n + 1)].join(' ')],
];

const connections: [string, Fault][] = [
  ['unix', { path: 'link' }],
  ['tcp', { kind: 'socket' }], // its port is not known beforehand
  ['pipe', { kind: 'pipe' }],
  ['fifo', { path: '/link', kind: 'fifo' }],
];

for (const [how, connection] of connections)
  test(`of ${how}: each fault in a message that is sent, and in one that is received`, () =>
    withScratch(async (scratch) => {
      await snapshot(scratch, how);
      for (const [index, [effect, fault, expected]] of effects.entries()) {
        for (const direction of ['send', 'receive']) {
          if (direction === 'receive' && index > 2) continue;
          const nth = 1 + ((index + (direction === 'send' ? 0 : 3)) % 5);
          const faults = [{ connection, direction, rule, ...fault, messages: { nth } }];
          const { status, stdout, stderr } = await scratch.cairn(['restart', 'roi', ...plugin(scratch, faults)]);
          assert.equal(status, 0, stderr);
          const what = `${effect} ${direction} ${nth}: ${stdout}`;
          assert.ok(stdout.includes(`${expected(nth)}\n`), `${what} is not ${expected(nth)}`);
        }
      }
    }));

test("by what a plugin of the user's says of where they end; where there is none each call is one", () =>
  withScratch(async (scratch) => {
    await snapshot(scratch, 'unix');
    // The fourth goes with the fifth in one call.
    const fault = { connection: { path: 'link' }, direction: 'send', rule: { extension: 'victim.messages/1' }, drop: true };
    const faulty = plugin(scratch, [{ ...fault, messages: { nth: 4 } }]);
    const told = await scratch.cairn(['restart', 'roi', '--plugin', ruleLibrary, ...faulty]);
    assert.ok(told.stdout.includes(`${changed(3, [])}\n`), told.stdout);
    const alone = await scratch.cairn(['restart', 'roi', ...faulty]);
    assert.ok(alone.stdout.includes('got m1. m2.. m3... m6......\n'), alone.stdout);
  }));

test('datagrams are messages by themselves, whatever the rule', () =>
  withScratch(async (scratch) => {
    await snapshot(scratch, 'udp');
    const common = { connection: { kind: 'socket' }, rule: { size: 1 } };
    for (const [fault, expected] of [
      [{ direction: 'send', drop: true, messages: { nth: 2 } }, changed(1, [])],
      [{ direction: 'send', duplicate: true, messages: { nth: 6 } }, changed(5, ['m6......', 'm6......'])],
      [{ direction: 'send', reorder: true, messages: { nth: 1 } }, 'got m2.. m1. m3... m4.... m5..... m6......'],
      [{ direction: 'receive', corrupt: { bytes: '51' }, messages: { nth: 3 } }, changed(2, ['Q3...'])],
      [{ direction: 'receive', drop: true, messages: { first: 2, every: 2, last: 6 } }, 'got m1. m3... m5.....'],
    ] as const) {
      const { status, stdout, stderr } = await scratch.cairn(['restart', 'roi', ...plugin(scratch, [{ ...common, ...fault }])]);
      assert.equal(status, 0, stderr);
      assert.ok(stdout.includes(`${expected}\n`), `${stdout} is not ${expected}`);
    }
  }));

test('a campaign of them; a connection that is none has no effect; settings that cannot be right are refused by name', () =>
  withScratch(async (scratch) => {
    await snapshot(scratch, 'unix');
    // Nothing comes behind it but the end.
    const last = { connection: { path: 'link' }, direction: 'send', rule, reorder: true, messages: { nth: 6 } };
    const { stdout } = await scratch.cairn(['restart', 'roi', ...plugin(scratch, [last])]);
    assert.ok(stdout.includes(`got ${SENT.join(' ')}\n`), stdout);
    const file = join(scratch.work, 'all.yaml');
    const common = { direction: 'send', rule, messages: { last: 2 }, effects: [{ drop: true }, { delayUs: 1 }] };
    const models = [
      { name: 'link', messages: { ...common, connection: { path: 'link' } } },
      { name: 'other', messages: { ...common, connection: { path: 'other' } } },
    ];
    writeFileSync(file, JSON.stringify({ snapshot: 'roi', store: scratch.store, models }));
    const { status, stderr } = await scratch.cairn(['campaign', 'run', file, '--json'], { seconds: 200 });
    assert.equal(status, 0, stderr);
    const runs = await scratch.json<Run[]>(['campaign', 'show', file]);
    assert.deepEqual(
      runs.map(({ outcome, effective }) => [outcome, effective]),
      [
        ...[1, 2].flatMap(() => [
          ['silentDataCorruption', true],
          ['masked', true],
        ]),
        ...[1, 2, 3, 4].map(() => ['masked', false]),
      ],
    );
    for (const [fault, why] of [
      [
        { connection: { kind: 'pipe' }, direction: 'receive', duplicate: true },
        /fault 1: "duplicate" and "reorder" are of messages that are sent/,
      ],
      [{ connection: { kind: 'pipe' }, direction: 'send' }, /fault 1: it needs one of drop/],
      [
        { connection: { kind: 'pipe' }, direction: 'send', drop: true, rule: { size: 4, line: true } },
        /fault 1: "rule" has one of/,
      ],
    ] as const)
      assert.match((await scratch.cairn(['restart', 'roi', ...plugin(scratch, [fault])])).stderr, why);
  }));

const socket = { kind: 'socket' };
const sent = { connection: socket, direction: 'send' };
const received = { connection: socket, direction: 'receive' };
const held = { ...sent, reorder: true, messages: { nth: 1 } };

/** What is done with connections besides: by which faults, the case of messages_edges.c, and what it says. */
const cases: [string, string, Fault[], string][] = [
  [
    'a datagram longer than the buffer is corrupted as far as it is there',
    'truncated',
    [{ ...received, corrupt: { flip: 'ff'.repeat(64) } }],
    '64 64, both corrupted, nothing beyond',
  ],
  ['bytes that are thrown away are none to look at', 'thrown-away', [{ ...received, corrupt: { flip: 'ff' } }], '4 kept'],
  [
    'descriptors that came with a dropped message are closed',
    'dropped-right',
    [{ ...received, drop: true, messages: { nth: 1 } }],
    '2+right 1 more',
  ],
  ['shutdown and close end a write that waits', 'woken', [{ ...sent, delayUs: 1 }], 'woken'],
  ['behind a close the number is another connection, while a write waits', 'closed', [{ ...sent, delayUs: 1 }], 'next and one'],
  ['a thread that is cancelled in a write leaves the connection to others', 'cancelled', [{ ...sent, delayUs: 1 }], 'next'],
  [
    'what the kernel takes later of a call is no message of its own',
    'partly',
    [{ ...sent, drop: true, messages: { nth: 2 } }],
    'all third ',
  ],
  [
    'a message sent twice of which the kernel takes parts',
    'partly',
    [{ ...sent, duplicate: true, messages: { nth: 2 } }],
    'all second second third ',
  ],
  [
    'a message that the kernel does not take yet keeps its number',
    'later',
    [{ ...sent, drop: true, messages: { nth: 2 } }],
    'soon, a and c',
  ],
  ['and its delay, which is over', 'later', [{ ...sent, delayUs: 500_000, messages: { nth: 1 } }], 'soon, a and bc'],
  ["a child of vfork closes nothing of its parent's", 'borrowed', [held], '21'],
  ['each process counts its own messages', 'forked', [{ ...sent, drop: true, messages: { nth: 2 } }], 'p1 c1 '],
  ...['return', 'exit', 'dup2', 'close_range', 'fclose'].map((how): [string, string, Fault[], string] => [
    `what is held goes before the end by ${how}`,
    how,
    [held],
    'held',
  ]),
  ['nobody reads what is held', 'unread', [held], 'alive'],
  [
    'behind a message that is dropped nothing goes',
    'behind-dropped',
    [held, { ...sent, drop: true, messages: { nth: 2 } }],
    '31',
  ],
  ['a message with descriptors is not held', 'with-right', [held], '1+right 2 '],
  [
    'threads that open and close more connections than there are places for',
    'many',
    [{ ...sent, connection: { kind: 'pipe' }, corrupt: { flip: '20' } }],
    'as they should be',
  ],
  ['messages of no bytes go as ever', 'empty', [{ ...sent, drop: true }], '0'],
];

test('what programs do with connections besides: each case says what comes', (context) =>
  withScratch(async (scratch) => {
    for (const [what, how, faults, expected] of cases)
      await context.test(what, async () => {
        const { status, stdout, stderr } = await scratch.cairn(['run', ...plugin(scratch, faults), '--', edges, how]);
        assert.equal(status, 0, `${how}: ${status}: ${stderr}`);
        assert.ok(stdout.split('\n').includes(expected), `${how}: ${stdout} is not ${expected}`);
      });
  }));

test('a descriptor that was closed before a snapshot is not taken for what has its number after a restart', () =>
  withScratch(async (scratch) => {
    writeFileSync(join(scratch.work, 'hold'), '');
    const faults = plugin(scratch, [{ connection: { kind: 'pipe' }, direction: 'send', drop: true }]);
    const started = scratch.cairnProgram(['run', '--session', 'roi', ...faults, '--', edges, 'another-one']);
    await started.line(/^ready$/);
    await scratch.checkpoint('roi', '--name', 'roi', '--then', 'kill');
    await started.exit();
    rmSync(join(scratch.work, 'hold'));
    const { status, stdout, stderr } = await scratch.cairn(['restart', 'roi']);
    assert.equal(status, 0, stderr);
    assert.ok(stdout.includes('of the socket\n'), stdout);
  }));
