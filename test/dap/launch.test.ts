/** The adapter with real computations: launched, held, checkpointed, left alone, joined again, restarted. */
import assert from 'node:assert/strict';
import { mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { afterEach, beforeEach } from 'node:test';
import type { CheckpointResult, SessionStatus, TableRow, TerminalState } from '../../debug-adapter/src/protocol/control.js';
import type { SessionSummary } from '../../debug-adapter/src/protocol/debug.js';
import type { Manifest } from '../../debug-adapter/src/protocol/snapshot.js';
import { isAlive, waitFor } from '../support/processes.js';
import { Scratch } from '../support/scratch.js';
import { Adapter } from './adapter.js';

interface Thread {
  id: number;
  name: string;
}
interface Variable {
  name: string;
  value: string;
  variablesReference: number;
}

/** One process that prints a line every 20 ms, and what it reads. */
const TICKER =
  '$| = 1; $SIG{TERM} = sub { print "bye\\n"; exit 7 }; for (1 .. 5000) { print "tick $_\\n"; select(undef, undef, undef, 0.02) }';

let scratch: Scratch;
const adapters: Adapter[] = [];

async function adapter(env: Record<string, string> = {}): Promise<Adapter> {
  const one = await new Adapter(scratch, env).start();
  adapters.push(one);
  return one;
}

beforeEach(() => {
  scratch = new Scratch();
});
afterEach(async () => {
  for (const one of adapters.splice(0)) await one.stop();
  for (const { session, state } of await scratch.json<SessionStatus[]>(['status', '--all']))
    if (state !== 'exited') await scratch.cairn(['stop', '--session', session, '--grace', '0']);
  await scratch.close();
});

const ticker = (more: object = {}) => ({ program: 'perl', args: ['-e', TICKER], cwd: scratch.work, ...more });
const lastTick = (text: string) => Number([...text.matchAll(/tick (\d+)\r?\n/g)].at(-1)?.[1] ?? 0);
const scrollback = async (one: Adapter) => (await one.ask<TerminalState>('cairnTerminalOpen')).scrollback;

async function variables(one: Adapter, threadId: number): Promise<Record<string, Variable[]>> {
  const { scopes } = await one.ask<{ scopes: { name: string; variablesReference: number }[] }>('scopes', { frameId: threadId });
  const all: Record<string, Variable[]> = {};
  for (const { name, variablesReference } of scopes)
    all[name] = (await one.ask<{ variables: Variable[] }>('variables', { variablesReference })).variables;
  return all;
}

/** Parent and child of FAMILY, when both are listed. */
async function bothProcesses(one: Adapter): Promise<[number, number]> {
  await waitFor('two threads', async () => (await one.ask<{ threads: Thread[] }>('threads')).threads.length === 2);
  const { processes } = await one.ask<SessionStatus>('cairnStatus');
  const child = processes.find(({ virtualParent }) => processes.some(({ virtualPid }) => virtualPid === virtualParent));
  assert.ok(child);
  return [child.virtualParent, child.virtualPid];
}

test('a function breakpoint holds a checkpoint before a phase; its names can be looked at; continue lets it go on', async () => {
  const dap = await adapter();
  interface Breakpoints {
    breakpoints: { id: number; verified: boolean }[];
  }
  const early = await dap.ask<Breakpoints>('setFunctionBreakpoints', {
    breakpoints: [{ name: 'save' }, { name: 'socket.drain' }],
  });
  assert.deepEqual(
    early.breakpoints.map(({ verified }) => verified),
    [false, false],
  );
  await dap.ask('launch', ticker());
  const { breakpoint } = await dap.event<{ breakpoint: Breakpoints['breakpoints'][number] }>('breakpoint');
  assert.ok(breakpoint.verified && breakpoint.id > 0);
  assert.deepEqual(
    [breakpoint.id],
    early.breakpoints.slice(0, 1).map(({ id }) => id),
  );
  const { breakpoints } = await dap.ask<Breakpoints>('setFunctionBreakpoints', {
    breakpoints: [{ name: 'precheckpoint' }, { name: 'no.such' }],
  });
  assert.deepEqual(
    breakpoints.map(({ verified }) => verified),
    [true, false],
  );
  const [thread] = (await dap.ask<{ threads: Thread[] }>('threads')).threads;
  const made = dap.ask<CheckpointResult>('cairnCheckpoint', { name: 'held', then: 'resume' });
  const { reason, description } = await dap.event<{ reason: string; description: string }>('stopped');
  assert.deepEqual([reason, description], ['function breakpoint', 'Held before save']);
  const before = lastTick(await scrollback(dap));
  assert.ok((await variables(dap, thread?.id ?? 0))['Virtual ids']?.length);
  assert.equal(lastTick(await scrollback(dap)), before);
  await dap.ask('continue', { threadId: thread?.id ?? 0 });
  await dap.event('continued');
  assert.match((await made).snapshot, /^[0-9a-f]+$/);
  await waitFor('it to run on', async () => lastTick(await scrollback(dap)) > before);
});

test('a function breakpoint holds a restart, which the editor takes for begun; continue lets it go on', async () => {
  const first = await adapter();
  await first.ask('launch', ticker());
  await waitFor('some lines', async () => lastTick(await scrollback(first)) > 5);
  await first.ask<CheckpointResult>('cairnCheckpoint', { name: 'here', then: 'kill' });
  await first.event('terminated');

  const dap = await adapter();
  await dap.ask('setFunctionBreakpoints', { breakpoints: [{ name: 'descriptor.fill' }] });
  await dap.ask('launch', { snapshot: 'here', cwd: scratch.work });
  const { reason, description } = await dap.event<{ reason: string; description: string }>('stopped');
  assert.deepEqual([reason, description], ['function breakpoint', 'Held before descriptor.fill']);
  const { state } = await dap.ask<SessionStatus>('cairnStatus');
  assert.equal(state, 'restarting');
  const [thread] = (await dap.ask<{ threads: Thread[] }>('threads')).threads;
  assert.ok((await variables(dap, thread?.id ?? 0))['Virtual ids']?.length);
  assert.equal(await scrollback(dap), '');
  await dap.ask('continue', { threadId: thread?.id ?? 0 });
  await dap.event('continued');
  await waitFor('it to run on', async () => lastTick(await scrollback(dap)) > 0);
});

test('launch, threads, hold, scopes, go on, stop', async () => {
  const dap = await adapter({ EDITOR_HAS: 'this', VSCODE_IPC_HOOK: '/x', ELECTRON_RUN_AS_NODE: '1' });
  await dap.ask('launch', ticker({ env: { GIVEN: 'yes', EDITOR_HAS: null } }));
  const { threads } = await dap.ask<{ threads: Thread[] }>('threads');
  assert.equal(threads.length, 1);
  const { id, name } = threads[0] as Thread;
  assert.equal(name, `perl · ${id}`);
  assert.ok(isAlive(id));

  await dap.ask('pause', { threadId: id });
  const stopped = await dap.event<{ reason: string; threadId: number; allThreadsStopped: boolean }>('stopped');
  assert.deepEqual([stopped.reason, stopped.threadId, stopped.allThreadsStopped], ['pause', id, true]);
  const tick = lastTick(await scrollback(dap));
  const { stackFrames } = await dap.ask<{ stackFrames: { id: number; name: string; presentationHint: string }[] }>('stackTrace', {
    threadId: id,
  });
  assert.deepEqual(
    stackFrames.map((frame) => [frame.name, frame.presentationHint]),
    [[`held · ${name}`, 'label']],
  );

  const scopes = await variables(dap, id);
  assert.deepEqual(Object.keys(scopes), [
    'Virtual ids',
    'Paths',
    'Environment',
    'File descriptors',
    'Connections',
    'Of plugins',
    'Signals',
  ]);
  const value = (scope: string, variable: string) => scopes[scope]?.find((one) => one.name === variable)?.value;
  assert.equal(value('Virtual ids', 'process'), String(id));
  assert.ok(value('Virtual ids', `thread ${id}`)?.startsWith(String(id)));
  assert.ok(scopes['Paths']?.some((one) => one.name === scratch.work));
  assert.equal(value('Environment', 'GIVEN'), 'yes');
  assert.equal(value('Environment', 'TERM'), 'xterm-256color');
  for (const none of ['EDITOR_HAS', 'VSCODE_IPC_HOOK', 'ELECTRON_RUN_AS_NODE'])
    assert.equal(value('Environment', none), undefined, none);
  assert.match(value('File descriptors', '1') ?? '', /^\/dev\/pts\/\d+/);

  assert.equal(lastTick(await scrollback(dap)), tick, 'it printed while it was held');
  await dap.ask('continue', { threadId: id });
  await dap.event('continued');
  await waitFor('the ticker to go on', async () => lastTick(await scrollback(dap)) > tick);
  assert.deepEqual((await dap.ask<{ stackFrames: object[] }>('stackTrace', { threadId: id })).stackFrames, []);
  await dap.ask('terminate');
  assert.equal((await dap.event<{ exitCode: number }>('exited')).exitCode, 7);
  await dap.event('terminated');
  assert.deepEqual(dap.story, ['initialized', 'thread', 'stopped', 'continued', 'thread', 'exited', 'terminated']);
});

/** Two processes; the second has a file open and a variable set, and ends when its parent is told to end it. */
const FAMILY = `$| = 1; print "parent\\n";
unless ($child = fork) { open F, "<", "/etc/passwd"; $0 = "child"; print "child\\n"; sleep 1 while 1 }
$SIG{USR1} = sub { kill "TERM", $child; wait; print "alone\\n" }; sleep 1 while 1`;

test('two processes: each has its threads, frames and names, through a restart', async () => {
  const launched = await adapter();
  await launched.ask('launch', { program: 'perl', args: ['-e', FAMILY], cwd: scratch.work, session: 'family' });
  const [parent, child] = await bothProcesses(launched);
  const { path } = await launched.ask<CheckpointResult>('cairnCheckpoint', { name: 'two', then: 'resume' });
  await launched.ask('terminate');
  await launched.event('terminated');

  const dap = await adapter();
  await dap.ask('launch', { snapshot: path, cwd: scratch.work, store: scratch.store });
  assert.deepEqual(await bothProcesses(dap), [parent, child]);
  await dap.ask('pause', { threadId: child });
  assert.equal((await dap.event<{ threadId: number }>('stopped')).threadId, parent);
  const real = new Map((await dap.ask<SessionStatus>('cairnStatus')).processes.map((one) => [one.virtualPid, one.realPid]));
  for (const id of [parent, child]) {
    const { stackFrames } = await dap.ask<{ stackFrames: { id: number }[] }>('stackTrace', { threadId: id });
    assert.deepEqual(
      stackFrames.map((frame) => frame.id),
      [id],
    );
    const scopes = await variables(dap, id);
    assert.equal(scopes['Virtual ids']?.find(({ name }) => name === 'process')?.value, `${id} → real ${real.get(id)}`);
    const files = scopes['File descriptors']?.some(({ value }) => value.startsWith('/etc/passwd'));
    assert.equal(files, id === child);
    const { rows } = await dap.ask<{ rows: TableRow[] }>('cairnTable', { kind: 'pid', virtualPid: id });
    assert.ok(rows.length > 0 && rows.every((row) => row.virtualPid === id));
  }
  await dap.ask('continue', { threadId: child });
  await dap.event('continued');
  process.kill(real.get(parent) ?? 0, 'SIGUSR1');
  await waitFor('the child to leave', () =>
    dap.events<{ reason: string; threadId: number }>('thread').some((one) => one.reason === 'exited' && one.threadId === child),
  );
  const { threads } = await dap.ask<{ threads: Thread[] }>('threads');
  assert.deepEqual(
    threads.map(({ id }) => id),
    [parent],
  );
});

test('a checkpoint: neither stop nor continue, an event, a snapshot in the store', async () => {
  const dap = await adapter();
  await dap.ask('launch', ticker({ session: 'one' }));
  const made = await dap.ask<CheckpointResult>('cairnCheckpoint', { name: 'first', then: 'resume' });
  const { snapshot } = await dap.event<CheckpointResult>('cairnSnapshot');
  assert.equal(snapshot, made.snapshot);
  const [listed] = await scratch.json<{ id: string; name: string; session: string }[]>(['ls']);
  assert.deepEqual([listed?.id, listed?.name, listed?.session], [made.snapshot, 'first', 'one']);
  assert.ok(!dap.story.includes('stopped'));
  await dap.ask<CheckpointResult>('cairnCheckpoint', { name: '', then: 'hold' });
  await dap.event('stopped');
  assert.equal((await dap.ask<SessionStatus>('cairnStatus')).state, 'held');
});

test('the terminal: what was printed, what is typed, its size', async () => {
  const dap = await adapter();
  const program = '$| = 1; while (<STDIN>) { print "got $_"; print `stty size` if /size/ }';
  await dap.ask('launch', { program: 'perl', args: ['-e', program], cwd: scratch.work });
  await dap.ask('cairnTerminalOpen');
  await dap.ask('cairnTerminalInput', { data: 'hello\r' });
  const printed = () =>
    dap
      .events<{ data: string }>('cairnTerminalData')
      .map(({ data }) => data)
      .join('');
  await waitFor('the echo', () => printed().includes('got hello'));
  await dap.ask('cairnTerminalResize', { columns: 71, rows: 17 });
  await dap.ask('cairnTerminalInput', { data: 'size\r' });
  await waitFor('the new size', () => printed().includes('17 71'));
  assert.match(await scrollback(dap), /got hello\r\n/);
});

test('the exit code of a program that ends by itself', async () => {
  const dap = await adapter();
  await dap.ask('launch', { program: 'perl', args: ['-e', 'select(undef, undef, undef, 0.3); exit 3'], cwd: scratch.work });
  assert.equal((await dap.event<{ exitCode: number }>('exited')).exitCode, 3);
});

test('names of sessions: made and numbered, or given and then refused where taken', async () => {
  const first = await adapter();
  await first.ask('launch', ticker());
  const second = await adapter();
  await second.ask('launch', ticker());
  assert.deepEqual(
    [(await first.ask<SessionStatus>('cairnStatus')).session, (await second.ask<SessionStatus>('cairnStatus')).session],
    ['perl', 'perl-2'],
  );
  const third = await adapter();
  assert.equal((await third.refusal('launch', ticker({ session: 'perl' }))).id, 203);
  assert.equal((await third.refusal('attach')).id, 202);
});

test('whoever leaves, or is killed, leaves the computation as it is; whoever comes finds it', async () => {
  const first = await adapter();
  await first.ask('launch', ticker({ session: 'one' }));
  const [thread] = (await first.ask<{ threads: Thread[] }>('threads')).threads;
  assert.ok(thread);
  await first.ask('disconnect');
  assert.ok(isAlive(thread.id));

  const second = await adapter();
  await second.ask('attach', { session: 'one' });
  assert.deepEqual((await second.ask<{ threads: Thread[] }>('threads')).threads, [thread]);
  await second.ask('pause', { threadId: thread.id });
  await second.event('stopped');
  second.kill();

  const third = await adapter();
  await third.ask('attach');
  await third.event('stopped');
  assert.deepEqual(third.story, ['initialized', 'thread', 'stopped']);
  await third.ask('disconnect', { terminateDebuggee: true });
  await waitFor('the computation to end', () => !isAlive(thread.id));
});

test('what the command does is seen by the adapter', async () => {
  const dap = await adapter();
  await dap.ask('launch', ticker({ session: 'one' }));
  await scratch.json(['hold', '--session', 'one']);
  await dap.event('stopped');
  await scratch.json(['resume', '--session', 'one']);
  await dap.event('continued');
  const { snapshot } = await scratch.checkpoint('one');
  assert.equal((await dap.event<CheckpointResult>('cairnSnapshot')).snapshot, snapshot);
  await scratch.json(['stop', '--session', 'one']);
  await dap.event('terminated');
});

test('a computation whose coordinator died is followed under the next one', async () => {
  const program = scratch.cairnProgram(['run', '--session', 'one', '--', 'perl', '-e', TICKER]);
  await waitFor('the first line', () => program.stdout.includes('tick 1'));
  const dap = await adapter();
  await dap.ask('attach', { session: 'one' });
  const { coordinator, terminal } = await dap.ask<SessionStatus>('cairnStatus');
  assert.equal(terminal, false);
  assert.equal((await dap.refusal('cairnTerminalOpen')).id, 207);
  process.kill(coordinator, 'SIGKILL');
  await waitFor('another coordinator', () =>
    dap
      .events<SessionSummary>('cairnSession')
      .some((summary) => summary.coordinator !== coordinator && summary.state === 'running'),
  );
  assert.equal((await dap.ask<SessionStatus>('cairnStatus')).processes.length, 1);
  const { rows } = await dap.ask<{ rows: TableRow[] }>('cairnTable', { kind: 'pid' });
  assert.ok(rows.length > 0);
  assert.ok(!dap.story.includes('terminated'));
});

test('rules for files, clocks, one program’s variables and a run slot, as on the command line', async () => {
  const first = await adapter();
  const rules = {
    files: { '*.log': 'ignore', '**/w/*': 'save' },
    clock: 'continue',
    connections: { '10.*': 'close', '*:4000': 'external' },
  };
  await first.ask(
    'launch',
    ticker({ session: 'one', env: { 'perl:ONLY': 'perl', 'bash:ONLY': 'bash' }, compress: true, ...rules }),
  );
  await waitFor('some lines', async () => lastTick(await scrollback(first)) > 5);
  await first.ask<CheckpointResult>('cairnCheckpoint', { name: 'here', then: 'kill' });
  await first.event('terminated');
  const { manifest } = await scratch.json<{ manifest: Manifest }>(['show', 'here']);
  assert.deepEqual(manifest.rules, {
    files: [
      { pattern: '*.log', how: 'ignore' },
      { pattern: '**/w/*', how: 'save' },
    ],
    connections: [
      { pattern: '10.*', how: 'close' },
      { pattern: '*:4000', how: 'external' },
    ],
    clock: 'continue',
  });
  assert.equal(manifest.compression, 'zstd');
  const slot = join(scratch.folder, 'slot');
  const second = await adapter();
  await second.ask('launch', {
    snapshot: 'here',
    cwd: scratch.work,
    slot,
    clock: 'go-on',
    changedFiles: 'use',
    env: { 'perl:NEW': '2' },
  });
  assert.equal((await second.ask<SessionStatus>('cairnStatus')).runFolder, slot);
  const { rows } = await second.ask<{ rows: TableRow[] }>('cairnTable', { kind: 'env' });
  assert.deepEqual(
    rows.filter(({ virtual }) => ['ONLY', 'NEW'].includes(virtual)).map(({ real }) => real),
    ['2', 'perl'],
  );
  const wrong = await adapter();
  const { text } = await wrong.refusal('launch', { snapshot: 'here', cwd: scratch.work, clock: 'backwards' });
  assert.match(text, /clock/);
  for (const [attributes, why] of [
    [{ withoutPlugins: ['nobody'] }, /no plugin "nobody"/],
    [{ pluginOrder: ['nobody'] }, /no plugin "nobody"/],
    [{ pluginSettings: { 'nobody.level': 2 } }, /no plugin "nobody"/],
    [{ pluginSettings: { level: 2 } }, /PLUGIN\.KEY/],
  ] as const) {
    const refused = await adapter();
    assert.match((await refused.refusal('launch', { snapshot: 'here', cwd: scratch.work, ...attributes })).text, why);
  }
});

test('a profile of the workspace is known to any client', async () => {
  mkdirSync(join(scratch.work, '.vscode'));
  const file = join(scratch.work, '.vscode/cairn-plugins.json');
  writeFileSync(file, '{"profiles":{"slow":[{"library":"none.so"}],"plain":[{"library":"none.so","disabled":true}]}}');
  const one = await adapter();
  assert.match((await one.refusal('launch', ticker({ pluginProfile: 'slow' }))).text, /\/none\.so cannot be read/);
  const two = await adapter();
  assert.match(
    (await two.refusal('launch', ticker({ pluginProfile: 'fast' }))).text,
    /no profile of plugins "fast".*slow, plain/s,
  );
  const three = await adapter();
  await three.ask('launch', ticker({ pluginProfile: 'plain' }));
  assert.equal((await three.ask<SessionStatus>('cairnStatus')).state, 'running');
});

test('a restart that is not told a folder takes the profiles of the workspace that its store lies in', async () => {
  const store = join(scratch.work, 'design/.cairn');
  mkdirSync(join(scratch.work, 'design/.vscode'), { recursive: true });
  writeFileSync(
    join(scratch.work, 'design/.vscode/cairn-plugins.json'),
    '{"profiles":{"none":[{"library":"a.so","disabled":true}]}}',
  );
  const first = await adapter();
  await first.ask('launch', ticker({ store }));
  await first.ask<CheckpointResult>('cairnCheckpoint', { name: 'here', then: 'kill' });
  await first.event('terminated');
  const second = await adapter();
  await second.ask('launch', { snapshot: 'here', store, pluginProfile: 'none' });
  assert.equal((await second.ask<SessionStatus>('cairnStatus')).state, 'running');
  const third = await adapter();
  assert.match((await third.refusal('launch', { snapshot: 'here', store, pluginProfile: 'other' })).text, /There are: none/);
});

test('of a restart that fails nothing is left to be seen', async () => {
  // A folder: what the check before a restart does not look at.
  const data = join(scratch.work, 'data');
  mkdirSync(data);
  const first = await adapter();
  await first.ask('launch', ticker({ args: ['-e', `opendir(D, "data") or die; ${TICKER}`] }));
  await waitFor('some lines', async () => lastTick(await scrollback(first)) > 2);
  await first.ask<CheckpointResult>('cairnCheckpoint', { name: 'here', then: 'kill' });
  await first.event('terminated');
  rmdirSync(data);
  const second = await adapter();
  const { text } = await second.refusal('launch', { snapshot: 'here', cwd: scratch.work });
  assert.match(text, /The restart of .* failed: .*is not there any more/s);
  assert.deepEqual((await second.ask<{ threads: Thread[] }>('threads')).threads, []);
});

test('a restart goes on where the snapshot was made, under the same virtual ids', async () => {
  const first = await adapter();
  await first.ask('launch', ticker({ session: 'one' }));
  const [before] = (await first.ask<{ threads: Thread[] }>('threads')).threads;
  await waitFor('some lines', async () => lastTick(await scrollback(first)) > 20);
  const { snapshot } = await first.ask<CheckpointResult>('cairnCheckpoint', { name: 'here', then: 'kill' });
  await first.event('terminated');
  const tick = lastTick(await scrollback(first));

  const second = await adapter();
  await second.ask('launch', { snapshot: 'here', cwd: scratch.work, env: { LATER: 'set' } });
  const status = await second.ask<SessionStatus>('cairnStatus');
  assert.deepEqual([status.restartedFrom, status.session], [snapshot, 'one-2']);
  const threads = (await second.ask<{ threads: Thread[] }>('threads')).threads;
  assert.deepEqual(threads, [before]);
  await waitFor('lines of the restarted run', async () => lastTick(await scrollback(second)) > tick + 10);
  const lines = (await scrollback(second)).split(/\r?\n/).filter((line) => line.startsWith('tick '));
  assert.equal(lines[0], `tick ${tick + 1}`);
  const scopes = await variables(second, threads[0]?.id ?? 0);
  assert.match(
    scopes['Virtual ids']?.find(({ name }) => name === 'process')?.value ?? '',
    new RegExp(`^${before?.id} → real \\d+$`),
  );
  assert.equal(scopes['Environment']?.find(({ name }) => name === 'LATER')?.value, 'set');
});
