/**
 * Plugins from outside, as the public interface promises: one that was built for an older version goes on working; one that cannot be
 * used, crashes or does not return is named with its callback, the checkpoint is given up, and the computation runs on.
 */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { eventNames } from '../../debug-adapter/src/protocol/plugin-events.js';
import { childrenOf, waitFor } from '../support/processes.js';
import type { Program } from '../support/program.js';
import { type Scratch, withScratch } from '../support/scratch.js';
import { inTree } from '../support/tree.js';
import { compile, lacks32Bit, probeSources } from './catalogue.js';
import { tool } from './tools.js';

const header = readFileSync(inTree('native-agent/include/cairn/plugin.h'), 'utf8');

async function misbehaving(scratch: Scratch, name: string, ...flags: string[]): Promise<string> {
  const library = join(scratch.folder, `${name}.so`);
  await compile(join(probeSources, 'tools/misbehaving_plugin.c'), library, ['-shared', '-fPIC', ...flags]);
  return library;
}

function settingsFile(scratch: Scratch, settings: object): string {
  const path = join(scratch.folder, 'settings.json');
  writeFileSync(path, JSON.stringify(settings));
  return path;
}

/** Twice, so that it has lived since the call. */
async function goesOn(program: Program): Promise<void> {
  for (let i = 0; i < 2; i++) await program.line(/^\d+ faults$/, 20, program.lines.length);
}

const logOf = (scratch: Scratch, session: string): string =>
  readFileSync(join(scratch.runtime, 'cairn', session, 'coordinator.log'), 'utf8');

test('the names of events are those of the header', () => {
  const found = [...header.matchAll(/CAIRN_EVENT_(\w+) = (\d+)/g)].map(([, name, number]) => [
    Number(number),
    name?.toLowerCase(),
  ]);
  assert.deepEqual(
    found,
    eventNames.map((name, number) => [number, name]).filter(([number]) => number !== 0),
  );
});

for (const bits of [64, 32] as const) {
  test(`a plugin of version 1.0 goes on working, at a checkpoint and after a restart (${bits} bits)`, async (t) => {
    const lacking = bits === 32 ? await lacks32Bit() : '';
    if (lacking !== '') return t.skip(lacking);
    return withScratch(async (scratch) => {
      const source = inTree('native-agent/tests/abi/1.0');
      const library = join(scratch.folder, 'old.so');
      const kind = bits === 32 ? ['-m32'] : [];
      await compile(join(source, 'plugin.c'), library, ['-shared', '-fPIC', `-I${source}`, ...kind]);
      const file = join(scratch.work, 'kept');
      writeFileSync(file, 'first words');
      const end = join(scratch.work, 'end');
      const settings = settingsFile(scratch, { file });
      const program = scratch.cairnProgram([
        'run',
        '--session',
        'one',
        '--plugin',
        `${library}=${settings}`,
        '--',
        await tool('faulting', ...kind),
        end,
      ]);
      await goesOn(program);
      const rows = await scratch.json<{ virtual: string; owner: string }[]>(['tables', 'path', '--session', 'one']);
      assert.equal(rows.find(({ virtual }) => virtual === 'old name')?.owner, 'old');
      const { snapshot } = await scratch.checkpoint('one');
      await goesOn(program);
      writeFileSync(file, 'other words');
      const again = scratch.cairnProgram(['restart', snapshot, '--session', 'two']);
      await goesOn(again);
      const said = (session: string): string[] =>
        [...logOf(scratch, session).matchAll(/old plugin: ([a-z]+ \d+(?: [a-z]+)?)/g)].map(([, words]) => words ?? '');
      await waitFor('its words', () => said('one').length >= 6 && said('two').length >= 3);
      assert.deepEqual(said('one'), ['init 1', 'presuspend 2', 'drain 3 checkpoint', 'precheckpoint 4', 'resume 5', 'running 6']);
      assert.deepEqual(said('two'), ['restart 5 first', 'refill 6 restart', 'running 7']);
      writeFileSync(end, '');
      assert.equal(await program.exit(), 0, program.transcript());
      assert.equal(await again.exit(), 0, again.transcript());
    });
  });
}

for (const [what, flags, reason] of [
  ['of another major version', ['-DMAJOR=2'], /was built for another major version of cairn\/plugin\.h/],
  ['without an entry', ['-DNO_ENTRY'], /does not export cairn_plugin_entry/],
  ['that needs what nobody defines', ['-DUNDEFINED'], /undefined symbol: nobody_defines_this/],
] as const) {
  test(`a plugin ${what} is refused by name, no checkpoint is made without it, and the computation runs on`, () =>
    withScratch(async (scratch) => {
      const library = await misbehaving(scratch, 'unusable', ...flags);
      const end = join(scratch.work, 'end');
      const program = scratch.cairnProgram(['run', '--session', 'one', '--plugin', library, '--', await tool('faulting'), end]);
      await goesOn(program);
      const { stderr, status } = await scratch.cairn(['checkpoint', '--session', 'one']);
      assert.equal(status, 1);
      assert.match(stderr, reason);
      assert.ok(stderr.includes(library), stderr);
      // Said at once, too.
      assert.match(program.stderr, reason);
      await goesOn(program);
      assert.deepEqual(readdirSync(join(scratch.store, 'snapshots')), []);
      writeFileSync(end, '');
      assert.equal(await program.exit(), 0, program.transcript());
    }));
}

const crashes = [
  ['1', 'null', /plugin misbehaving crashed in event presuspend \(SIGSEGV at address 0x8\)/],
  ['1', 'abort', /plugin misbehaving crashed in event presuspend \(SIGABRT\)/],
  ['2', 'stack', /plugin misbehaving crashed in event precheckpoint \(SIGSEGV at address 0x[0-9a-f]+\)/],
  ['barrier', 'wild', /plugin misbehaving crashed in barrier go \(SIGSEGV at address 0x1234\)/],
  ['2', 'huge', /there is not so much/],
  ['3', 'trap', /plugin misbehaving crashed in event resume \(SIGILL\)/],
  ['5', 'null', /plugin misbehaving crashed in event running \(SIGSEGV at address 0x8\)/],
] as const;

for (const bits of [64, 32] as const) {
  test(`a plugin that crashes in a callback fails the checkpoint and nothing else (${bits} bits)`, async (t) => {
    const lacking = bits === 32 ? await lacks32Bit() : '';
    if (lacking !== '') return t.skip(lacking);
    return withScratch(async (scratch) => {
      const kind = bits === 32 ? ['-m32'] : [];
      const library = await misbehaving(scratch, 'misbehaving', ...kind);
      const end = join(scratch.work, 'end');
      for (const [index, [where, how, reason]] of crashes.entries()) {
        const file = join(scratch.work, `armed ${index}`);
        const session = `s${index}`;
        const settings = settingsFile(scratch, { where, how, file });
        const program = scratch.cairnProgram([
          'run',
          '--session',
          session,
          '--plugin',
          `${library}=${settings}`,
          '--',
          await tool('faulting', ...kind),
          end,
        ]);
        await goesOn(program);
        writeFileSync(file, '');
        // Where its threads run, the program has faults of its own at that moment: it is to be its handler that they come to.
        for (let time = 0; time < (where === '1' ? 10 : 1); time++) {
          const { stderr, status } = await scratch.cairn(['checkpoint', '--session', session]);
          assert.equal(status, 1, stderr);
          assert.match(stderr, reason);
          await goesOn(program);
        }
        assert.deepEqual(readdirSync(join(scratch.store, 'tmp')), []);
        // Nothing is left of it.
        rmSync(file);
        const { snapshot } = await scratch.checkpoint(session, '--then', 'kill');
        await program.exit();
        const again = scratch.cairnProgram(['restart', snapshot, '--session', `${session}r`]);
        await goesOn(again);
        writeFileSync(end, '');
        assert.equal(await again.exit(), 0, again.transcript());
        rmSync(end);
      }
    });
  });
}

test('a plugin that crashes when its rows are asked for keeps those of others from nobody', () =>
  withScratch(async (scratch) => {
    const library = await misbehaving(scratch, 'misbehaving');
    const file = join(scratch.work, 'armed');
    const end = join(scratch.work, 'end');
    const settings = settingsFile(scratch, { where: 'rows', how: 'null', file });
    const program = scratch.cairnProgram([
      'run',
      '--session',
      'one',
      '--plugin',
      `${library}=${settings}`,
      '--',
      await tool('faulting'),
      end,
    ]);
    await goesOn(program);
    writeFileSync(file, '');
    const rows = await scratch.json<object[]>(['tables', 'pid', '--session', 'one']);
    assert.ok(rows.length > 0);
    await waitFor('the log', () => /misbehaving crashed in table pid \(SIGSEGV/.test(logOf(scratch, 'one')));
    await goesOn(program);
    writeFileSync(end, '');
    assert.equal(await program.exit(), 0, program.transcript());
  }));

for (const [what, where, callback] of [
  ['it was there before', '4', 'event restart'],
  ['it is given then', 'init', 'init'],
] as const) {
  test(`a plugin that crashes at a restart ends it with the reason: ${what}`, () =>
    withScratch(async (scratch) => {
      const library = await misbehaving(scratch, 'misbehaving');
      const file = join(scratch.work, 'armed');
      const end = join(scratch.work, 'end');
      const option = ['--plugin', `${library}=${settingsFile(scratch, { where, how: 'null', file })}`];
      const before = where === 'init' ? [] : option;
      const program = scratch.cairnProgram(['run', '--session', 'one', ...before, '--', await tool('faulting'), end]);
      await goesOn(program);
      const { snapshot } = await scratch.checkpoint('one');
      writeFileSync(file, '');
      const again = scratch.cairnProgram(['restart', snapshot, '--session', 'two', ...option]);
      assert.equal(await again.exit(), 1, again.transcript());
      assert.match(again.stderr, new RegExp(`crashed in ${callback} \\(SIGSEGV at address 0x8\\)`));
      await goesOn(program);
      writeFileSync(end, '');
      assert.equal(await program.exit(), 0, program.transcript());
    }));
}

test('a restart that fails leaves no file in /dev/shm of one that had lost its name', () =>
  withScratch(async (scratch) => {
    const name = join('/dev/shm', `cairn-probe-lost-${process.pid}`);
    const script = `exec 3<>${name}; echo inode $(stat -c %i ${name}); rm ${name}; echo lost >&3; echo ready; read line`;
    const armed = join(scratch.work, 'armed');
    const plugin = `${await misbehaving(scratch, 'misbehaving')}=${settingsFile(scratch, { where: '4', how: 'null', file: armed })}`;
    const program = scratch.cairnProgram(['run', '--session', 'one', '--plugin', plugin, '--', 'sh', '-c', script], {
      input: true,
    });
    const [, inode] = (await program.line(/^inode \d+$/)).split(' ');
    await program.line(/^ready$/);
    const { snapshot } = await scratch.checkpoint('one');
    writeFileSync(armed, '');
    const again = scratch.cairnProgram(['restart', snapshot, '--session', 'two', '--plugin', plugin]);
    assert.equal(await again.exit(), 1, again.transcript());
    assert.match(again.stderr, /crashed in event restart/);
    const left = readdirSync('/dev/shm').filter((entry) => entry.includes('unlinked') && entry.endsWith(`-${inode}`));
    for (const entry of left) rmSync(join('/dev/shm', entry));
    assert.deepEqual(left, []);
    program.type('x\n');
    assert.equal(await program.exit(), 0, program.transcript());
  }));

for (const [where, callback] of [
  ['4', 'event restart'],
  ['barrier', 'barrier go'],
] as const) {
  test(`a restart that fails leaves no FIFO and no message queue that it has made: ${callback}`, () =>
    withScratch(async (scratch) => {
      const fifo = join(scratch.work, 'fifo');
      const queue = `/cairn-left-${process.pid}`;
      const armed = join(scratch.work, 'armed');
      const plugin = `${await misbehaving(scratch, 'misbehaving')}=${settingsFile(scratch, { where, how: 'null', file: armed })}`;
      const names = await tool('left_names');
      const program = scratch.cairnProgram(['run', '--session', 'one', '--plugin', plugin, '--', names, fifo, queue], {
        input: true,
      });
      const [, inode] = (await program.line(/^inode \d+$/)).split(' ');
      const { snapshot } = await scratch.checkpoint('one', '--then', 'kill');
      await program.exit();
      writeFileSync(armed, '');
      assert.equal(await scratch.start([names, 'is', queue]).exit(), 0, 'the run has no queue');
      rmSync(fifo);
      const again = scratch.cairnProgram(['restart', snapshot, '--in-place', '--session', 'two', '--plugin', plugin]);
      assert.equal(await again.exit(), 1, again.transcript());
      assert.match(again.stderr, new RegExp(`crashed (in|at) ${callback}|crashed at this barrier`));
      const [, pid] = /process (\d+) \(left_names/.exec(logOf(scratch, 'two')) ?? [];
      assert.ok(pid !== undefined, logOf(scratch, 'two'));
      for (const name of [queue, `/cairn-unlinked-${pid}-${inode}`])
        assert.equal(await scratch.start([names, 'is', name]).exit(), 1, `${name} is left`);
      assert.deepEqual(
        readdirSync(scratch.work).filter((name) => name.startsWith('fifo')),
        [],
      );
    }));
}

for (const [where, callback] of [
  ['1', 'event presuspend'],
  ['2', 'event precheckpoint'],
  ['barrier', 'at this barrier'],
] as const) {
  test(`a plugin that does not return is named with its callback at the deadline: ${callback}`, () =>
    withScratch(async (scratch) => {
      const library = await misbehaving(scratch, 'misbehaving');
      const file = join(scratch.work, 'armed');
      const end = join(scratch.work, 'end');
      const settings = settingsFile(scratch, { where, how: 'hang', file });
      const program = scratch.cairnProgram(
        ['run', '--session', 'one', '--plugin', `${library}=${settings}`, '--', await tool('faulting'), end],
        { env: { CAIRN_PHASE_TIMEOUT: '0.7' } },
      );
      await goesOn(program);
      writeFileSync(file, '');
      const { stderr, status } = await scratch.cairn(['checkpoint', '--session', 'one']);
      assert.equal(status, 1);
      assert.match(stderr, new RegExp(`not arrived: \\d+ \\(faulting; in plugin misbehaving, ${callback}\\)`));
      await goesOn(program);
      assert.deepEqual(readdirSync(join(scratch.store, 'snapshots')), []);
      rmSync(file);
      const { snapshot } = await scratch.checkpoint('one');
      assert.ok(existsSync(join(scratch.store, 'snapshots', snapshot)));
      writeFileSync(end, '');
      assert.equal(await program.exit(), 0, program.transcript());
    }));
}

/** Names and tracers of the children of a process that live now. */
function childrenAndTracers(pid: number): { name: string; tracer: string }[] {
  return childrenOf(pid).flatMap((child) => {
    try {
      const status = readFileSync(`/proc/${child}/status`, 'utf8');
      const field = (name: string): string => new RegExp(`^${name}:\\s*(.*)`, 'm').exec(status)?.[1] ?? '';
      return [{ name: field('Name'), tracer: field('TracerPid') }];
    } catch {
      return []; // It has ended.
    }
  });
}

test('what is forked while a plugin is in a callback is traced by nobody', () =>
  withScratch(async (scratch) => {
    const library = await misbehaving(scratch, 'misbehaving');
    const file = join(scratch.work, 'armed');
    const settings = settingsFile(scratch, { where: '1', how: 'hang', file });
    const shell = 'while :; do echo 1 faults; (sleep 0.05; :); done';
    const program = scratch.cairnProgram(
      ['run', '--session', 'one', '--plugin', `${library}=${settings}`, '--', 'sh', '-c', shell],
      { env: { CAIRN_PHASE_TIMEOUT: '5' } },
    );
    await goesOn(program);
    type Status = { processes: { realPid: number }[] };
    const { processes } = await scratch.json<Status>(['status', '--session', 'one']);
    const root = Math.min(...processes.map(({ realPid }) => realPid));
    writeFileSync(file, '');
    const checkpoint = scratch.cairn(['checkpoint', '--session', 'one']);
    const watcher = 'cairn-agent';
    await waitFor('the callback', () => childrenAndTracers(root).some(({ name }) => name === watcher));
    let forked = 0;
    await waitFor('some children', () => {
      for (const { name, tracer } of childrenAndTracers(root)) {
        if (name === watcher) continue;
        assert.equal(tracer, '0');
        forked++;
      }
      return forked > 20;
    });
    rmSync(file);
    await checkpoint;
    await goesOn(program);
    await scratch.cairn(['stop', '--session', 'one']);
    await program.exit();
  }));

test('where a callback ends the process, it is named', () =>
  withScratch(async (scratch) => {
    const library = await misbehaving(scratch, 'misbehaving');
    const file = join(scratch.work, 'armed');
    const settings = settingsFile(scratch, { where: '2', how: 'exit', file });
    const command = [await tool('faulting'), join(scratch.work, 'end')];
    const shell = ['sh', '-c', '"$@" & sleep 60 & wait $!', 'sh', ...command];
    const program = scratch.cairnProgram(['run', '--session', 'one', '--plugin', `${library}=${settings}`, '--', ...shell]);
    await goesOn(program);
    writeFileSync(file, '');
    const { stderr, status } = await scratch.cairn(['checkpoint', '--session', 'one']);
    assert.equal(status, 1);
    assert.match(stderr, /ended during phase save, in plugin misbehaving, event precheckpoint/);
    await scratch.cairn(['stop', '--session', 'one']);
    await program.exit();
  }));

for (const how of ['exit', '_exit', 'kill'])
  for (const [where, phase, callback] of [
    ['1', 'presuspend', 'event presuspend'],
    ['2', 'save', 'event precheckpoint'],
    ['barrier', 'misbehaving.go', 'at this barrier'],
  ] as const)
    test(`where a callback ends all processes of a computation by ${how}, it is named: ${callback}`, () =>
      withScratch(async (scratch) => {
        const library = await misbehaving(scratch, 'misbehaving');
        const file = join(scratch.work, 'armed');
        const settings = settingsFile(scratch, { where, how, file });
        const faulting = await tool('faulting');
        for (const command of [
          [faulting, join(scratch.work, 'end')],
          ['sh', '-c', '"$@" & "$@" & wait', 'sh', faulting, join(scratch.work, 'end')],
        ]) {
          rmSync(file, { force: true });
          const program = scratch.cairnProgram([
            'run',
            '--session',
            'one',
            '--plugin',
            `${library}=${settings}`,
            '--',
            ...command,
          ]);
          await goesOn(program);
          writeFileSync(file, '');
          const { stderr, status } = await scratch.cairn(['checkpoint', '--session', 'one']);
          assert.equal(status, 1, stderr);
          assert.match(stderr, new RegExp(`\\d+ \\(\\w+\\) ended during phase ${phase}, in plugin misbehaving, ${callback}`));
          await program.exit();
        }
      }));

async function stopping(scratch: Scratch): Promise<string> {
  const library = join(scratch.folder, 'stopping.so');
  await compile(join(probeSources, 'tools/stopping_plugin.c'), library, ['-shared', '-fPIC']);
  return library;
}

test('a plugin that crashes while all threads stand is named, and the computation runs on', () =>
  withScratch(async (scratch) => {
    const crash = join(scratch.work, 'crash');
    const plugin = `${await stopping(scratch)}=${settingsFile(scratch, { crash })}`;
    const command = [await tool('faulting'), join(scratch.work, 'end')];
    const program = scratch.cairnProgram(['run', '--session', 'one', '--plugin', plugin, '--', ...command]);
    await goesOn(program);
    writeFileSync(crash, '');
    await waitFor('the log', async () =>
      logOf(scratch, 'one').includes('plugin stopping crashed in a moment in which all threads stand (SIGSEGV at address 0x8)'),
    );
    await goesOn(program);
    await scratch.checkpoint('one');
    writeFileSync(join(scratch.work, 'end'), '');
    assert.equal(await program.exit(), 0, program.transcript());
  }));

test('waits in which threads were stopped for a plugin last as long as they would, also after a restart', () =>
  withScratch(async (scratch) => {
    const plugin = await stopping(scratch);
    const program = scratch.cairnProgram([
      'run',
      '--session',
      'one',
      '--plugin',
      plugin,
      '--',
      await tool('waits', '-pthread'),
      '3000',
    ]);
    await program.line(/^waiting$/);
    await delay(500);
    const { snapshot } = await scratch.checkpoint('one', '--then', 'kill');
    await program.exit();
    const restarted = scratch.cairnProgram(['restart', snapshot, '--session', 'two']);
    await restarted.line(/^nanosleep: time-out, poll: time-out, futex: time-out$/);
    assert.equal(await restarted.exit(), 0);
  }));

test("once a plugin has begun, the program's own faults are nobody's but its own", () =>
  withScratch(async (scratch) => {
    const library = await misbehaving(scratch, 'misbehaving');
    const command = [await tool('faulting'), join(scratch.work, 'end')];
    const program = scratch.cairnProgram(['run', '--session', 'one', '--plugin', library, '--', ...command]);
    await goesOn(program);
    const [process] = (await scratch.json<{ processes: { realPid: number }[] }>(['status', '--session', 'one'])).processes;
    assert.match(readFileSync(`/proc/${process?.realPid}/status`, 'utf8'), /^TracerPid:\t0$/m);
    writeFileSync(join(scratch.work, 'end'), '');
    assert.equal(await program.exit(), 0, program.transcript());
  }));

test('where a callback ends a process that is restarted, it is named', () =>
  withScratch(async (scratch) => {
    const library = await misbehaving(scratch, 'misbehaving');
    const file = join(scratch.work, 'armed');
    const settings = settingsFile(scratch, { where: '4', how: 'exit', file });
    const command = [await tool('faulting'), join(scratch.work, 'end')];
    const program = scratch.cairnProgram(['run', '--session', 'one', '--plugin', `${library}=${settings}`, '--', ...command]);
    await goesOn(program);
    const { snapshot } = await scratch.checkpoint('one', '--then', 'kill');
    await program.exit();
    writeFileSync(file, '');
    const { stderr, status } = await scratch.cairn(['restart', snapshot, '--session', 'two', '--detach']);
    assert.equal(status, 1);
    assert.match(stderr, /ended during phase restart, in plugin misbehaving, event restart/);
  }));
