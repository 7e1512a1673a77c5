/**
 * The contract of `cairn run` and `cairn restart` towards scripts: streams, signals, statuses, environment, paths, outputs.
 */
import assert from 'node:assert/strict';
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { SessionStatus, TableRow } from '../../debug-adapter/src/protocol/control.js';
import type { OperationTimeline } from '../../debug-adapter/src/protocol/timeline.js';
import { waitFor } from '../support/processes.js';
import type { Program } from '../support/program.js';
import { withScratch } from '../support/scratch.js';
import { inTree } from '../support/tree.js';
import { compile, probeSources } from './catalogue.js';
import { tool } from './tools.js';

/** Asks a running teller, and returns its answer. */
async function ask(program: Program, questions: string, question: string): Promise<string> {
  const from = program.lines.length;
  appendFileSync(questions, `${question}\n`);
  return program.line(new RegExp(`^${question.split(' ')[0]} `), 20, from);
}

test('streams and exit status are the program’s', () =>
  withScratch(async (scratch) => {
    const program = scratch.cairnProgram(['run', '--', 'sh', '-c', 'read line; echo "out $line"; echo "err $line" >&2; exit 7'], {
      input: true,
    });
    program.type('typed\n');
    program.closeInput();
    assert.equal(await program.exit(), 7, program.transcript());
    assert.deepEqual(program.lines, ['out typed']);
    assert.match(program.stderr, /^err typed$/m);
    assert.doesNotMatch(program.stderr, /cairn/, 'the command adds to standard error');
  }));

test('a signal that ends the program gives 128+n, and signals are passed on', () =>
  withScratch(async (scratch) => {
    const killed = scratch.cairnProgram(['run', '--', 'sh', '-c', 'kill -SEGV $$']);
    assert.equal(await killed.exit(), 128 + 11, killed.transcript());
    const script = 'trap "echo got usr1" USR1; trap "echo got term; exit 3" TERM; echo ready; while :; do sleep 0.02; done';
    const trapping = scratch.cairnProgram(['run', '--', 'sh', '-c', script]);
    await trapping.line(/^ready$/);
    trapping.signal('SIGUSR1');
    await trapping.line(/^got usr1$/);
    trapping.signal('SIGTERM');
    await trapping.line(/^got term$/);
    assert.equal(await trapping.exit(), 3, trapping.transcript());
  }));

test('wrong calls give 2, a program that is not there 1, and both say what to do', () =>
  withScratch(async (scratch) => {
    for (const args of [
      ['run'],
      ['run', '--nonsense', '--', 'true'],
      ['checkpoint', '--then', 'explode'],
      ['nonsense'],
      ['tables'],
    ]) {
      const { status, stderr } = await scratch.cairn(args);
      assert.equal(status, 2, `cairn ${args.join(' ')} gave ${status}: ${stderr}`);
      assert.notEqual(stderr.trim(), '');
    }
    const missing = await scratch.cairn(['run', '--', './not-here']);
    assert.equal(missing.status, 1, missing.stderr);
    assert.match(missing.stderr, /not-here/);
    const nobody = await scratch.cairn(['checkpoint', '--session', 'unheard-of']);
    assert.equal(nobody.status, 1, nobody.stderr);
    assert.match(nobody.stderr, /unheard-of/);
    const unknown = await scratch.cairn(['restart', 'no-such-snapshot']);
    assert.equal(unknown.status, 1, unknown.stderr);
    assert.match(unknown.stderr, /no-such-snapshot/);
  }));

test('environment and paths: --env at run and at restart, --path at restart', () =>
  withScratch(async (scratch) => {
    const [questions, old, moved] = ['questions', 'old', 'moved'].map((name) => join(scratch.folder, name)) as [
      string,
      string,
      string,
    ];
    writeFileSync(questions, '');
    for (const folder of [old, moved]) mkdirSync(folder);
    writeFileSync(join(old, 'data'), 'from the old place');
    writeFileSync(join(moved, 'data'), 'from the new place');
    const program = scratch.cairnProgram([
      'run',
      '--session',
      'first',
      '--env',
      'TOLD=at run',
      '--',
      await tool('teller'),
      questions,
    ]);
    await program.line(/^ready$/);
    assert.equal(await ask(program, questions, 'env TOLD'), 'env TOLD=at run');
    assert.equal(await ask(program, questions, `cat ${old}/data`), `cat ${old}/data: from the old place`);
    const { snapshot } = await scratch.checkpoint('first', '--then', 'kill');
    await program.exit();
    const args = [
      'restart',
      snapshot,
      '--session',
      'second',
      '--env',
      'TOLD=at restart',
      '--env',
      'NEW=variable',
      '--path',
      `${old}=${moved}`,
    ];
    const restarted = scratch.cairnProgram(args, { cwd: '/' });
    assert.equal(await ask(restarted, questions, 'env TOLD'), 'env TOLD=at restart');
    assert.equal(await ask(restarted, questions, 'env NEW'), 'env NEW=variable');
    assert.equal(await ask(restarted, questions, `cat ${old}/data`), `cat ${old}/data: from the new place`);
    assert.equal(await ask(restarted, questions, 'cwd'), `cwd ${scratch.work}`);
    appendFileSync(questions, 'exit 9\n');
    assert.equal(await restarted.exit(), 9, restarted.transcript());
  }));

test('outputs: a run folder by default, in place where asked; what an earlier run wrote is not damaged', () =>
  withScratch(async (scratch) => {
    const counter = await tool('counter');
    const expected = join(scratch.folder, 'expected');
    const reference = scratch.start([counter, '400', expected]);
    assert.equal(await reference.exit(), 0);
    const wanted = readFileSync(expected, 'utf8');
    const file = join(scratch.work, 'out.txt');
    const program = scratch.cairnProgram(['run', '--session', 'first', '--', counter, '400', 'out.txt', '3000']);
    await program.line(/^60 /);
    const { snapshot } = await scratch.checkpoint('first', '--name', 'at sixty');
    const printed = program.lines.length;
    assert.equal(await program.exit(30), 0);
    assert.equal(readFileSync(file, 'utf8'), wanted, 'the run that went on');
    assert.equal(`${program.lines.join('\n')}\n`, wanted, 'what it printed');
    writeFileSync(file, 'somebody else has written here since');

    const apart = scratch.cairnProgram(['restart', 'at sixty', '--session', 'second']);
    assert.equal(await apart.exit(30), 0, apart.transcript());
    assert.equal(readFileSync(file, 'utf8'), 'somebody else has written here since', 'the earlier file was touched');
    assert.equal(readFileSync(scratch.runFile(apart, 'out.txt'), 'utf8'), wanted, 'the file in the run folder');
    const all = wanted.trimEnd().split('\n');
    assert.deepEqual(apart.lines, all.slice(all.length - apart.lines.length), 'what the restart printed');
    assert.ok(
      apart.lines.length <= all.length - 60 && apart.lines.length >= all.length - printed - 50,
      `it printed ${apart.lines.length} lines`,
    );

    const inPlace = scratch.cairnProgram(['restart', snapshot.slice(0, 8), '--session', 'third', '--in-place']);
    assert.equal(await inPlace.exit(30), 0, inPlace.transcript());
    assert.equal(readFileSync(file, 'utf8'), wanted, 'the file put back in place');
  }));

test('hold stops everything, resume lets it go on; a checkpoint of a held session keeps it held', () =>
  withScratch(async (scratch) => {
    const program = scratch.cairnProgram(['run', '--session', 'one', '--', await tool('counter'), '300', 'out', '5000']);
    await program.line(/^20 /);
    await scratch.json(['hold']);
    const held = program.lines.length;
    const status = await scratch.json<{ state: string }>(['status']);
    assert.equal(status.state, 'held');
    const { snapshot } = await scratch.checkpoint('one');
    await new Promise((resolve) => setTimeout(resolve, 150));
    assert.equal(program.lines.length, held, 'a held program prints');
    await scratch.json(['resume']);
    assert.equal(await program.exit(30), 0, program.transcript());
    const restarted = scratch.cairnProgram(['restart', snapshot, '--session', 'one']);
    assert.equal(await restarted.exit(30), 0, restarted.transcript());
    assert.equal(restarted.lines.at(-1), program.lines.at(-1), 'signature');
  }));

test('a restart is held at a barrier for as long as one likes, and can be looked at; it goes on, or is ended', () =>
  withScratch(async (scratch) => {
    const program = scratch.cairnProgram(['run', '--session', 'one', '--', await tool('counter'), '300', 'out', '5000']);
    await program.line(/^20 /);
    const { snapshot } = await scratch.checkpoint('one', '--then', 'kill');
    await program.exit();
    const impatient = { env: { CAIRN_PHASE_TIMEOUT: '1', CAIRN_START_TIMEOUT: '1' } };
    const restart = ['restart', snapshot, '--session'];
    const started = await scratch.cairn([...restart, 'held', '--detach', '--hold-at', 'descriptor.fill'], impatient);
    assert.equal(started.status, 0, started.stderr);
    assert.match(started.stderr, /held before descriptor\.fill/);
    await new Promise((resolve) => setTimeout(resolve, 1500));
    const { state, operation } = await scratch.json<SessionStatus>(['status', '--session', 'held']);
    assert.deepEqual([state, operation?.heldAt], ['restarting', 'descriptor.fill']);
    for (const table of ['pid', 'path', 'fd', 'thread', 'mapping'])
      assert.ok((await scratch.json<TableRow[]>(['tables', table, '--session', 'held'])).length > 0, table);
    const live = await scratch.json<OperationTimeline>(['barriers', '--session', 'held']);
    assert.deepEqual([live.kind, live.finished, live.phases.at(-1)?.barrier], ['restart', false, 'descriptor.take']);
    const { stdout } = await scratch.cairn(['plugins', '--session', 'held']);
    assert.match(stdout, /descriptor/);
    await scratch.json(['resume', '--session', 'held']);
    const output = async (): Promise<string> => (await scratch.cairn(['logs', '--output', '--session', 'held'])).stdout;
    await waitFor('its last line', async () => (await output()).includes('\n300 '));

    for (const label of ['restart', 'resume']) {
      const again = scratch.cairnProgram([...restart, `at-${label}`, '--hold-at', label]);
      await waitFor('it to be held', async () => {
        const sessions = await scratch.json<SessionStatus[]>(['status', '--all']);
        return sessions.some((one) => one.session === `at-${label}` && one.operation?.heldAt === label);
      });
      assert.ok((await scratch.json<TableRow[]>(['tables', 'pid', '--session', `at-${label}`])).length > 0);
      await scratch.json(['stop', '--session', `at-${label}`]);
      assert.notEqual(await again.exit(), 0);
      assert.doesNotMatch(again.transcript(), /^\d+ /m);
    }
  }));

test('the same session name again at once after --then kill; SNAPSHOT as id, prefix, name and folder', () =>
  withScratch(async (scratch) => {
    const program = scratch.cairnProgram(['run', '--session', 'same', '--', await tool('counter'), '100000', 'out', '2000']);
    await program.line(/^20 /);
    const first = await scratch.checkpoint('same', '--name', 'a name', '--then', 'kill');
    assert.equal(await program.exit(), 128 + 9, program.transcript());
    for (const text of [first.snapshot, first.snapshot.slice(0, 6), 'a name', first.path]) {
      const restarted = scratch.cairnProgram(['restart', text, '--session', 'same']);
      await restarted.line(/^\d+ /);
      const { state } = await scratch.json<{ state: string }>(['stop', '--session', 'same']);
      assert.equal(state, 'exited');
      assert.equal(await restarted.exit(), 128 + 15, restarted.transcript());
    }
  }));

test('--detach returns when the program runs; status, tables and stop work on it', () =>
  withScratch(async (scratch) => {
    const { stdout } = await scratch.cairn([
      'run',
      '--session',
      'away',
      '--detach',
      '--',
      await tool('counter'),
      '100000',
      'out',
      '2000',
    ]);
    assert.match(stdout, /away/);
    const rows = await scratch.json<{ virtual: string; real: string }[]>(['tables', 'pid']);
    assert.ok(rows.length > 0 && existsSync(`/proc/${rows[0]?.real}`), JSON.stringify(rows));
    const { path } = await scratch.checkpoint('away', '--then', 'kill');
    assert.ok(existsSync(join(path, 'manifest.json')));
    await scratch.cairn(['restart', path, '--session', 'back', '--detach']);
    const status = await scratch.json<{ state: string; processes: { virtualPid: number; realPid: number }[] }>([
      'status',
      '--session',
      'back',
    ]);
    assert.equal(status.state, 'running');
    assert.equal(String(status.processes[0]?.virtualPid), rows[0]?.virtual, 'the virtual pid changed');
    await scratch.json(['stop', '--session', 'back']);
    await waitFor('the process to end', () => !existsSync(`/proc/${status.processes[0]?.realPid}`));
  }));

test('input from a file goes on where it was; a log that the program opened itself is not the command’s output', () =>
  withScratch(async (scratch) => {
    const folder = scratch.makeFolder(join(scratch.work, 'redirected'));
    writeFileSync(join(folder, 'in.txt'), '1\n2\n3\n');
    const loop =
      'exec 3>>log; while read -r n; do echo "own $n" >&3; echo "got $n"; until [ -e go$n ]; do sleep 0.02; done; done';
    const words = ['run', '--session', 'redirected', '--', 'sh', '-c', `'${loop}'`].join(' ');
    const first = scratch.start(['sh', '-c', `exec "$CAIRN" ${words} < in.txt >> log`], {
      cwd: folder,
      env: { CAIRN: inTree('bin/cairn') },
    });
    const log = (): string => (existsSync(join(folder, 'log')) ? readFileSync(join(folder, 'log'), 'utf8') : '');
    await waitFor('the first line', () => log().includes('got 1'));
    const { status, stderr } = await scratch.cairn(['checkpoint', '--session', 'redirected', '--name', 'one', '--then', 'kill']);
    assert.equal(status, 0, stderr);
    await first.exit();
    for (const n of [1, 2, 3]) writeFileSync(join(folder, `go${n}`), '');
    const again = scratch.cairnProgram(['restart', 'one', '--session', 'again'], { cwd: scratch.folder });
    assert.equal(await again.exit(), 0, again.transcript());
    assert.deepEqual(again.lines, ['got 2', 'got 3']);
    const [run = ''] = readdirSync(join(scratch.store, 'runs'));
    assert.equal(readFileSync(join(scratch.store, 'runs', run, 'log'), 'utf8'), 'own 1\ngot 1\nown 2\nown 3\n');
    assert.equal(log(), 'own 1\ngot 1\n', 'the first run’s log was touched');
    // Another file by choice.
    writeFileSync(join(folder, 'other.txt'), '3\n');
    const other = scratch.start(['sh', '-c', `exec "$CAIRN" restart one --session other < ${join(folder, 'other.txt')}`], {
      cwd: scratch.folder,
      env: { CAIRN: inTree('bin/cairn') },
    });
    assert.equal(await other.exit(), 0, other.transcript());
    assert.deepEqual(other.lines, ['got 3']);
  }));

test('a named pipe that is not open at the checkpoint is one for each run, also for who waits in open', () =>
  withScratch(async (scratch) => {
    const go = join(scratch.folder, 'go');
    const script = [
      `mkfifo meet waited; (read line < waited; echo "child $line") & echo up`,
      `until [ -e "${go}" ]; do sleep 0.02; done`,
      `token=$(cat /proc/sys/kernel/random/uuid); exec 3<>meet; echo $token >&3; echo "wrote $token"`,
      `until [ -e "${go}-$token" ]; do sleep 0.02; done; read line <&3; echo "got $line"; echo $token > waited; wait`,
    ].join('\n');
    const first = scratch.cairnProgram(['run', '--session', 'one', '--', 'sh', '-c', script]);
    await first.line(/^up$/);
    // The child waits in open(2).
    await waitFor('the child to wait', async () => {
      const { stdout } = await scratch.cairn(['status', '--session', 'one', '--json']);
      return (stdout.match(/"virtualPid"/g)?.length ?? 0) >= 2 ? true : undefined;
    });
    const { snapshot } = await scratch.checkpoint('one', '--then', 'kill');
    await first.exit();
    writeFileSync(go, '');
    const runs: { program: Program; token: string }[] = [];
    for (const session of ['left', 'right']) {
      const program = scratch.cairnProgram(['restart', snapshot, '--session', session]);
      runs.push({ program, token: (await program.line(/^wrote/)).split(' ')[1] ?? '' });
    }
    // Who wrote last reads first: of one pipe it would get the other's.
    for (const { program, token } of runs.reverse()) {
      writeFileSync(`${go}-${token}`, '');
      assert.equal(await program.line(/^got/), `got ${token}`);
      assert.equal(await program.line(/^child/), `child ${token}`);
      assert.equal(await program.exit(), 0, program.transcript());
    }
  }));

test('a script asks for a checkpoint of itself; the restarted one finds it done', () =>
  withScratch(async (scratch) => {
    const script = 'echo before; "$CAIRN" checkpoint --name inside --json > made; echo "status $?"; echo after';
    const env = { CAIRN: inTree('bin/cairn') };
    const first = scratch.cairnProgram(['run', '--session', 'script', '--', 'sh', '-c', script], { env });
    assert.equal(await first.exit(), 0, first.transcript());
    assert.deepEqual(first.lines, ['before', 'status 0', 'after']);
    const again = scratch.cairnProgram(['restart', 'inside', '--session', 'again'], { env });
    assert.equal(await again.exit(), 0, again.transcript());
    assert.deepEqual(again.lines, ['status 0', 'after']);
  }));

test('a plugin that is given at a restart takes part from then on; one that cannot be had ends the restart with the reason', () =>
  withScratch(async (scratch) => {
    const source = join(probeSources, 'tools/late_plugin.c');
    const library = join(scratch.folder, 'late.so');
    const flags = ['-shared', '-fPIC', `-I${inTree('native-agent/include')}`];
    await compile(source, library, flags);
    const withThreadLocals = join(scratch.folder, 'tls.so');
    await compile(join(probeSources, 'libraries/tlslib.c'), withThreadLocals, ['-shared', '-fPIC']);
    const needing = join(scratch.folder, 'needing.so');
    await compile(source, needing, [...flags, '-Wl,--no-as-needed', '-lm']);
    const settings = join(scratch.folder, 'settings.json');
    writeFileSync(settings, '{"a": 17}');

    const first = scratch.cairnProgram(['run', '--session', 'one', '--', 'sh', '-c', 'echo up; while :; do sleep 0.05; done']);
    await first.line(/^up$/);
    await scratch.cairn(['checkpoint', '--session', 'one', '--name', 'before', '--then', 'kill']);
    await first.exit();

    const again = scratch.cairnProgram(['restart', 'before', '--session', 'two', '--plugin', `${library}=${settings}`]);
    const status = await waitFor('the plugin', async () => {
      const { stdout } = await scratch.cairn(['status', '--session', 'two', '--json']);
      return stdout.includes('"state": "running"') && stdout.includes('late.so') ? stdout : undefined;
    });
    assert.match(status, /"name": "late"/);
    const logOf = (session: string): string => {
      const file = join(scratch.runtime, 'cairn', session, 'coordinator.log');
      return existsSync(file) ? readFileSync(file, 'utf8') : '';
    };
    const log = (): string => logOf('two');
    await waitFor('its words', () => log().includes('late plugin: running'));
    assert.match(log(), /late plugin: init 41 \{\\?"a\\?": 17\}/);
    assert.match(log(), /late plugin: restart 42 /);
    // It goes with the next snapshot.
    await scratch.cairn(['checkpoint', '--session', 'two', '--name', 'with it', '--then', 'kill']);
    await again.exit();
    const third = scratch.cairnProgram(['restart', 'with it', '--session', 'three']);
    await waitFor('its words again', () => logOf('three').includes('late plugin: running'));
    await scratch.cairn(['stop', '--session', 'three']);
    await third.exit();

    // It may be given other settings by then; without any it keeps those that it has.
    const others = join(scratch.folder, 'others.json');
    writeFileSync(others, '{"b": 18}');
    const fourth = scratch.cairnProgram(['restart', 'with it', '--session', 'four', '--plugin', `${library}=${others}`]);
    await waitFor('its words with other settings', () => logOf('four').includes('late plugin: running'));
    assert.match(logOf('four'), /late plugin: settings \d+ \{\\?"b\\?": 18\}/);
    await scratch.cairn(['checkpoint', '--session', 'four', '--name', 'with others', '--then', 'kill']);
    await fourth.exit();
    const fifth = scratch.cairnProgram(['restart', 'with others', '--session', 'five', '--plugin', library]);
    await waitFor('its words with the same settings', () => logOf('five').includes('late plugin: running'));
    assert.doesNotMatch(logOf('five'), /late plugin: settings/);
    assert.match(logOf('five'), /late plugin: running \d+ \{\\?"b\\?": 18\}/);
    await scratch.cairn(['stop', '--session', 'five']);
    await fifth.exit();
    for (const [word, reason] of [
      ['refuse', /the settings ask to refuse/],
      ['mute', /takes no other settings at a restart/],
    ] as const) {
      writeFileSync(others, `{"what": "${word}"}`);
      const refused = scratch.cairnProgram(['restart', 'with it', '--session', word, '--plugin', `${library}=${others}`]);
      assert.equal(await refused.exit(), 1, refused.transcript());
      assert.match(refused.stderr, reason);
    }

    for (const [plugin, reason] of [
      [withThreadLocals, /thread-local/],
      [needing, /libm\.so/],
      [settings, /no shared library/],
    ] as const) {
      const refused = scratch.cairnProgram(['restart', 'before', '--session', 'refused', '--plugin', plugin]);
      assert.equal(await refused.exit(), 1, refused.transcript());
      assert.match(refused.stderr, reason);
    }
    writeFileSync(settings, '{"refuse": true}');
    const unwilling = scratch.cairnProgram(['restart', 'before', '--session', 'refused', '--plugin', `${library}=${settings}`]);
    assert.equal(await unwilling.exit(), 1, unwilling.transcript());
    assert.match(unwilling.stderr, /settings ask to refuse/);
    const runs = scratch.cairnProgram(['run', '--session', 'runs', '--plugin', `${library}=${settings}`, '--', 'sleep', '60']);
    await waitFor('the checkpoint to be refused', async () =>
      /refused to start: the settings ask to refuse/.test((await scratch.cairn(['checkpoint', '--session', 'runs'])).stderr),
    );
    await scratch.cairn(['stop', '--session', 'runs']);
    await runs.exit();
  }));
