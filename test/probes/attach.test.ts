/**
 * `cairn attach`: what is refused and why; that an attach that fails, or is killed at any of its steps, leaves the program as it was;
 * that its threads notice nothing; and trees of processes. Every probe is attached in its flavour "attached".
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { waitFor } from '../support/processes.js';
import type { Program } from '../support/program.js';
import { type Scratch, withScratch } from '../support/scratch.js';
import { inTree } from '../support/tree.js';
import { tool } from './tools.js';

const attachProgram = inTree('dist/native/cairn-attach');
const library = inTree('dist/native/libcairn.so');

function run(file: string, args: readonly string[]): Promise<{ status: number; stdout: string; stderr: string }> {
  return new Promise((resolve) =>
    execFile(file, args, { timeout: 60_000 }, (error, stdout, stderr) =>
      resolve({ status: error === null ? 0 : typeof error.code === 'number' ? error.code : 255, stdout, stderr }),
    ),
  );
}

async function expectRefusal(scratch: Scratch, pid: number, ...patterns: RegExp[]): Promise<void> {
  const { status, stdout, stderr } = await scratch.cairn(['attach', String(pid)]);
  assert.equal(status, 1, `cairn attach gave ${status}: ${stdout}${stderr}`);
  for (const pattern of patterns) assert.match(stderr, pattern);
}

async function steady(scratch: Scratch): Promise<Program> {
  const program = scratch.start([await tool('steady', '-pthread')], { input: true });
  await program.line(/^steady$/);
  return program;
}

/** It runs, has lost no signal, and no call of its has ended that should not. */
async function checkSteady(program: Program): Promise<void> {
  program.type('end\n');
  assert.equal(await program.exit(), 0, program.transcript());
  assert.doesNotMatch(program.stdout, /FAIL/);
}

test('a program without shared libraries is refused', () =>
  withScratch(async (scratch) => {
    const file = join(scratch.folder, 'go');
    const program = scratch.start([await tool('tiny', '-static'), file]);
    await program.line(/^running$/);
    await expectRefusal(scratch, program.pid, new RegExp(`process ${program.pid}: .*static`));
    writeFileSync(file, '');
    await program.line(/^done$/);
    assert.equal(await program.exit(), 0);
  }));

test('all that is against it is said at once, of all processes, and nothing has been done', () =>
  withScratch(async (scratch) => {
    const file = join(scratch.folder, 'go');
    const tiny = await tool('tiny', '-static');
    const program = scratch.start(['sh', '-c', `${tiny} ${file} & ${tiny} ${file} & wait; echo over`]);
    await program.line(/^running$/);
    await program.line(/^running$/);
    const { stderr } = await scratch.cairn(['attach', String(program.pid)]);
    assert.equal(stderr.match(/process \d+: .*static/g)?.length, 2, stderr);
    assert.equal((await run(attachProgram, ['--check', String(program.pid)])).status, 0);
    writeFileSync(file, '');
    await program.line(/^over$/);
    assert.equal(await program.exit(), 0);
  }));

test('a program that is stopped, traced, or not there is refused', () =>
  withScratch(async (scratch) => {
    await expectRefusal(scratch, 0x3fffff, /no such process/);
    const stopped = scratch.start(['sleep', '1000']);
    const check = (): Promise<{ status: number; stderr: string }> => run(attachProgram, ['--check', String(stopped.pid)]);
    await waitFor('the program', async () => (await check()).status === 0);
    stopped.signal('SIGSTOP');
    await waitFor('the stop', async () => /stopped/.test((await check()).stderr));
    await expectRefusal(scratch, stopped.pid, /stopped/, /kill -CONT/);
    stopped.signal('SIGCONT');
    await waitFor('going on', async () => (await check()).status === 0);
    stopped.signal('SIGTERM');
    await stopped.exit();
    const file = join(scratch.folder, 'go');
    const traced = scratch.start([await tool('kill_at'), '0', await tool('tiny'), file]);
    await traced.line(/^running$/);
    const pid = await scratch.application(traced);
    await expectRefusal(scratch, pid, /traced by kill_at \(process \d+\)/);
    writeFileSync(file, '');
    assert.equal(await traced.exit(), 0);
  }));

test('a member of a session is not attached again, and that one is named; left to itself it is taken up again', () =>
  withScratch(async (scratch) => {
    const program = await steady(scratch);
    await scratch.json(['attach', String(program.pid), '--session', 'one']);
    const again = await scratch.cairn(['attach', String(program.pid)]);
    assert.equal(again.status, 0);
    assert.match(again.stderr, /in the session one already/);
    const { coordinator } = await scratch.json<{ coordinator: number }>(['detach', '--session', 'one']);
    await waitFor('the coordinator to leave', async () => (await run('/bin/kill', ['-0', String(coordinator)])).status !== 0);
    await scratch.json(['attach', String(program.pid)]);
    await scratch.checkpoint('one');
    await checkSteady(program);
  }));

test('a program that keeps the action of a signal on its stack is not taken for one in a handler', () =>
  withScratch(async (scratch) => {
    const program = scratch.start([await tool('action')], { input: true });
    await program.line(/^waiting$/);
    await scratch.json(['attach', String(program.pid), '--session', 'action']);
    await scratch.checkpoint('action');
    program.type('end\n');
    assert.equal(await program.exit(), 0, program.transcript());
  }));

test('a program that loads and unloads libraries all the time is attached', () =>
  withScratch(async (scratch) => {
    const program = scratch.start([await tool('loading', '-pthread')], { input: true });
    await program.line(/^loading$/);
    for (let i = 0; i < 20; i++) {
      const { status, stderr } = await run(attachProgram, ['--check', String(program.pid)]);
      assert.equal(status, 0, stderr);
    }
    await scratch.json(['attach', String(program.pid), '--session', 'loading']);
    await scratch.checkpoint('loading');
    program.type('end\n');
    assert.equal(await program.exit(), 0, program.transcript());
  }));

test('a program whose first thread has ended is refused in these words', () =>
  withScratch(async (scratch) => {
    const program = scratch.start([await tool('loading', '-pthread'), 'leader'], { input: true });
    await program.line(/^its first thread has ended$/);
    await waitFor('its end', async () =>
      /first thread has ended/.test((await run(attachProgram, ['--check', String(program.pid)])).stderr),
    );
    await expectRefusal(scratch, program.pid, /its first thread has ended \(pthread_exit in main\)/, /cairn run/);
    program.type('end\n');
    assert.equal(await program.exit(), 0, program.transcript());
  }));

test('a program that computes all the time is attached, whatever lies on its stack', () =>
  withScratch(async (scratch) => {
    const file = join(scratch.work, 'over');
    writeFileSync(file, '\0');
    const program = scratch.start([await tool('busy'), file]);
    await program.line(/^busy$/);
    await scratch.json(['attach', String(program.pid), '--session', 'busy']);
    const { snapshot } = await scratch.checkpoint('busy');
    const restarted = scratch.cairnProgram(['restart', snapshot, '--session', 'again', '--in-place']);
    await waitFor('the restart', async () =>
      /"state":\s*"running"/.test((await scratch.cairn(['status', '--session', 'again', '--json'])).stdout),
    );
    // In place: a file that is shorter for a moment would end them, who read it by a mapping.
    writeFileSync(file, '\x01', { flag: 'r+' });
    assert.equal(await program.exit(), 0, program.transcript());
    assert.equal(await restarted.exit(), 0, restarted.transcript());
  }));

test('no call of any thread ends by the attach or by a checkpoint, and no signal is lost', () =>
  withScratch(async (scratch) => {
    const program = await steady(scratch);
    let sent = 0;
    const send = async (): Promise<void> => {
      await run('/bin/kill', ['-q', '3', '-s', 'RTMIN', String(program.pid)]);
      sent += 3;
    };
    const attached = scratch.json(['attach', String(program.pid), '--session', 'signals']);
    let over = false;
    attached.finally(() => (over = true)).catch(() => undefined);
    while (!over) await send();
    await attached;
    await send();
    await scratch.checkpoint('signals');
    program.type('how much\n');
    assert.equal(await program.line(/^sum/), `sum ${sent}`);
    await checkSteady(program);
  }));

test('killed at any step, cairn-attach leaves a program that goes on', { timeout: 300_000 }, () =>
  withScratch(async (scratch) => {
    const killAt = await tool('kill_at');
    const attach = (pid: number): string[] => ['--library', library, String(pid), `CAIRN_AGENT_SOCKET=${scratch.folder}/none`];
    const whole = await steady(scratch);
    const { status, stdout } = await run(killAt, ['0', attachProgram, ...attach(whole.pid)]);
    assert.equal(status, 1, 'there is no coordinator, so that it fails in the end');
    await checkSteady(whole);
    const steps = Number(stdout);
    assert.ok(steps > 20, `it makes ${steps} steps`);
    // The first and the last ones all; of those between, where the loader is at work, some.
    const chosen = Array.from({ length: steps }, (_, i) => i + 1).filter((n) => n <= 16 || n > steps - 16 || n % 37 === 0);
    for (const step of chosen) {
      const program = await steady(scratch);
      await run(killAt, [String(step), attachProgram, ...attach(program.pid)]);
      program.type('still there\n');
      await program
        .line(/^sum 0$/)
        .catch((error: unknown) => assert.fail(`killed at step ${step} of ${steps}: ${String(error)}`));
      await checkSteady(program);
    }
  }),
);

test('a shell comes with its children, and what it executes later', () =>
  withScratch(async (scratch) => {
    const script = 'sleep 1000 & trap "echo got" USR1; while :; do echo "tick $(date +%s)"; sleep 0.1; done | cat';
    const program = scratch.start(['bash', '-c', script]);
    await program.line(/^tick/);
    await scratch.json(['attach', String(program.pid), '--session', 'shell']);
    await program.line(/^tick/);
    const { snapshot } = await scratch.checkpoint('shell', '--then', 'kill');
    await program.exit();
    const restarted = scratch.cairnProgram(['restart', snapshot, '--session', 'again']);
    await restarted.line(/^tick/);
    await restarted.line(/^tick/);
    await scratch.json(['stop', '--session', 'again', '--grace', '0']);
    await restarted.exit();
  }));

test('system() and popen() of an attached program start members of the computation', () =>
  withScratch(async (scratch) => {
    const source = `
import ctypes, os, sys
print("ready", flush=True)
for line in sys.stdin:
    if line.startswith("system"): print("status", os.system("exit 3") >> 8, flush=True)
    if line.startswith("popen"):
        libc = ctypes.CDLL(None)
        libc.popen.restype = ctypes.c_void_p
        text = ctypes.create_string_buffer(100)
        stream = ctypes.c_void_p(libc.popen(b"echo from a shell $LD_PRELOAD; exit 4", b"r"))
        libc.fgets(text, 100, stream)
        print(text.value.decode(), "and", libc.pclose(stream) >> 8, flush=True)
    if line.startswith("wait"): print("waited", os.system("echo waiting; sleep 0.6"), flush=True)
    if line.startswith("end"): break
`;
    const program = scratch.start(['python3', '-c', source], { input: true });
    await program.line(/^ready$/);
    await scratch.json(['attach', String(program.pid), '--session', 'py']);
    program.type('system\n');
    await program.line(/^status 3$/);
    program.type('popen\n');
    await program.line(/^from a shell .*libcairn.so/);
    await program.line(/^ and 4$/);
    program.type('wait\n');
    await program.line(/^waiting$/);
    await scratch.checkpoint('py');
    await program.line(/^waited 0$/);
    program.type('end\n');
    assert.equal(await program.exit(), 0);
  }));
