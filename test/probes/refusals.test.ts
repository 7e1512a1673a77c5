/**
 * What cannot be checkpointed: the program itself runs as ever, `checkpoint` refuses with a message that names the cause, and no
 * snapshot is listed.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { obstaclesOf } from '../../debug-adapter/src/platform/obstacles.js';
import { waitFor } from '../support/processes.js';
import { type Scratch, withScratch } from '../support/scratch.js';
import { cairnCommand } from '../support/tree.js';
import { lacks32Bit } from './catalogue.js';
import { tool } from './tools.js';

async function expectRefusal(scratch: Scratch, session: string, ...patterns: RegExp[]): Promise<void> {
  const { status, stdout, stderr } = await scratch.cairn(['checkpoint', '--session', session, '--json']);
  assert.equal(status, 1, `checkpoint gave ${status}: ${stdout}${stderr}`);
  for (const pattern of patterns) assert.match(stderr, pattern);
  const listed = await scratch.json<unknown[]>(['ls']);
  assert.deepEqual(listed, [], 'a snapshot is listed');
}

test('a program without shared libraries runs and cannot be checkpointed', () =>
  withScratch(async (scratch) => {
    const file = join(scratch.folder, 'go');
    const program = scratch.cairnProgram(['run', '--session', 'static', '--', await tool('tiny', '-static'), file]);
    await program.line(/^running$/);
    await expectRefusal(scratch, 'static', /static/i);
    assert.match(program.stderr, /static/i, 'cairn run says nothing of it');
    writeFileSync(file, '');
    await program.line(/^done$/);
    assert.equal(await program.exit(), 0);
  }));

test('a 32-bit program without shared libraries runs and cannot be checkpointed', async (t) => {
  const lacking = await lacks32Bit();
  if (lacking !== '') return t.skip(lacking);
  return withScratch(async (scratch) => {
    const command = await tool('tiny32', '-m32', '-nostdlib', '-static', '-fno-pie', '-no-pie', '-fno-stack-protector');
    const program = scratch.cairnProgram(['run', '--session', 'narrow', '--', command], { input: true });
    await program.line(/^running$/);
    await expectRefusal(scratch, 'narrow', /static/i);
    assert.match(program.stderr, /static/i, 'cairn run says nothing of it');
    program.type('x');
    await program.line(/^done$/);
    assert.equal(await program.exit(), 0);
  });
});

test('a member whose program can load no library is executed by that, and is refused', () =>
  withScratch(async (scratch) => {
    const file = join(scratch.folder, 'go');
    const [fixed, loaded] = await Promise.all([tool('tiny', '-static'), tool('tiny')]);
    const [emulator, ordinary] = [scratch.start([fixed, file]), scratch.start([loaded, file])];
    for (const program of [emulator, ordinary]) await program.line(/^running$/);
    assert.match(
      obstaclesOf(emulator.pid, new Set())
        .map(({ what }) => what)
        .join(),
      /executed by .*tiny-static/,
    );
    assert.deepEqual(obstaclesOf(ordinary.pid, new Set()), []);
    writeFileSync(file, '');
    for (const program of [emulator, ordinary]) assert.equal(await program.exit(), 0);
  }));

test('a program that makes its system calls itself is refused', () =>
  withScratch(async (scratch) => {
    const command = await tool('raw', '-nostdlib', '-fpie', '-pie', '-fno-stack-protector');
    const program = scratch.cairnProgram(['run', '--session', 'raw', '--', command], { input: true });
    await program.line(/^running$/);
    await expectRefusal(scratch, 'raw', /raw\S* uses no C library/);
    program.type('x');
    await program.line(/^done$/);
    assert.equal(await program.exit(), 0);
  }));

test('a wait for a child that is no call of the C library is refused while it lasts', () =>
  withScratch(async (scratch) => {
    const program = scratch.cairnProgram(['run', '--session', 'wait', '--', await tool('raw_wait')], { input: true });
    await program.line(/^waiting$/);
    await expectRefusal(scratch, 'wait', /thread \d+ waits for a child by a system call of \S*raw_wait itself/);
    program.type('x');
    await program.line(/^waited$/);
    await scratch.checkpoint('wait');
    program.type('x');
    assert.equal(await program.exit(), 0);
  }));

test('a Go program is refused while it has children, which it would not find by its own system calls', () =>
  withScratch(async (scratch) => {
    const program = scratch.cairnProgram(['run', '--session', 'go', '--', await tool('go_parent')], { input: true });
    await program.line(/^waiting$/);
    await expectRefusal(scratch, 'go', /go_parent is a Go program with children/);
    program.type('x');
    await program.line(/^waited$/);
    await scratch.checkpoint('go');
    program.type('x');
    assert.equal(await program.exit(), 0);
  }));

test('a program without shared libraries that has started one with them is refused', () =>
  withScratch(async (scratch) => {
    const file = join(scratch.folder, 'go');
    const [starter, child] = await Promise.all([tool('starter', '-static'), tool('tiny')]);
    const program = scratch.cairnProgram(['run', '--session', 'starter', '--', starter, child, file]);
    await program.line(/^running$/);
    await waitFor('its child', async () => {
      const { processes } = await scratch.json<{ processes: unknown[] }>(['status', '--session', 'starter']);
      return processes.length > 0;
    });
    await expectRefusal(scratch, 'starter', /starter-static is statically linked/);
    writeFileSync(file, '');
    await program.line(/^done$/);
    assert.equal(await program.exit(), 0);
  }));

test('a process with a host name or a root folder of its own is refused', (t) =>
  withScratch(async (scratch) => {
    const user = process.geteuid?.() === 0 ? [] : ['--map-root-user'];
    const { status, stderr } = spawnSync('unshare', [...user, '--uts', 'true'], { encoding: 'utf8' });
    if (status !== 0) return t.skip(`unshare --uts: ${stderr.trim()}`);
    const folder = join(scratch.folder, 'root');
    mkdirSync(folder);
    copyFileSync(await tool('tiny', '-static'), join(folder, 'tiny'));
    const file = join(folder, 'go');
    const named = scratch.start(['unshare', ...user, '--uts', join(folder, 'tiny'), file]);
    const rooted = scratch.start(['unshare', ...user, `--root=${folder}`, '/tiny', '/go']);
    const words = (pid: number): string =>
      obstaclesOf(pid, new Set())
        .map(({ what }) => what)
        .join();
    for (const program of [named, rooted]) await program.line(/^running$/);
    assert.match(words(named.pid), /another host name \(UTS\) namespace/);
    assert.match(words(rooted.pid), /has made \S*\/root its root folder/);
    writeFileSync(file, '');
    for (const program of [named, rooted]) assert.equal(await program.exit(), 0);
  }));

test('a connection to outside is refused by its descriptor, and lives on', () =>
  withScratch(async (scratch) => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    assert.ok(typeof address === 'object' && address !== null);
    const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve));
    try {
      const program = scratch.cairnProgram(['run', '--session', 'net', '--', await tool('connected'), String(address.port)]);
      const fd = /fd (\d+)/.exec(await program.line(/^connected/))?.[1];
      const peer = await accepted;
      const ask = async (byte: number): Promise<number | undefined> => {
        peer.write(Buffer.from([byte]));
        return new Promise((resolve) => peer.once('data', (data) => resolve(data[0])));
      };
      assert.equal(await ask(1), 2);
      await expectRefusal(scratch, 'net', new RegExp(`\\b${fd}\\b`), /socket/i);
      assert.equal(await ask(41), 42, 'the connection was disturbed');
      peer.end();
      await program.line(/^closed$/);
      assert.equal(await program.exit(), 0);
    } finally {
      server.close();
    }
  }));

for (const [kind, words] of [
  ['netlink', /netlink/],
  ['unaccepted', /not accepted.*name of the listening socket/],
] as const) {
  test(`a socket that cannot be saved is named: ${kind}`, () =>
    withScratch(async (scratch) => {
      const program = scratch.cairnProgram(['run', '--session', kind, '--', await tool('refused_socket'), kind], { input: true });
      const fd = /descriptor (\d+)/.exec(await program.line(/^descriptor/))?.[1];
      await expectRefusal(scratch, kind, new RegExp(`\\b${fd}\\b`), words);
      program.closeInput();
      assert.equal(await program.exit(), 0);
    }));
}

test('by rule a connection to outside is closed by a restart, and the program that runs keeps it', () =>
  withScratch(async (scratch) => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    assert.ok(typeof address === 'object' && address !== null);
    const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve));
    try {
      const command = [await tool('connected'), String(address.port)];
      const rules = ['--connection', '10.*=refuse', '--connection', `127.0.0.1:${address.port}=close`];
      const program = scratch.start([cairnCommand, 'run', '--session', 'net', ...rules, '--', ...command]);
      await program.line(/^connected/);
      const peer = await accepted;
      const { snapshot } = await scratch.checkpoint('net');
      peer.write(Buffer.from([41]));
      const answer = await new Promise<Uint8Array>((resolve) => peer.once('data', resolve));
      assert.equal(answer[0], 42, 'the connection was disturbed');
      const restarted = scratch.cairnProgram(['restart', snapshot, '--session', 'again']);
      await restarted.line(/^closed$/);
      assert.equal(await restarted.exit(), 0);
      peer.end();
      await program.line(/^closed$/);
      assert.equal(await program.exit(), 0);
    } finally {
      server.close();
    }
  }));

test('a child without shared libraries is refused by its pid, and all run on', () =>
  withScratch(async (scratch) => {
    const file = join(scratch.folder, 'go');
    const script = `echo child; ${await tool('tiny', '-static')} ${file}; echo over`;
    const program = scratch.cairnProgram(['run', '--session', 'pair', '--', 'sh', '-c', script]);
    await program.line(/^running$/);
    await expectRefusal(scratch, 'pair', /\b\d+\b/, /static/i);
    writeFileSync(file, '');
    await program.line(/^over$/);
    assert.equal(await program.exit(), 0);
  }));

for (const kind of ['io_uring', 'userfaultfd', 'fanotify', 'perf', 'secret']) {
  test(`${kind} is refused by its name and descriptor`, (context) =>
    withScratch(async (scratch) => {
      const program = scratch.cairnProgram(['run', '--session', 'kind', '--', await tool('refused'), kind], { input: true });
      const line = await program.line(/^(made|none)/);
      if (line.startsWith('none')) context.skip(`this system gives none: ${line}`);
      else await expectRefusal(scratch, 'kind', new RegExp(kind), new RegExp(`descriptor ${line.split(' ')[1]}\\b`));
      program.type('x\n');
      await program.line(/^done$/);
      assert.equal(await program.exit(), 0);
    }));
}

for (const [kind, words] of [
  ['thread-files', /Thread \d+ has a table of descriptors of its own/],
  ['thread-folder', /Thread \d+ has a working directory and umask of its own/],
  ['process-folder', /shares its working directory and umask with its parent/],
  ['aio', /asynchronous input and output in the kernel \(io_setup/],
  ['lease', /a lease for writing on a file/],
  ['notice', /descriptor 3 is a folder that tells once of a change \(F_NOTIFY/],
  ['moved', /it watches what was \/\S+\/watched, and where that is now is not known.*\(descriptor 4\)/],
  ['user', /user ids 65534, 65534, 0, 65534/],
  ['filter', /Thread \d+ may not make all system calls, by a filter that the program has set \(seccomp\)/],
  ['thread-filter', /Thread \d+ may not make all system calls, by a filter that the program has set \(seccomp\)/],
  ['landlock', /restricted itself by Landlock/],
  ['landlock-program', /restricted itself by Landlock/],
] as const) {
  test(`what a restart could not give back is refused: ${kind}`, (context) =>
    withScratch(async (scratch) => {
      const program = scratch.cairnProgram(['run', '--session', 'apart', '--', await tool('apart'), kind], { input: true });
      const line = await program.line(/^(made|none)/);
      if (line.startsWith('none')) context.skip(`this system does not allow it: ${line}`);
      else await expectRefusal(scratch, 'apart', words);
      program.type('x\n');
      await program.line(/^done$/);
      assert.equal(await program.exit(), 0);
    }));
}

for (const kind of ['landlock-vfork', 'landlock-nothing', 'landlock-later']) {
  test(`what restricts somebody else, or nobody, is in no checkpoint's way: ${kind}`, (context) =>
    withScratch(async (scratch) => {
      const program = scratch.cairnProgram(['run', '--session', 'apart', '--', await tool('apart'), kind], { input: true });
      const line = await program.line(/^(made|none)/);
      if (line.startsWith('none')) context.skip(`this system does not allow it: ${line}`);
      else await scratch.checkpoint('apart');
      program.type('x\n');
      await program.line(/^done$/);
      assert.equal(await program.exit(), 0);
    }));
}

for (const [what, flags, said] of [
  ['that the program was started with is not set again, and a restart says so', [], /filter \(seccomp\) that is not here/],
  ["of --strict is Cairn's own, of which a restart says nothing", ['--strict'], undefined],
] as const) {
  test(`a filter of system calls ${what}`, (context) =>
    withScratch(async (scratch) => {
      const apart = await tool('apart');
      const command = [cairnCommand, 'run', '--session', 'first', ...flags, '--', apart, 'nothing'];
      const program = scratch.start(flags.length > 0 ? command : [apart, 'filtered', ...command], { input: true });
      const line = await program.line(/^(made|none)/);
      if (line.startsWith('none')) return context.skip(`this system does not allow it: ${line}`);
      const { snapshot } = await scratch.checkpoint('first', '--then', 'kill');
      await program.exit();
      const restarted = scratch.cairnProgram(['restart', snapshot, '--session', 'again'], { input: true });
      restarted.type('x\n');
      await restarted.line(/^done$/);
      assert.equal(await restarted.exit(), 0);
      if (said === undefined) assert.doesNotMatch(scratch.logs('again'), /seccomp/);
      else assert.match(scratch.logs('again'), said);
    }));
}

test('all that is in the way is said at once, of every process, before anything is stopped', () =>
  withScratch(async (scratch) => {
    const file = join(scratch.folder, 'go');
    const [tiny, refused] = [await tool('tiny', '-static'), await tool('refused')];
    const script = `${tiny} ${file} & sleep 1000 | ${refused} userfaultfd & sleep 1000 | ${refused} perf & wait`;
    const program = scratch.cairnProgram(['run', '--session', 'many', '--', 'sh', '-c', script], { input: true });
    await program.line(/^running$/);
    const kinds = [await program.line(/^(made|none)/), await program.line(/^(made|none)/)];
    const made = kinds.filter((line) => line.startsWith('made')).length;
    const { stderr } = await scratch.cairn(['checkpoint', '--session', 'many']);
    assert.equal(stderr.match(/^\s*process \d+ \(/gm)?.length, 1 + made, stderr);
    assert.match(stderr, /process \d+ \(tiny-static\): .*statically linked.*; checkpoint when it has ended/);
    const { operation } = await scratch.json<{ operation: { phases: { phase: string }[] } }>(['status', '--session', 'many']);
    assert.deepEqual(
      operation.phases.map(({ phase }) => phase),
      ['abort'],
      'a process was asked to stop',
    );
    writeFileSync(file, '');
  }));

test('every descriptor that cannot be saved is named, of every process', () =>
  withScratch(async (scratch) => {
    const refused = await tool('refused_socket');
    const script = `sleep 1000 | ${refused} netlink & sleep 1000 | ${refused} netlink & wait`;
    const program = scratch.cairnProgram(['run', '--session', 'several', '--', 'sh', '-c', script], { input: true });
    await program.line(/^descriptor/);
    await program.line(/^descriptor/);
    const { status, stderr } = await scratch.cairn(['checkpoint', '--session', 'several']);
    assert.equal(status, 1);
    assert.equal(stderr.match(/process \d+ \(refused_socket\): .*netlink/g)?.length, 2, stderr);
  }));

test('a process that a debugger from outside traces is refused by the name of that', () =>
  withScratch(async (scratch) => {
    const file = join(scratch.folder, 'go');
    const program = scratch.cairnProgram(['run', '--session', 'traced', '--', await tool('tiny'), file]);
    await program.line(/^running$/);
    const pid = await scratch.application(program);
    const debug = scratch.start([await tool('tracer'), String(pid)], { input: true });
    await debug.line(/^tracing$/);
    await expectRefusal(scratch, 'traced', /traced by tracer/, /detach/);
    debug.closeInput();
    await debug.exit();
    await scratch.checkpoint('traced');
    writeFileSync(file, '');
    assert.equal(await program.exit(), 0);
  }));

test('a computation that is held is checkpointed: what holds it is nothing in the way', () =>
  withScratch(async (scratch) => {
    const file = join(scratch.folder, 'go');
    const program = scratch.cairnProgram(['run', '--session', 'held', '--', await tool('tiny'), file]);
    await program.line(/^running$/);
    await scratch.json(['hold', '--session', 'held']);
    await scratch.checkpoint('held');
    await scratch.json(['resume', '--session', 'held']);
    writeFileSync(file, '');
    assert.equal(await program.exit(), 0);
  }));

test('a state that the program will soon have left is waited out: clients that were not taken yet', () =>
  withScratch(async (scratch) => {
    const program = scratch.cairnProgram(['run', '--session', 'late', '--', await tool('late_accept'), '16']);
    await program.line(/^round 1$/);
    let last = '';
    for (let made = 0; made < 3; made++) last = (await scratch.checkpoint('late')).snapshot;
    await program.line(/^done$/);
    assert.equal(await program.exit(), 0);
    const restarted = scratch.cairnProgram(['restart', last, '--session', 'again']);
    await restarted.line(/^done$/);
    assert.equal(await restarted.exit(), 0);
  }));
