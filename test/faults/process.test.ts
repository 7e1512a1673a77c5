/**
 * Faults in a process (native-agent/faults/process): bits of memory by symbol, mapping and address, registers of a thread, an instruction that is left
 * out; at a restart, after a time, in a call. Each is what the program is seen to do, and nothing else is otherwise.
 */
import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Run } from '../../debug-adapter/src/protocol/campaign.js';
import { compile } from '../probes/catalogue.js';
import { waitFor } from '../support/processes.js';
import type { Program } from '../support/program.js';
import { type Scratch, withScratch } from '../support/scratch.js';
import { inTree } from '../support/tree.js';

const folder = inTree('build/test/faults');
const program = join(folder, 'process_victim');

test.before(async () => {
  await compile(inTree('test/faults/process_library.c'), join(folder, 'libprocess_library.so'), ['-shared', '-fPIC']);
  const flags = ['-O1', '-pthread', `-L${folder}`, '-Wl,-rpath,$ORIGIN', '-lprocess_library'];
  await compile(inTree('test/faults/process_victim.c'), program, flags);
});

type Fault = Record<string, unknown>;

const RIGHT = 'table 10,20,30,40 hidden 7 heap 77 rbx 1000 xmm 1000 missed 0 same 20';

async function snapshot(scratch: Scratch, ...args: string[]): Promise<void> {
  const started = scratch.cairnProgram(['run', '--session', 'roi', '--', program, ...args]);
  await started.line(/^ready$/);
  if (args.length === 0) await started.line(/^table/);
  await scratch.checkpoint('roi', '--name', 'roi', '--then', 'kill');
  await started.exit();
}

let settings = 0;

function plugin(scratch: Scratch, faults: readonly Fault[]): string[] {
  const file = join(scratch.folder, `faults${settings++}.json`);
  writeFileSync(file, JSON.stringify({ faults }));
  return ['--plugin', `fault-process=${file}`];
}

const restart = (scratch: Scratch, session: string, faults: readonly Fault[]): Program =>
  scratch.cairnProgram(['restart', 'roi', '--session', session, ...plugin(scratch, faults)]);

async function table(scratch: Scratch, session: string): Promise<Record<string, string>> {
  const rows = await scratch.json<{ virtual: string; real: string; owner: string }[]>(['tables', 'plugin', '--session', session]);
  return Object.fromEntries(rows.map(({ virtual, real }) => [virtual, real]));
}

async function ends(scratch: Scratch, one: Program): Promise<void> {
  writeFileSync(join(scratch.work, 'end'), '');
  assert.equal(await one.exit(), 0, one.transcript());
  rmSync(join(scratch.work, 'end'));
}

test('each fault is where it is said, when it is said, and nothing else is otherwise', () =>
  withScratch(async (scratch) => {
    await snapshot(scratch);
    const cases: [string, Fault, string][] = [
      ['symbol', { memory: { symbol: 'table', object: 'process_victim', index: 2, size: 4 }, bits: [0] }, '10,20,31,40'],
      ['static', { memory: { symbol: 'hidden', source: 'process_victim.c' }, bits: [3], when: { afterUs: 50_000 } }, 'hidden 15'],
      ['register', { register: 'rbx', thread: 'worker', bits: [4] }, 'rbx 1010 xmm 1000'],
      ['second', { register: 'rbx', thread: 2, bits: [5], when: { afterProcessorUs: 20_000 } }, 'rbx 1020 xmm 1000'],
      ['vector', { register: 'xmm5', thread: 'worker', bits: [1], when: { fromUs: 10_000, toUs: 60_000 } }, 'rbx 1000 xmm 1002'],
      ['vector at once', { register: 'ymm5', thread: 'worker', bits: [1] }, 'rbx 1000 xmm 1002'],
      ['argument', { register: 'rdi', bits: [8], when: { function: 'same', calls: { nth: 3 } } }, 'same 120'],
      ['skip', { instruction: 'skip', when: { function: 'bump', calls: { nth: 2 } } }, 'missed 1'],
      ['in a call', { memory: { symbol: 'table' }, bits: [2], when: { function: 'same', calls: { nth: 4 } } }, 'table 14,'],
      ['other in a call', { register: 'rbx', thread: 'worker', bits: [6], when: { function: 'bump' } }, 'rbx 1040'],
    ];
    for (const [index, [what, fault, expected]] of cases.entries()) {
      const again = restart(scratch, `r${index}`, [fault]);
      await again.line(new RegExp(expected.replaceAll('.', '\\.')), 20);
      const found = await table(scratch, `r${index}`);
      assert.equal(found['fault 1: was'], 'effective', what);
      await ends(scratch, again);
      // One thing alone is otherwise, and what lasts for a call is over with it.
      const differs = again.lines.filter((line) => line.startsWith('table') && line !== RIGHT);
      const parts = (line: string): string[] => line.split(' ');
      for (const line of differs) {
        const others = parts(line).filter((part, at) => part !== parts(RIGHT)[at]);
        assert.equal(others.length, 1, `${what}: ${line}`);
      }
      if (what === 'argument') assert.equal(again.lines.at(-1), RIGHT);
    }
  }));

test('a thread that waits in a system call stands at it: left out, the call gives what its register had', () =>
  withScratch(async (scratch) => {
    await snapshot(scratch, 'wait');
    const SYS_pause = 34;
    const again = restart(scratch, 'skip', [{ instruction: 'skip' }]);
    await again.line(new RegExp(`^pause gave ${SYS_pause}$`));
    assert.equal(await again.exit(), 0);
    const late = restart(scratch, 'late', [{ instruction: 'skip', when: { afterUs: 100_000 } }]);
    await late.line(new RegExp(`^pause gave ${SYS_pause}$`));
    assert.equal(await late.exit(), 0);
    // What the call's beginning loses is said to be lost, and changes nothing.
    const lost = restart(scratch, 'lost', [
      { register: 'rcx', bits: [1] },
      { register: 'rcx', bits: [1], when: { afterUs: 1000 } },
    ]);
    await waitFor('both', async () => {
      const found: Record<string, string> = await table(scratch, 'lost').catch(() => ({}));
      return found['fault 1: was'] === 'overwritten' && found['fault 2: was'] === 'overwritten';
    });
    assert.deepEqual((await scratch.cairn(['stop', '--session', 'lost', '--grace', '1'])).status, 0);
    await lost.exit();
  }));

test('by a mapping and an address; the same seed is the same place; what cannot be is said with its reason, and harms nothing', () =>
  withScratch(async (scratch) => {
    await snapshot(scratch);
    const faults: Fault[] = [
      { memory: { mapping: 'heap' }, seed: 5 },
      { memory: { mapping: 'process_victim', writable: true }, seed: 5, bits: [0] },
      { memory: { mapping: 'stack', offset: 8 }, program: 'another' },
      { memory: { symbol: 'nobody_has_this' } },
      { memory: { symbol: 'table', index: 4, size: 4 } },
      { memory: { address: '0x10' }, bits: [0] },
      { register: 'rbx', thread: 'nobody' },
      { register: 'rflags', bits: [9], thread: 'worker' },
      { memory: { mapping: 'heap', offset: 1_000_000_000_000 } },
    ];
    const places: (string | undefined)[][] = [];
    for (const session of ['one', 'two']) {
      const again = restart(scratch, session, faults);
      await again.line(/^table/, 20).catch(() => undefined);
      const found = await table(scratch, session);
      places.push([found['fault 1: at'], found['fault 2: at']]);
      const was = faults.map((_, index) => found[`fault ${index + 1}: was`]);
      assert.deepEqual(
        was,
        ['effective', 'effective', undefined, ...Array.from({ length: 6 }, () => 'impossible')],
        scratch.logs(session),
      );
      await scratch.cairn(['stop', '--session', session, '--grace', '1']);
      await again.exit();
      const log = scratch.logs(session);
      for (const why of [
        'no object that is mapped has the symbol',
        'no such thread',
        'cannot have that flag',
        'object is smaller',
        'there is no memory',
        'ends before that offset',
      ])
        assert.match(log, new RegExp(why));
    }
    assert.deepEqual(places[0], places[1]);
    assert.match(places[0]?.[0] ?? '', /^0x[0-9a-f]+$/);
    const address = places[0]?.[0] ?? '';
    const by = restart(scratch, 'three', [{ memory: { address }, bits: [0] }]);
    const at = async (): Promise<string | undefined> => (await table(scratch, 'three'))['fault 1: at'];
    assert.equal(await waitFor('its table', () => at().catch(() => undefined)), address);
    await scratch.cairn(['stop', '--session', 'three', '--grace', '1']);
    await by.exit();
  }));

test('a campaign of them: each place at each moment is a fault, and its outcome is what the program does with it', () =>
  withScratch(async (scratch) => {
    await compile(inTree('test/faults/campaign_program.c'), join(folder, 'campaign_program'), []);
    writeFileSync(join(scratch.work, 'data'), 'a'.repeat(200));
    writeFileSync(join(scratch.work, 'hold'), '');
    const started = scratch.cairnProgram(['run', '--session', 'roi', '--', join(folder, 'campaign_program')]);
    await started.line(/^ready$/);
    await scratch.checkpoint('roi', '--name', 'roi', '--then', 'kill');
    await started.exit();
    rmSync(join(scratch.work, 'hold'));
    const file = join(scratch.work, 'all.yaml');
    const calls = { function: 'read', first: 1, last: 2 };
    const models = [
      { name: 'arguments', process: { registers: ['rdx', 'rdi'], bits: [3], calls } },
      // A byte of the block that the call before has filled would be gone: of the heap, which it does not use, nothing is seen.
      { name: 'heap', process: { memory: { mapping: 'heap' }, chance: 2, calls: { ...calls, last: 1 } } },
      { name: 'none', process: { memory: { symbol: 'nobody_has_this' }, bits: [0] } },
    ];
    writeFileSync(file, JSON.stringify({ snapshot: 'roi', store: scratch.store, models, detect: { status: [3] } }));
    const { status, stderr } = await scratch.cairn(['campaign', 'run', file, '--json'], { seconds: 200 });
    assert.equal(status, 1, stderr);
    assert.match(stderr, /1 runs could not be made/);
    const runs = await scratch.json<Run[]>(['campaign', 'show', file]);
    assert.deepEqual(
      runs.map(({ model, outcome, effective }) => [model, outcome, effective]),
      [
        ...Array.from({ length: 4 }, () => ['arguments', 'detected', true]),
        ['heap', 'masked', true],
        ['heap', 'masked', true],
        ['none', 'toolError', null],
      ],
    );
    assert.equal(runs[0]?.fault, 'rdx bit 3 before call 1 of read');
    assert.match(runs[4]?.injection ?? '', /^effective: at 0x/);
    assert.match(runs[6]?.deviation ?? '', /no object that is mapped has the symbol/);
    assert.notEqual(runs[4]?.injection, runs[5]?.injection);
  }));

test('at a start, too; settings that cannot be right are refused by name', () =>
  withScratch(async (scratch) => {
    const run = ['run', '--session', 'one'];
    const begun = scratch.cairnProgram([...run, ...plugin(scratch, [{ memory: { symbol: 'table' }, bits: [0] }]), '--', program]);
    await begun.line(/^table 11,20/);
    await ends(scratch, begun);
    for (const [fault, why] of [
      [{ register: 'rbx', instruction: 'skip' }, /fault 1: it needs one of/],
      [{ register: 'rbx', bits: [64] }, /fault 1: the register has fewer bits/],
      [{ memory: {} }, /fault 1: "memory" is a symbol/],
      [{ register: 'rbx', when: { afterUs: 1, function: 'f' } }, /fault 1: "when" has one of/],
    ] as const) {
      const refused = await scratch.cairn([...run, ...plugin(scratch, [fault]), '--', program]);
      assert.notEqual(refused.status, 0);
      assert.match(refused.stderr, why);
    }
    assert.match((await scratch.cairn([...run, ...plugin(scratch, [{ register: 'eax' }]), '--', program])).stderr, /register/);
  }));
