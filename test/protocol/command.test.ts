/**
 * The `cairn` command as scripts use it, with real programs: exit statuses, streams, messages, and a coordinator that dies.
 * What a restart brings back is tested by the probes.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import type { SessionStatus } from '../../debug-adapter/src/protocol/control.js';
import type { OperationStatus } from '../../debug-adapter/src/protocol/operation.js';
import { executable, readProc, waitFor } from '../support/processes.js';
import { Scratch } from '../support/scratch.js';
import { cairnCommand, inTree } from '../support/tree.js';

function scratch(t: TestContext): Scratch {
  const made = new Scratch();
  t.after(() => made.close());
  return made;
}

/** Prints a number again and again; ends well at a signal. A process without children, compiled here. */
const tools = mkdtempSync(join(tmpdir(), 'cairn-c-'));
const counter = [join(tools, 'counter')];
function compile(name: string, code: string): void {
  const source = join(tools, `${name}.c`);
  writeFileSync(source, code);
  const { status, stderr } = spawnSync('gcc', ['-O1', '-o', join(tools, name), source], { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
}
before(() => {
  compile(
    'counter',
    `
#include <signal.h>
#include <stdio.h>
#include <unistd.h>
static volatile sig_atomic_t ended;
static void end(int number) { ended = number; }
int main(void) {
  signal(SIGTERM, end);
  setvbuf(stdout, NULL, _IOLBF, 0);
  for (int i = 1; !ended; i++) { printf("%d\\n", i); usleep(50000); }
  puts("bye");
  return 5;
}
`,
  );
  compile(
    'caller',
    `
#include <stdlib.h>
#include <unistd.h>
int main(void) {
  for (;; usleep(200000)) {
    system("echo called $CAIRN_SESSION by system");
    if (fork() == 0) execl("/bin/sh", "sh", "-c", "echo called $CAIRN_SESSION by execl", NULL);
  }
}
`,
  );
});
after(() => rmSync(tools, { recursive: true }));

test("streams are the program's, and so is the status", (t) => {
  const { env, work } = scratch(t);
  const run = (command: string[], input = ''): { status: number | null; out: string; err: string } => {
    const { status, stdout, stderr } = spawnSync(cairnCommand, ['run', '--', ...command], {
      cwd: work,
      env,
      input,
      encoding: 'utf8',
    });
    return { status, out: stdout, err: stderr };
  };
  assert.deepEqual(run(['cat'], 'all of\nthe input'), { status: 0, out: 'all of\nthe input', err: '' });
  assert.deepEqual(run(['sh', '-c', 'echo out; echo err >&2; exit 42']), { status: 42, out: 'out\n', err: 'err\n' });
  assert.equal(run(['sh', '-c', 'kill -KILL $$']).status, 137);
  assert.equal(run(['sh', '-c', 'kill -TERM $$']).status, 143);
  assert.equal(run(['sh', '-c', 'test ! -t 0 && test ! -t 1']).status, 0);
  assert.equal(run(['sh', '-c', 'pwd']).out, `${work}\n`);
});

test('signals are as the caller has them', async (t) => {
  const s = scratch(t);
  const ignored = (...command: string[]): string => {
    const { stdout } = spawnSync(command[0] ?? '', command.slice(1), { cwd: s.work, env: s.env, encoding: 'utf8' });
    return /SigIgn:\s*(\w+)/.exec(stdout)?.[1] ?? stdout;
  };
  const look = ['grep', 'SigIgn', '/proc/self/status'];
  assert.equal(ignored(cairnCommand, 'run', '--', ...look), ignored(...look));
  assert.equal(ignored('sh', '-c', 'trap "" HUP; exec "$@"', '-', cairnCommand, 'run', '--', ...look), '0000000000000001');
});

test('environment, working folder and name of the session reach the program', async (t) => {
  const s = scratch(t);
  const { stdout } = await s.cairn([
    'run',
    '--session',
    'named',
    '--env',
    'A=b=c',
    '--unset',
    'LANG',
    '--',
    'sh',
    '-c',
    'echo $A ${LANG-none} $CAIRN_SESSION $CAIRN_STORE ${CAIRN_PLAN-none}',
  ]);
  assert.equal(stdout, `b=c none named ${s.store} none\n`);
});

/** What a program has open that it hands on to others: the agent's own descriptors are not among it. */
function handedOn(pid: number): Record<string, string> {
  const closeOnExec = 0o2000000;
  const all = readdirSync(`/proc/${pid}/fd`).filter((fd) => {
    const flags = /^flags:\s+(\d+)/m.exec(readProc(pid, `fdinfo/${fd}`))?.[1] ?? '0';
    return (Number.parseInt(flags, 8) & closeOnExec) === 0;
  });
  return Object.fromEntries(all.map((fd) => [fd, readlinkSync(`/proc/${pid}/fd/${fd}`)]));
}

test('descriptors and limits are those of the caller, and none besides', async (t) => {
  const s = scratch(t);
  const text = join(s.work, 'text');
  const look = async (...args: string[]): Promise<Record<string, string>> => {
    // One below ten and one that Node.js would use itself.
    const script = 'ulimit -Sn 600; exec 5>>text 20</dev/zero 2>/dev/null; exec "$@"';
    const started = s.start(['bash', '-c', script, '-', cairnCommand, ...args]);
    const { session } = await waitFor('the session', async () => {
      const [found] = await s.json<SessionStatus[]>(['status', '--all']);
      return found?.state === 'running' && basename(found.processes[0]?.executable ?? '') === 'sleep' && found;
    });
    const pid = await s.application(started);
    assert.match(readProc(pid, 'limits'), /Max open files +600 /);
    const { 0: _in, 1: _out, 2: _error, ...others } = handedOn(pid);
    if (args[0] === 'run') await s.checkpoint(session, '--name', 'here');
    await s.cairn(['stop', '--session', session]);
    await started.exit();
    return others;
  };
  assert.deepEqual(await look('run', '--', 'sh', '-c', 'echo five >&5; exec sleep 60'), { 5: text, 20: '/dev/zero' });
  assert.equal(readFileSync(text, 'utf8'), 'five\n');
  rmSync(join(s.runtime, 'cairn', 'sh'), { recursive: true });
  const restarted = await look('restart', 'here');
  assert.deepEqual(Object.keys(restarted), ['5', '20']);
  assert.notEqual(restarted[5], text);
});

test('a signal that comes before the program goes to it, not to what starts it', async (t) => {
  const s = scratch(t);
  const program = s.cairnProgram(['run', '--', ...counter]);
  await waitFor('the launcher', () => basename(executable(program.pid)) === 'cairn-launch');
  process.kill(program.pid, 'SIGUSR1');
  assert.equal(await program.exit(), 128 + constants.signals.SIGUSR1);
  assert.equal(program.stderr, '');
});

const wrong: [string, string[], number, RegExp][] = [
  ['no command', [], 2, /Usage/],
  ['an unknown command', ['frobnicate'], 2, /unknown command/],
  ['an unknown option', ['status', '--frobnicate'], 2, /unknown option/],
  ['no program', ['run', '--'], 2, /program/],
  ['a bad assignment', ['run', '--env', 'A', '--', 'true'], 2, /NAME=VALUE/],
  ['a bad --then', ['checkpoint', '--then', 'explode'], 2, /resume, hold or kill/],
  ['an unknown table', ['tables', 'cows'], 2, /pid, path, env, fd/],
  ['a program that is not there', ['run', '--', 'no-such-program'], 1, /no-such-program.*PATH/],
  ['a bad session name', ['run', '--session', 'a/b', '--', 'true'], 1, /cannot be the name of a session/],
  ['no session', ['checkpoint'], 1, /No session is running\n.*cairn run/],
  ['a session that is not there', ['status', '--session', 'ghost'], 1, /no session "ghost"/],
  ['a snapshot that is not there', ['restart', 'ghost'], 1, /No snapshot "ghost"/],
  ['a table of a snapshot that is not there', ['tables', 'fd', '--snapshot', 'ghost'], 1, /No snapshot "ghost"/],
];
for (const [name, args, status, message] of wrong) {
  test(`${name} gives ${status} and says what to do`, async (t) => {
    const result = await scratch(t).cairn(args);
    assert.equal(result.status, status, result.stderr);
    assert.match(result.stderr, message);
    assert.equal(result.stdout, '');
  });
}

test('from launch to stop, with a snapshot in between', async (t) => {
  const s = scratch(t);
  const { stdout } = await s.cairn(['run', '--detach', '--session', 'life', '--', ...counter]);
  assert.equal(stdout, 'life\n');
  const running = await s.json<SessionStatus>(['status']);
  assert.deepEqual([running.session, running.state, running.terminal, running.argv], ['life', 'running', true, counter]);

  const made = await s.json<Record<string, unknown>>(['checkpoint', '--name', 'here']);
  assert.deepEqual(Object.keys(made).slice(0, 5), ['snapshot', 'path', 'bytes', 'pauseMs', 'totalMs']);
  assert.equal(made['path'], join(s.store, 'snapshots', String(made['snapshot'])));
  const [listed] = await s.json<{ id: string; name: string; problem: string }[]>(['ls']);
  assert.deepEqual([listed?.id, listed?.name, listed?.problem], [made['snapshot'], 'here', '']);

  const table = (await s.cairn(['barriers'])).stdout;
  assert.match(table, /^checkpoint of \S+: done in \S+ ms\n/);
  assert.match(table, /^save +\d.* 1 of 1\b/m);
  assert.equal((await s.json<OperationStatus>(['barriers'])).phases.at(-1)?.phase, 'write');
  const layers = (await s.cairn(['plugins'])).stdout.match(/^\d+ +[a-z]+/gm) ?? [];
  assert.match(layers.at(-1) ?? '', /^0 +pid$/);
  assert.equal(layers.length, Number.parseInt(layers[0] ?? '', 10) + 1);

  const nothing = await s.cairn(['cancel']);
  assert.deepEqual([nothing.status, /nothing is under way/.test(nothing.stderr)], [1, true], nothing.stderr);
  const given = s.cairn(['checkpoint', '--hold-at', 'save']);
  await waitFor('it to be held', async () => (await s.json<SessionStatus>(['status'])).operation?.heldAt === 'save');
  assert.equal((await s.json<SessionStatus>(['cancel'])).state, 'running');
  assert.equal((await given).status, 130);
  assert.equal((await s.json<SessionStatus>(['hold'])).state, 'held');
  assert.equal((await s.json<SessionStatus>(['resume'])).state, 'running');
  const rows = await s.json<{ virtual: string; real: string; virtualPid: number }[]>(['tables', 'env']);
  assert.ok(
    rows.some((row) => row.virtual.includes('CAIRN_SESSION')),
    JSON.stringify(rows).slice(0, 300),
  );

  const stopped = await s.json<SessionStatus>(['stop']);
  assert.deepEqual([stopped.state, stopped.exitStatus], ['exited', 5]);
  assert.match((await s.cairn(['logs', '--session', 'life', '--output'])).stdout, /bye/);
  assert.equal((await s.json<SessionStatus>(['status', '--session', 'life'])).exitStatus, 5);
  const late = await s.cairn(['checkpoint', '--session', 'life']);
  assert.deepEqual([late.status, /has ended \(status 5\)/.test(late.stderr)], [1, true], late.stderr);
});

test('barriers: each phase as it ends, while it is followed', async (t) => {
  const s = scratch(t);
  await s.cairn(['run', '--detach', '--session', 'watched', '--', ...counter]);
  const none = await s.cairn(['barriers']);
  assert.deepEqual([none.status, /not been checkpointed/.test(none.stderr)], [1, true], none.stderr);
  const followed = s.cairn(['barriers', '--follow', '--json']);
  // When it has begun to follow: it sees this checkpoint, or the next.
  for (let made = 0; made < 3; made++) await s.cairn(['checkpoint']);
  await s.cairn(['stop']);
  const { stdout } = await followed;
  const seen = stdout
    .trim()
    .split('\n')
    .map((line): { kind: string; phase: string; waiting: number[] } => JSON.parse(line));
  assert.ok(
    seen.some(({ kind, phase, waiting }) => kind === 'checkpoint' && phase === 'save' && waiting.length === 0),
    stdout,
  );
});

test('two sessions have to be named; a name is used once at a time', async (t) => {
  const s = scratch(t);
  const names = [];
  for (let count = 0; count < 2; count++) {
    const { stdout } = await s.cairn(['run', '--detach', '--json', '--', 'sleep', '60']);
    names.push((JSON.parse(stdout) as SessionStatus).session);
  }
  assert.deepEqual(names, ['sleep', 'sleep-2']);
  const unnamed = await s.cairn(['status']);
  assert.equal(unnamed.status, 1);
  assert.match(unnamed.stderr, /sleep, sleep-2/);
  assert.equal((await s.json<SessionStatus>(['status'], { env: { CAIRN_SESSION: 'sleep-2' } })).session, 'sleep-2');
  assert.match((await s.cairn(['run', '--session', 'sleep', '--', 'true'])).stderr, /already running/);
  await s.cairn(['stop', '--session', 'sleep']);
  const again = await s.cairn(['run', '--session', 'sleep', '--', 'echo', 'again']);
  assert.equal(again.stdout, 'again\n', again.stderr);
  await s.cairn(['stop', '--session', 'sleep-2']);
});

test('started at the same moment, each gets a name of its own; a name that was asked for is one session', async (t) => {
  const s = scratch(t);
  const many = <T>(make: () => Promise<T>): Promise<T[]> => Promise.all(Array.from({ length: 3 }, make));
  const ran = await many(() => s.cairn(['run', '--detach', '--', 'sleep', '60']));
  assert.deepEqual(ran.map(({ stdout, stderr }) => stdout.trim() || stderr).sort(), ['sleep', 'sleep-2', 'sleep-3']);
  const { snapshot } = await s.checkpoint('sleep-2');
  for (const { stdout } of ran) await s.cairn(['stop', '--session', stdout.trim()]);
  const restarted = await many(() => s.json<SessionStatus>(['restart', '--detach', snapshot]));
  assert.equal(new Set(restarted.map(({ session }) => session)).size, 3);

  const named = await many(() => s.cairn(['run', '--session', 'one', '--detach', '--', 'sleep', '60']));
  assert.equal(named.filter(({ status }) => status === 0).length, 1);
  for (const { status, stderr } of named) if (status !== 0) assert.match(stderr, /"one" is already running/);
  assert.equal((await s.json<SessionStatus>(['status', '--session', 'one'])).state, 'running');
  for (const { session } of await s.json<SessionStatus[]>(['status', '--all'])) await s.cairn(['stop', '--session', session]);
});

/** Another installation, with what is needed of it. */
function install(folder: string): string {
  mkdirSync(folder);
  for (const part of ['bin', 'dist', 'package.json']) cpSync(inTree(part), join(folder, part), { recursive: true });
  return join(folder, 'bin', 'cairn');
}

test('it may be installed where the dynamic linker would split the path, and a restart finds it elsewhere', async (t) => {
  const s = scratch(t);
  const there = install(join(s.folder, 'a b:c$d'));
  const node = { CAIRN_NODE: process.execPath };
  const started = s.start([there, 'run', '--session', 'first', '--', join(tools, 'caller')], { env: node });
  await started.line(/^called first by execl$/);
  const { snapshot } = await s.checkpoint('first');
  await s.cairn(['stop', '--session', 'first']);
  await started.exit();
  assert.equal(started.stderr, '');

  // Nothing is left of the first run: neither the link to its installation nor that itself.
  rmSync(join(s.runtime, 'cairn'), { recursive: true });
  rmSync(join(s.folder, 'a b:c$d'), { recursive: true });
  const restarted = s.cairnProgram(['restart', '--session', 'second', snapshot]);
  await restarted.line(/^called second by system$/);
  await restarted.line(/^called second by execl$/);
  await s.cairn(['stop', '--session', 'second']);
  await restarted.exit();
  assert.doesNotMatch(restarted.stderr + restarted.stdout, /ld\.so|preload/);
});

test('where no path can be preloaded, that is said at once', async (t) => {
  const s = scratch(t);
  const env = { ...s.env, CAIRN_NODE: process.execPath, CAIRN_RUNTIME_DIR: s.makeFolder(join(s.folder, 'r r')) };
  const there = install(join(s.folder, 'a b'));
  for (const [args, pattern] of [
    [['run', '--', 'true'], /cannot load .*a b.*\n.*CAIRN_RUNTIME_DIR/],
    [['doctor'], /error +preloading.*CAIRN_RUNTIME_DIR/],
  ] as const) {
    const { status, stdout, stderr } = spawnSync(there, args, { env, encoding: 'utf8' });
    assert.equal(status, 1);
    assert.match(stdout + stderr, pattern);
  }
});

test('labels and removal', async (t) => {
  const s = scratch(t);
  await s.cairn(['run', '--detach', '--session', 'l', '--', 'sleep', '60']);
  const { snapshot } = await s.checkpoint('l');
  await s.cairn(['stop', '--session', 'l']);
  for (const args of [
    ['rename', snapshot.slice(0, 6), 'after reset'],
    ['note', 'after reset', 'looks good'],
    ['pin', 'after reset'],
  ]) {
    assert.deepEqual(await s.cairn(args), { status: 0, stdout: '', stderr: '' });
  }
  const shown = await s.json<Record<string, unknown>>(['show', 'after reset']);
  assert.deepEqual([shown['id'], shown['note'], shown['pinned']], [snapshot, 'looks good', true]);
  assert.match((await s.cairn(['rm', 'after reset'])).stderr, /pinned/);
  assert.equal((await s.cairn(['unpin', snapshot])).status, 0);
  assert.equal((await s.cairn(['show', snapshot, '--verify'])).status, 0);
  assert.equal((await s.cairn(['rm', snapshot])).status, 0);
  assert.deepEqual(await s.json(['ls']), []);
});

test('a computation outlives its coordinator, and any command gives it a new one', async (t) => {
  const s = scratch(t);
  const program = s.cairnProgram(['run', '--session', 'orphan', '--', ...counter]);
  await program.line(/^3$/);
  const { snapshot } = await s.checkpoint('orphan');
  const { coordinator } = await s.json<SessionStatus>(['status', '--session', 'orphan']);
  process.kill(coordinator, 'SIGKILL');
  const seen = program.lines.length;
  await waitFor('output after the loss', () => program.lines.length > seen + 1);
  const after = await s.json<SessionStatus>(['status']);
  assert.notEqual(after.coordinator, coordinator);
  assert.deepEqual([after.state, after.lastSnapshot, after.argv], ['running', snapshot, counter]);
  await s.checkpoint('orphan');
  const stopped = await s.json<SessionStatus>(['stop']);
  assert.deepEqual([await program.exit(), stopped.exitStatus], [5, 5]);
});

test('signals that a batch system sends to all of a job leave the coordinator as it is', async (t) => {
  const s = scratch(t);
  const program = s.cairnProgram(['run', '--session', 'job', '--', ...counter]);
  await program.line(/^1$/);
  const { coordinator } = await s.json<SessionStatus>(['status', '--session', 'job']);
  for (const signal of ['SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const) process.kill(coordinator, signal);
  const stopped = await s.json<SessionStatus>(['stop']);
  assert.equal(stopped.coordinator, coordinator);
  // By default SIGUSR1 makes Node.js listen for debuggers.
  const open = readdirSync(`/proc/${coordinator}/fd`).map((fd) => readlinkSync(`/proc/${coordinator}/fd/${fd}`));
  const listening = readProc(coordinator, 'net/tcp')
    .split('\n')
    .filter((line) => / 0A /.test(line));
  assert.ok(!listening.some((line) => open.includes(`socket:[${line.trim().split(/\s+/)[9]}]`)), listening.join('\n'));
  await program.exit();
});

test('a coordinator keeps nothing open of whoever started it', async (t) => {
  const s = scratch(t);
  const file = join(s.work, 'held');
  writeFileSync(file, '');
  const { status } = spawnSync('sh', ['-c', `exec 7>${file}; "${cairnCommand}" run --detach --session fds -- sleep 60`], {
    cwd: s.work,
    env: s.env,
  });
  assert.equal(status, 0);
  const { coordinator, processes } = await s.json<SessionStatus>(['status', '--session', 'fds']);
  for (const pid of [coordinator, processes[0]?.realPid ?? 0]) {
    const open = readdirSync(`/proc/${pid}/fd`).map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`));
    assert.ok(!open.includes(file), `${pid}: ${open.join(', ')}`);
  }
  await s.cairn(['stop', '--session', 'fds']);
});

test('it is found through links, and from any folder', async (t) => {
  const s = scratch(t);
  const link = join(s.folder, 'cairn-link');
  spawnSync('ln', ['-s', cairnCommand, link]);
  const { status, stdout } = spawnSync(link, ['ls', '--json'], { cwd: '/', env: s.env, encoding: 'utf8' });
  assert.deepEqual([status, stdout], [0, '[]\n']);
});

test('it says its version', async (t) => {
  const { version } = JSON.parse(readFileSync(inTree('package.json'), 'utf8')) as { version: string };
  assert.deepEqual(await scratch(t).cairn(['--version']), { status: 0, stdout: `${version}\n`, stderr: '' });
});

test('a store that takes nothing is said before a program starts', async (t) => {
  const s = scratch(t);
  const file = join(s.work, 'file');
  writeFileSync(file, '');
  for (const store of [file, join(file, 'store')]) {
    const { status, stdout, stderr } = await s.cairn(['run', '--store', store, '--', 'echo', 'started']);
    assert.deepEqual([status, stdout], [1, '']);
    assert.match(stderr, new RegExp(`The store ${store} cannot be used: .*\\n.*--store DIR`));
  }
  for (const args of [['restart', 'x'], ['ls']]) {
    const { status, stderr } = await s.cairn([...args, '--store', file]);
    assert.equal(status, 1);
    assert.match(stderr, /The store .* cannot be used/);
  }
});

test('doctor says that it works here', async (t) => {
  const s = scratch(t);
  const { works, checks } = await s.json<{ works: boolean; checks: { name: string; result: string }[] }>(['doctor']);
  assert.equal(works, true);
  assert.ok(checks.some((check) => check.name === 'libcairn.so' && check.result === 'ok'));
});

test('a runtime folder that others may enter is refused', async (t) => {
  const s = scratch(t);
  mkdirSync(join(s.runtime, 'cairn'));
  chmodSync(join(s.runtime, 'cairn'), 0o755);
  const { status, stderr } = await s.cairn(['run', '--', 'true']);
  assert.equal(status, 1);
  assert.match(stderr, /mode is 0755/);
});

test('a path that is too long for a socket is an error, not a broken session', async (t) => {
  const s = scratch(t);
  const { status, stderr } = await s.cairn(['run', '--', 'true'], {
    env: { CAIRN_RUNTIME_DIR: join(s.runtime, 'x'.repeat(90)) },
  });
  assert.equal(status, 1);
  assert.match(stderr, /CAIRN_RUNTIME_DIR/);
});

test('preflight: a file that has gone forbids the restart, and nothing is started', async (t) => {
  const s = scratch(t);
  const copy = join(s.work, 'sleeper');
  spawnSync('cp', ['/bin/sleep', copy]);
  // A program whose file is mapped, with two others open: one that it only reads, and one that it also writes.
  writeFileSync(join(s.work, 'input'), 'data');
  await s.cairn(['run', '--detach', '--session', 'p', '--', 'sh', '-c', `exec ${copy} 60 5<input 6>>log`]);
  await waitFor('the program', async () => {
    const { processes } = await s.json<SessionStatus>(['status', '--session', 'p']);
    return processes[0]?.executable === copy;
  });
  const { snapshot } = await s.checkpoint('p');
  await s.cairn(['stop', '--session', 'p']);
  assert.equal((await s.cairn(['restart', snapshot, '--check'])).status, 0);
  rmSync(copy);
  rmSync(join(s.work, 'log'));
  writeFileSync(join(s.work, 'input'), 'other');
  const { status, stderr } = await s.cairn(['restart', snapshot]);
  assert.equal(status, 1);
  assert.match(stderr, /sleeper.*is missing/);
  assert.match(stderr, /input, which the program has open for reading, has changed/);
  assert.doesNotMatch(stderr, /log/);
  assert.match(stderr, /--path/);
  assert.ok(!existsSync(join(s.store, 'runs')));
  const checked = await s.cairn(['restart', snapshot, '--check', '--json']);
  assert.equal(checked.status, 1);
  assert.equal((JSON.parse(checked.stdout) as { restartable: boolean }).restartable, false);
  assert.ok(readFileSync(join(s.store, 'snapshots', snapshot, 'manifest.json'), 'utf8').includes(copy));
});
