/**
 * Faults in calls (native-agent/faults/calls): a program's calls go otherwise as the settings say, and all others as ever, whatever is
 * passed and comes back. Real programs, given at launch and at a restart.
 */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { waitFor } from '../support/processes.js';
import type { Program } from '../support/program.js';
import { type Scratch, withScratch } from '../support/scratch.js';
import { compile, probeOutput, probeSources } from './catalogue.js';

const folder = join(probeOutput, 'fault-calls');
const program = join(folder, 'called');
const source = (name: string): string => join(probeSources, 'tools', name);

test.before(async () => {
  mkdirSync(folder, { recursive: true });
  await compile(source('called_library.cpp'), join(folder, 'libcalled.so'), [
    '-shared',
    '-fPIC',
    '-Wl,-soname,libcalled.so',
    '-O1',
  ]);
  await compile(source('called.cpp'), program, [`-L${folder}`, '-Wl,-rpath,$ORIGIN', '-lcalled', '-O1']);
});

type Fault = Record<string, unknown>;

function settings(scratch: Scratch, faults: readonly Fault[], more: Record<string, unknown> = {}): string[] {
  const file = join(scratch.folder, `faults${Math.floor(performance.now() * 1000)}.json`);
  writeFileSync(file, JSON.stringify({ faults, ...more }));
  return ['--plugin', `fault-calls=${file}`];
}

const CALLED = 'called nine 285 mixed 156 pair 3 1.5 large 7 11 wide 3.33333 variable 7 vector 20 thrown 105';
const end = (scratch: Scratch): string => join(scratch.work, 'end');
const all = ['nine', 'mixed', 'pair', 'large', 'wide', 'variable', 'vector', 'thrower'];

/** Lines from now on, the first of which may be of before. */
async function next(program: Program, pattern: RegExp): Promise<string> {
  await program.line(pattern, 20, program.lines.length);
  return program.line(pattern, 20, program.lines.length);
}

async function ends(scratch: Scratch, ...programs: Program[]): Promise<void> {
  writeFileSync(end(scratch), '');
  for (const one of programs) assert.equal(await one.exit(), 0, one.transcript());
}

async function counters(scratch: Scratch, session: string): Promise<Record<string, number>> {
  const rows = await scratch.json<{ virtual: string; real: string; owner: string }[]>(['tables', 'plugin', '--session', session]);
  assert.ok(rows.every(({ owner }) => owner === 'fault-calls'));
  return Object.fromEntries(rows.map(({ virtual, real }) => [virtual, Number(real)]));
}

for (const [what, fault] of [
  ['that no fault is for', { calls: { nth: 1_000_000_000 }, return: 0 }],
  ['that are delayed', { delayUs: 100 }],
  ['that are made with a fault that changes nothing', { errno: 'EIO' }],
  ['whose memory is none', { output: { argument: 6, offset: 1, bytes: '00' } }],
] as const)
  test(`calls ${what} come back as ever, with arguments and results of every kind`, () =>
    withScratch(async (scratch) => {
      const faults = all.map((name) => ({ function: name, library: 'libcalled.so', ...fault }));
      const started = scratch.cairnProgram([
        'run',
        '--session',
        'one',
        ...settings(scratch, faults),
        '--',
        program,
        end(scratch),
      ]);
      for (let i = 0; i < 3; i++) assert.equal(await next(started, /^called nine/), CALLED);
      const found = await counters(scratch, 'one');
      for (const [index] of all.entries()) assert.ok((found[`fault ${index + 1}: calls`] ?? 0) > 2, JSON.stringify(found));
      await ends(scratch, started);
    }));

test('results, errno, bits and bytes are as the settings say, in the calls that they choose', () =>
  withScratch(async (scratch) => {
    const faults = [
      { function: 'nine', return: -7 },
      { function: 'mixed', returnDouble: 0.125 },
      { function: 'variable', flip: '0x10' },
      { function: 'large', return: '0x7', calls: { nth: 1_000_000 } },
      { function: 'thrower', return: 3, call: true },
      { function: 'read', errno: 'EIO', return: -1, calls: { first: 2, every: 2 } },
      { function: 'read', output: { argument: 2, offset: 1, flip: '20', withinResult: true } },
      { function: 'read', output: { argument: 2, offset: 7, bytes: '21', withinResult: true } },
    ];
    const started = scratch.cairnProgram(['run', '--session', 'one', ...settings(scratch, faults), '--', program, end(scratch)]);
    const changed = CALLED.replace('nine 285', 'nine -7')
      .replace('mixed 156', 'mixed 0.125')
      .replace('variable 7', 'variable 23');
    // An exception leaves the call: there is no result.
    assert.equal(await next(started, /^called nine/), changed);
    const lines = [];
    for (let from = 0; lines.length < 4; from = started.lines.indexOf(lines.at(-1) ?? '', from) + 1)
      lines.push(await started.line(/^read /, 20, from));
    // The later of two faults of one function is the outer one: it sees what the inner one gives.
    assert.deepEqual([...new Set(lines)].sort(), ['read -1 errno 5 ......', 'read 7 errno 0 cAlled'], started.transcript());
    const found = await counters(scratch, 'one');
    assert.equal(found['fault 4: injected'], 0);
    assert.equal(found['fault 8: effective'], 0);
    assert.ok((found['fault 8: injected'] ?? 0) > 2);
    assert.equal(found['fault 1: injected'], found['fault 1: effective']);
    assert.match(scratch.logs('one'), /fault 1: call \d+ of nine was not made/);
    await ends(scratch, started);
  }));

test('given at a restart, other ones at the next; counts begin anew there, or go on', () =>
  withScratch(async (scratch) => {
    const started = scratch.cairnProgram(['run', '--session', 'one', '--', program, end(scratch)]);
    assert.equal(await next(started, /^called nine/), CALLED);
    const { snapshot } = await scratch.checkpoint('one');
    const faulty = scratch.cairnProgram([
      'restart',
      snapshot,
      '--session',
      'two',
      ...settings(
        scratch,
        [
          { function: 'nine', library: 'libcalled.so', program: 'called', return: 1, calls: { nth: 2 } },
          { function: 'nine', program: 'another', return: 2 },
        ],
        { cumulative: true },
      ),
    ]);
    const lines = async (again: Program): Promise<string[]> => {
      await waitFor('four calls', () => again.lines.filter((line) => line.startsWith('called nine')).length > 4, 20);
      return again.lines.filter((line) => line.startsWith('called nine')).slice(0, 4);
    };
    const seen = await lines(faulty);
    const bad = CALLED.replace('nine 285', 'nine 1');
    assert.equal(seen.filter((line) => line === bad).length, 1, faulty.transcript());
    assert.equal(seen.filter((line) => line === CALLED).length, 3);
    await waitFor('counts', async () => ((await counters(scratch, 'two'))['fault 1: calls'] ?? 0) > 5, 20);
    const made = await scratch.checkpoint('two');
    const counted = (
      await scratch.json<{ virtual: string; real: string }[]>(['tables', 'plugin', '--snapshot', made.snapshot])
    ).find(({ virtual }) => virtual === 'fault 1: calls');
    assert.ok(Number(counted?.real) > 5);
    // It has had its second call.
    const on = scratch.cairnProgram(['restart', made.snapshot, '--session', 'three']);
    assert.ok(
      (await lines(on)).every((line) => line === CALLED),
      on.transcript(),
    );
    const other = scratch.cairnProgram([
      'restart',
      made.snapshot,
      '--session',
      'four',
      ...settings(scratch, [{ function: 'pair', returnDouble: 9 }]),
    ]);
    assert.equal(await next(other, /^called nine/), CALLED.replace('pair 3 1.5', 'pair 9 0'));
    assert.deepEqual(Object.keys(await counters(scratch, 'four')), ['fault 1: calls', 'fault 1: injected', 'fault 1: effective']);
    const without = scratch.cairnProgram(['restart', made.snapshot, '--session', 'five', '--without', 'fault-calls']);
    assert.equal(await next(without, /^called nine/), CALLED);
    await ends(scratch, started, faulty, on, other, without);
  }));

test('settings that cannot be right are refused by name: before the start where the schema knows it, else in the process', () =>
  withScratch(async (scratch) => {
    writeFileSync(end(scratch), '');
    const run = (...plugin: string[]) => scratch.cairn(['run', '--session', 'one', ...plugin, '--', program, end(scratch)]);
    const wrong = await run(...settings(scratch, [{ function: 'nine', wrong: 1 }]));
    assert.notEqual(wrong.status, 0);
    assert.match(wrong.stderr, /wrong/);
    for (const [fault, why] of [
      [{ function: 'nine' }, /fault 1: it does nothing/],
      [{ function: 'nine', return: 0, calls: { first: 3, last: 2 } }, /fault 1: "calls": the first one is 1/],
    ] as const)
      assert.match((await run(...settings(scratch, [fault]))).stderr, why);
    const none = await run('--plugin', 'fault-nothing');
    assert.notEqual(none.status, 0);
    assert.match(none.stderr, /fault-nothing.*no such file/);
  }));
