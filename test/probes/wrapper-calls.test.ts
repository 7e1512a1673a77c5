/** `cairn plugin trace --calls`: calls of plugins' wrappers, one by one; what a call is like; what is left when nobody looks any more. */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { WrapperCall } from '../../debug-adapter/src/protocol/control.js';
import { waitFor } from '../support/processes.js';
import type { Program } from '../support/program.js';
import { type Scratch, withScratch } from '../support/scratch.js';
import { compile, lacks32Bit, probeOutput, probeSources } from './catalogue.js';

type Bits = 64 | 32;

const functions = ['many', 'large', 'pair', 'longer', 'listed', 'throwing', 'jumping', 'wide'].map((name) => `odd_${name}`);

/** The program with two layers of plugins on each function, and the file that ends it. */
async function start(scratch: Scratch, bits: Bits, ...args: string[]): Promise<{ program: Program; end: string }> {
  const folder = join(probeOutput, `odd_calls${bits}`);
  mkdirSync(folder, { recursive: true });
  const source = join(probeSources, 'tools/odd_calls.cpp');
  const kind = bits === 32 ? ['-m32'] : [];
  const shared = [...kind, '-O2', '-shared', '-fPIC', '-fvisibility=hidden', '-Wno-psabi'];
  await compile(source, join(folder, 'libodd.so'), [...shared, '-DLIBRARY', '-Wl,-soname,libodd.so']);
  for (const name of ['low', 'high'])
    await compile(source, join(folder, `${name}.so`), [...shared, '-DPLUGIN', `-DNAME="${name}"`]);
  await compile(source, join(folder, 'odd'), [...kind, '-O2', '-Wno-psabi', `-L${folder}`, '-Wl,-rpath,$ORIGIN', '-lodd']);
  const end = join(scratch.folder, 'end');
  const plugins = ['low', 'high'].flatMap((name) => ['--plugin', join(folder, `${name}.so`)]);
  const run = ['run', '--session', 'odd', ...plugins, '--', join(folder, 'odd'), end, ...args];
  const program = scratch.cairnProgram(run);
  await program.line(/^right 0$/);
  return { program, end };
}

async function goesOn(program: Program): Promise<void> {
  await program.line(/^right /, 20, program.lines.length);
}

/** What was told until `work` was done. */
async function traced(scratch: Scratch, work: () => Promise<void>) {
  const trace = scratch.cairnProgram(['plugin', 'trace', '--session', 'odd', '--calls', '--json']);
  const calls = (): WrapperCall[] =>
    trace.lines.filter((line) => line.includes('"function"')).map((line) => JSON.parse(line) as WrapperCall);
  await waitFor('the first calls', () => calls().length > 0);
  await work();
  trace.signal('SIGINT');
  assert.equal(await trace.exit(), 0, trace.transcript());
  return { calls: calls(), said: trace.stderr };
}

for (const bits of [64, 32] as const)
  test(`each call of a wrapper is told, whatever its arguments and however it ends; the program computes the same (${bits} bits)`, async (t) => {
    const lacking = bits === 32 ? await lacks32Bit() : '';
    if (lacking !== '') return t.skip(lacking);
    return withScratch(async (scratch) => {
      const { program, end } = await start(scratch, bits);
      const began = Date.now();
      let snapshot = '';
      const { calls, said } = await traced(scratch, async () => {
        await goesOn(program);
        ({ snapshot } = await scratch.checkpoint('odd'));
        await goesOn(program);
      });
      assert.equal(said, '');
      for (const plugin of ['low', 'high'])
        for (const name of functions) {
          const of = calls.filter((call) => call.plugin === plugin && call.function === name);
          // Those that do not return are not seen.
          const returns = name !== 'odd_throwing' && name !== 'odd_jumping';
          assert.equal(of.length > 5, returns, `${name} of ${plugin}: ${of.length} of ${calls.length}`);
        }
      const pid = await scratch.application(program);
      for (const { virtualPid, thread, program: name, atUs, ms } of calls) {
        assert.deepEqual([virtualPid, thread, name], [pid, pid, 'odd']);
        assert.ok(atUs / 1000 > began - 1000 && atUs / 1000 < Date.now() && ms >= 0 && ms < 5000);
      }
      const inside =
        (outer: WrapperCall) =>
        (one: WrapperCall): boolean =>
          one.plugin === 'low' && one.function === outer.function && one.atUs >= outer.atUs && one.ms <= outer.ms;
      const outer = calls.filter(({ plugin, function: name }) => plugin === 'high' && name === 'odd_pair').slice(0, 5);
      assert.ok(outer.every((one) => calls.some(inside(one))));

      // It was made while calls were traced, and there is nobody who wants to know them.
      const again = scratch.cairnProgram(['restart', snapshot, '--session', 'again']);
      await goesOn(again);
      writeFileSync(end, '');
      assert.equal(await program.exit(), 0, program.transcript());
      assert.equal(await again.exit(), 0, again.transcript());
    });
  });

test('calls that come faster than they are read are counted, and keep nobody waiting', () =>
  withScratch(async (scratch) => {
    const { program, end } = await start(scratch, 64, 'busy');
    const { calls, said } = await traced(scratch, async () => {
      await goesOn(program);
      await sleep(500);
    });
    assert.match(said, /\d+ calls more were not noted/);
    assert.ok(calls.length > 1000, `${calls.length}`);
    await goesOn(program);
    writeFileSync(end, '');
    assert.equal(await program.exit(), 0, program.transcript());
  }));
