/**
 * Plugins from outside that wrap functions of libraries (`cairn_wrap` of cairn/plugin.h): which calls come through them, in which order, and
 * from when on; and the examples of native-agent/examples/interposition. Real programs, libraries of third parties, every way of a call.
 */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { waitFor } from '../support/processes.js';
import type { Program } from '../support/program.js';
import { type Scratch, withScratch } from '../support/scratch.js';
import { inTree } from '../support/tree.js';
import { compile, lacks32Bit, probeOutput, probeSources } from './catalogue.js';

const source = (name: string): string => join(probeSources, 'tools', name);

interface Built {
  program: string;
  plug: string;
  layer: (name: string) => string;
}

/** The program, its libraries and three plugins. */
async function build(bits: 32 | 64): Promise<Built> {
  const folder = join(probeOutput, 'interposition', String(bits));
  mkdirSync(folder, { recursive: true });
  const kind = bits === 32 ? ['-m32'] : [];
  const shared = [...kind, '-shared', '-fPIC'];
  const library = (name: string, ...flags: string[]): Promise<void> =>
    compile(source('wrapped_library.c'), join(folder, `lib${name}.so`), [
      ...shared,
      `-D${name.toUpperCase()}`,
      `-Wl,-soname,lib${name}.so`,
      ...flags,
    ]);
  const linked = [`-L${folder}`, '-Wl,-rpath,$ORIGIN'];
  await library('third');
  await library('caller', '-Wl,-z,now,-z,relro', ...linked, '-lthird');
  await library('plug', ...linked, '-lthird');
  const program = join(folder, 'wrapped');
  await compile(source('wrapped.c'), program, [...kind, '-rdynamic', ...linked, '-lcaller', '-lthird', '-ldl']);
  for (const name of ['low', 'middle', 'high'])
    await compile(source('layer_plugin.c'), join(folder, `${name}.so`), [...shared, '-fvisibility=hidden', `-DNAME="${name}"`]);
  return { program, plug: join(folder, 'libplug.so'), layer: (name) => join(folder, `${name}.so`) };
}

interface Layer {
  name: string;
  times: number;
  plus: number;
}
const low: Layer = { name: 'low', times: 2, plus: 1 };
const middle: Layer = { name: 'middle', times: 3, plus: 5 };
const high: Layer = { name: 'high', times: 1, plus: 7 };
const everything = 'third_value,plug_value,program_value,toupper,strlen,getpid,nobody_has_this';

/** What `--plugin` takes. */
function given(scratch: Scratch, built: Built, { name, times, plus }: Layer, functions = everything): string[] {
  const file = join(scratch.folder, `${name}.${functions.length}.json`);
  writeFileSync(file, JSON.stringify({ times, plus, functions }));
  return ['--plugin', `${built.layer(name)}=${file}`];
}

/** From the application down. */
const down = (layers: readonly Layer[], value: number): number =>
  layers.reduce((passed, { times, plus }) => passed * times + plus, value);
/** Of a function whose result is changed on its way up. */
const up = (layers: readonly Layer[], value: number): number => down([...layers].reverse(), value);

const upperOf = (value: number): number => (value >= 97 && value <= 122 ? value - 32 : value);

interface Expected {
  /** From the application down. */
  layers: readonly Layer[];
  /** Those that came before the program took pointers of its own. */
  kept?: readonly Layer[];
  pid: number;
}

function expectedLine({ layers, kept = layers }: Expected): string {
  const third = (value: number): number => down(layers, value) * 10;
  const program = down(layers, 6) * 7;
  return [
    ['third', third(1)],
    ['library', third(2)],
    ['table', third(3)],
    ['name', third(4)],
    ['kept', down(kept, 5) * 10],
    ['plug', down(layers, 4) * 3],
    ['load', third(7)],
    ['inside', third(5)],
    ['program', program],
    // Bound within the program, by the compiler.
    ['own', 42],
    ['upper', upperOf(down(layers, 97))],
    ['length', up(layers, 4)],
    ['next', third(8)],
    ['version', upperOf(down(layers, 98))],
  ]
    .map(([name, value]) => `${name} ${value}`)
    .join(' ');
}

/** From now on: at first a line, and a library, may be of before. */
async function expectCalls(program: Program, expected: Expected): Promise<void> {
  let from = program.lines.length;
  await program.line(/^own pid/, 20, from);
  await program.line(/^third /, 20, program.lines.length);
  from = program.lines.length;
  for (let i = 0; i < 3; i++) {
    assert.equal(await program.line(/^third /, 20, from), expectedLine(expected), program.transcript());
    assert.equal(await program.line(/^own pid/, 20, from), `own pid ${up(expected.layers, expected.pid)}`, program.transcript());
    from = program.lines.length;
  }
}

interface WayOfCall {
  name: string;
  library: string;
  layers: { plugin: string; what: string; calls?: number }[];
}

async function waysOf(scratch: Scratch, session: string): Promise<WayOfCall[]> {
  const processes = await scratch.json<{ wraps: WayOfCall[] }[]>(['plugins', '--session', session]);
  return processes[0]?.wraps ?? [];
}

const pluginsOf = (ways: readonly WayOfCall[], name: string): string[] =>
  ways.find((one) => one.name === name)?.layers.map(({ plugin }) => plugin) ?? [];

const pidOf = async (program: Program): Promise<number> => Number((await program.line(/^pid /)).split(' ')[1]);

async function ends(program: Program, end: string): Promise<void> {
  writeFileSync(end, '');
  assert.equal(await program.exit(), 0, program.transcript());
}

const withBits = (name: string, work: (built: Built, scratch: Scratch, end: string) => Promise<void>): void => {
  for (const bits of [64, 32] as const)
    test(`${name} (${bits} bits)`, async (t) => {
      const lacking = bits === 32 ? await lacks32Bit() : '';
      if (lacking !== '') return t.skip(lacking);
      const built = await build(bits);
      return withScratch((scratch) => work(built, scratch, join(scratch.work, 'end')));
    });
};

for (const [first, second] of [
  [low, middle],
  [middle, low],
] as const)
  withBits(
    `given at launch, ${second.name} is above ${first.name}: it sees what the application passes on, and that sees what it passes on`,
    async (built, scratch, end) => {
      const plugins = [...given(scratch, built, first), ...given(scratch, built, second)];
      const program = scratch.cairnProgram(['run', '--session', 'one', ...plugins, '--', built.program, built.plug, end]);
      const layers = [second, first];
      const real = await scratch.application(program);
      assert.equal(await pidOf(program), up(layers, real));
      await expectCalls(program, { layers, pid: real });
      const ways = await waysOf(scratch, 'one');
      assert.deepEqual(pluginsOf(ways, 'third_value'), [second.name, first.name]);
      assert.deepEqual(pluginsOf(ways, 'getpid'), [second.name, first.name, 'cairn']);
      assert.equal(ways.find(({ name }) => name === 'getpid')?.library, 'libc.so.6');
      assert.equal(ways.find(({ name }) => name === 'program_value')?.library, 'the program');
      const calls = ways.find(({ name }) => name === 'third_value')?.layers.map((one) => one.calls ?? 0) ?? [];
      assert.ok(calls.length === 2 && calls.every((count) => count > 20), calls.join(', '));
      assert.match(ways.find(({ name }) => name === 'nobody_has_this')?.layers[0]?.what ?? '', /^waits for a library/);
      const { stdout } = await scratch.cairn(['plugins', '--session', 'one']);
      assert.match(
        stdout,
        new RegExp(`application > ${second.name} \\(\\d+ calls\\) > ${first.name} \\(\\d+ calls\\) > cairn > libc\\.so\\.6`),
      );
      // In the snapshot, too.
      const { snapshot } = await scratch.checkpoint('one');
      await expectCalls(program, { layers, pid: real });
      const again = scratch.cairnProgram(['restart', snapshot, '--session', 'two']);
      await again.line(/^third /);
      await expectCalls(again, { layers, pid: real });
      await ends(program, end);
      assert.equal(await again.exit(), 0, again.transcript());
    },
  );

withBits('given at a restart, a plugin wraps what the program bound long before', async (built, scratch, end) => {
  const program = scratch.cairnProgram(['run', '--session', 'one', '--', built.program, built.plug, end]);
  const pid = await pidOf(program);
  await expectCalls(program, { layers: [], pid });
  const { snapshot } = await scratch.checkpoint('one', '--name', 'bare');
  const plugins = [...given(scratch, built, low), ...given(scratch, built, middle)];
  const two = scratch.cairnProgram(['restart', snapshot, '--session', 'two', ...plugins]);
  await two.line(/^third /);
  await expectCalls(two, { layers: [middle, low], kept: [], pid });
  assert.deepEqual(pluginsOf(await waysOf(scratch, 'two'), 'getpid'), ['middle', 'low', 'cairn']);
  // Once more, with another one above those.
  await scratch.checkpoint('two', '--name', 'both');
  await expectCalls(two, { layers: [middle, low], kept: [], pid });
  const three = scratch.cairnProgram(['restart', 'both', '--session', 'three', ...given(scratch, built, high)]);
  await three.line(/^third /);
  await expectCalls(three, { layers: [high, middle, low], kept: [], pid });
  // The run that knows of no plugin.
  await expectCalls(program, { layers: [], pid });
  await ends(program, end);
  for (const other of [two, three]) assert.equal(await other.exit(), 0, other.transcript());
});

withBits('what a plugin no longer wraps at a restart comes to the next layer', async (built, scratch, end) => {
  const plugins = [...given(scratch, built, low), ...given(scratch, built, middle)];
  const program = scratch.cairnProgram(['run', '--session', 'one', ...plugins, '--', built.program, built.plug, end]);
  const real = await scratch.application(program);
  await expectCalls(program, { layers: [middle, low], pid: real });
  await scratch.checkpoint('one', '--name', 'both');
  const without = given(scratch, built, middle, 'nothing');
  const two = scratch.cairnProgram(['restart', 'both', '--session', 'two', ...without]);
  await two.line(/^third /);
  // What the program has kept leads into the wrapper still, and on from there.
  await expectCalls(two, { layers: [low], kept: [middle, low], pid: real });
  await scratch.checkpoint('two', '--name', 'one of them');
  const three = scratch.cairnProgram(['restart', 'one of them', '--session', 'three', ...given(scratch, built, low, 'nothing')]);
  await three.line(/^third /);
  await expectCalls(three, { layers: [], kept: [middle, low], pid: real });
  await ends(program, end);
  for (const other of [two, three]) assert.equal(await other.exit(), 0, other.transcript());
});

withBits('a plugin that a restart takes out wraps nothing any more; given again it is above all', async (built, scratch, end) => {
  const plugins = [low, middle, high].flatMap((layer) => given(scratch, built, layer));
  const program = scratch.cairnProgram(['run', '--session', 'one', ...plugins, '--', built.program, built.plug, end]);
  const real = await scratch.application(program);
  await expectCalls(program, { layers: [high, middle, low], pid: real });
  await scratch.checkpoint('one', '--name', 'three of them');
  const two = scratch.cairnProgram(['restart', 'three of them', '--session', 'two', '--without', 'middle']);
  await two.line(/^third /);
  await expectCalls(two, { layers: [high, low], pid: real });
  assert.deepEqual(pluginsOf(await waysOf(scratch, 'two'), 'getpid'), ['high', 'low', 'cairn']);
  await scratch.checkpoint('two', '--name', 'two of them');
  const three = scratch.cairnProgram(['restart', 'two of them', '--session', 'three', ...given(scratch, built, middle)]);
  await three.line(/^third /);
  await expectCalls(three, { layers: [middle, high, low], kept: [high, low], pid: real });
  // Of none of them, though the program has kept a pointer to the highest one's.
  const all = ['high', 'middle', 'low'].flatMap((name) => ['--without', name]);
  const none = scratch.cairnProgram(['restart', 'three of them', '--session', 'none', ...all]);
  await none.line(/^third /);
  await expectCalls(none, { layers: [], kept: [high, middle, low], pid: real });
  assert.deepEqual(await waysOf(scratch, 'none'), []);
  await ends(program, end);
  for (const other of [two, three, none]) assert.equal(await other.exit(), 0, other.transcript());
});

withBits('a restart puts wrappers into other layers, and they stay there', async (built, scratch, end) => {
  const plugins = [low, middle, high].flatMap((layer) => given(scratch, built, layer));
  const program = scratch.cairnProgram(['run', '--session', 'one', ...plugins, '--', built.program, built.plug, end]);
  const real = await scratch.application(program);
  await expectCalls(program, { layers: [high, middle, low], pid: real });
  await scratch.checkpoint('one', '--name', 'first order');
  const two = scratch.cairnProgram(['restart', 'first order', '--session', 'two', '--order', 'high,low,middle']);
  await two.line(/^third /);
  // The program's own pointer leads to the one that was the highest, and is the lowest now.
  await expectCalls(two, { layers: [middle, low, high], kept: [high], pid: real });
  assert.deepEqual(pluginsOf(await waysOf(scratch, 'two'), 'getpid'), ['middle', 'low', 'high', 'cairn']);
  await scratch.checkpoint('two', '--name', 'other order');
  const three = scratch.cairnProgram(['restart', 'other order', '--session', 'three']);
  await three.line(/^third /);
  await expectCalls(three, { layers: [middle, low, high], kept: [high], pid: real });
  await ends(program, end);
  for (const other of [two, three]) assert.equal(await other.exit(), 0, other.transcript());
});

test('checkpoints while libraries come and go, whose functions are wrapped', async () => {
  const built = await build(64);
  await withScratch(async (scratch) => {
    const end = join(scratch.work, 'end');
    const plugins = [...given(scratch, built, low), ...given(scratch, built, middle)];
    const program = scratch.cairnProgram(['run', '--session', 'one', ...plugins, '--', built.program, built.plug, end, 'busy']);
    const real = await scratch.application(program);
    for (let i = 0; i < 8; i++) {
      const { snapshot } = await scratch.checkpoint('one');
      await expectCalls(program, { layers: [middle, low], pid: real });
      if (i % 4 !== 0) continue;
      const session = `again${i}`;
      const again = scratch.cairnProgram(['restart', snapshot, '--session', session]);
      await again.line(/^third /);
      await expectCalls(again, { layers: [middle, low], pid: real });
      await scratch.json(['stop', '--session', session]);
    }
    await ends(program, end);
  });
});

test('a plugin that refuses to start leaves no wrapper behind; a restart with it is refused', async () => {
  const built = await build(64);
  await withScratch(async (scratch) => {
    const end = join(scratch.work, 'end');
    const unwilling = given(scratch, built, high, `${everything},refuse`);
    const program = scratch.cairnProgram([
      'run',
      '--session',
      'one',
      ...given(scratch, built, low),
      '--',
      built.program,
      built.plug,
      end,
    ]);
    const real = await scratch.application(program);
    await expectCalls(program, { layers: [low], pid: real });
    await scratch.checkpoint('one', '--name', 'low');
    const refused = scratch.cairnProgram(['restart', 'low', '--session', 'two', ...unwilling]);
    assert.equal(await refused.exit(), 1);
    assert.match(refused.stderr, /the settings ask to refuse/);
    const three = scratch.cairnProgram([
      'run',
      '--session',
      'three',
      ...given(scratch, built, low),
      ...unwilling,
      '--',
      built.program,
      built.plug,
      end,
    ]);
    await expectCalls(three, { layers: [low], pid: await scratch.application(three) });
    await ends(program, end);
    assert.equal(await three.exit(), 0, three.transcript());
  });
});

test('a program that is attached has its calls wrapped, too', async () => {
  const built = await build(64);
  await withScratch(async (scratch) => {
    const end = join(scratch.work, 'end');
    const program = scratch.start([built.program, built.plug, end]);
    const pid = await pidOf(program);
    const { status, stderr } = await scratch.cairn([
      'attach',
      String(pid),
      '--session',
      'one',
      ...given(scratch, built, low),
      ...given(scratch, built, middle),
    ]);
    assert.equal(status, 0, stderr);
    await expectCalls(program, { layers: [middle, low], kept: [], pid });
    assert.deepEqual(pluginsOf(await waysOf(scratch, 'one'), 'getpid'), ['middle', 'low', 'cairn']);
    const { snapshot } = await scratch.checkpoint('one');
    await expectCalls(program, { layers: [middle, low], kept: [], pid });
    const again = scratch.cairnProgram(['restart', snapshot, '--session', 'two']);
    await again.line(/^third /);
    await expectCalls(again, { layers: [middle, low], kept: [], pid });
    await ends(program, end);
    assert.equal(await again.exit(), 0, again.transcript());
  });
});

// ---- The examples -------------------------------------------------------------------------------------------------------

const example = (name: string): string => inTree(`native-agent/examples/interposition/${name}`);

interface Examples {
  bench: string;
  plugin: (name: 'timing' | 'on_error' | 'counting') => string;
}

async function buildExamples(): Promise<Examples> {
  const folder = join(probeOutput, 'interposition');
  mkdirSync(folder, { recursive: true });
  await compile(example('model.c'), join(folder, 'libmodel.so.1'), ['-shared', '-fPIC', '-Wl,-soname,libmodel.so.1']);
  await compile(example('bench.c'), join(folder, 'bench'), [join(folder, 'libmodel.so.1'), '-Wl,-rpath,$ORIGIN']);
  for (const name of ['timing', 'on_error', 'counting'])
    await compile(example(`${name}.c`), join(folder, `${name}.so`), ['-shared', '-fPIC', '-fvisibility=hidden']);
  return { bench: join(folder, 'bench'), plugin: (name) => join(folder, `${name}.so`) };
}

const logOf = (scratch: Scratch, session: string): string =>
  readFileSync(join(scratch.runtime, 'cairn', session, 'coordinator.log'), 'utf8');

test('the example "timing": at the level that the settings name, since the restart', async () => {
  const { bench, plugin } = await buildExamples();
  await withScratch(async (scratch) => {
    const end = join(scratch.work, 'end');
    const settings = (level: string): string => {
      const file = join(scratch.folder, `${level}.json`);
      writeFileSync(file, JSON.stringify({ level }));
      return `${plugin('timing')}=${file}`;
    };
    const program = scratch.cairnProgram(['run', '--session', 'one', '--', bench, end]);
    await program.line(/^step 500 /);
    await scratch.checkpoint('one', '--name', 'before');
    let said = '';
    for (const [level, pattern] of [
      ['total', /timing: model_step: (\d+) calls, \d+ ns, the longest \d+ ns(?!;)/],
      ['histogram', /timing: model_step: (\d+) calls, \d+ ns, the longest \d+ ns; below \d+ us: \d+/],
      ['each', /timing: model_step\(10\) took \d+ ns/],
    ] as const) {
      const again = scratch.cairnProgram(['restart', 'before', '--session', level, '--plugin', settings(level)]);
      const from = Number((await again.line(/^step /)).split(' ')[1]);
      await again.line(new RegExp(`^step ${from + 300} `));
      await scratch.checkpoint(level, '--name', `after ${level}`);
      said = await waitFor(`the words of ${level}`, () => pattern.exec(logOf(scratch, level))?.[0]);
      const calls = /model_step: (\d+) calls/.exec(said)?.[1];
      // Ten cycles a call, since the restart and no earlier.
      if (calls !== undefined) assert.ok(Number(calls) >= 30 && Number(calls) < 5000, said);
    }
    // Another level for a plugin that is there already, counted from this restart.
    const later = scratch.cairnProgram(['restart', 'after total', '--session', 'later', '--plugin', settings('histogram')]);
    await later.line(/^step /);
    await scratch.checkpoint('later');
    await waitFor('its words', () => /; below \d+ us: \d+/.test(logOf(scratch, 'later')) || undefined);
    await ends(program, end);
  });
});

test('the example "on-error": a checkpoint each time that the function gives an error, whose restart begins with that error', async () => {
  const { bench, plugin } = await buildExamples();
  await withScratch(async (scratch) => {
    const end = join(scratch.work, 'end');
    const settings = join(scratch.folder, 'most.json');
    writeFileSync(settings, '{"most": 2}');
    const program = scratch.cairnProgram([
      'run',
      '--session',
      'one',
      '--plugin',
      plugin('counting'),
      '--plugin',
      `${plugin('on_error')}=${settings}`,
      '--',
      bench,
      end,
    ]);
    // The third is too much.
    await program.line(/^refused 2990$/, 60);
    await program.line(/^step 3100 /, 20);
    const snapshots = (await scratch.json<{ id: string; name: string; createdAt: string }[]>(['ls'])).filter(({ name }) =>
      name.startsWith('model_step gave -16'),
    );
    assert.equal(snapshots.length, 2, JSON.stringify(snapshots));
    const ways = await waysOf(scratch, 'one');
    assert.deepEqual(pluginsOf(ways, 'model_step'), ['on-error']);
    assert.deepEqual(pluginsOf(ways, 'model_send'), ['counting']);
    // What came after it in the first run.
    const steps = (one: Program): string[] => one.lines.filter((line) => /^(step|refused) /.test(line));
    const first = steps(program);
    const at = first.indexOf('refused 990');
    const again = scratch.cairnProgram([
      'restart',
      [...snapshots].sort((a, b) => (a.createdAt < b.createdAt ? -1 : 1))[0]?.id ?? '',
      '--session',
      'two',
    ]);
    await again.line(/^step 1900 /, 30);
    const second = steps(again);
    assert.equal(second[0], 'refused 990');
    assert.deepEqual(second.slice(0, 9), first.slice(at, at + 9));
    await ends(program, end);
    assert.equal(await again.exit(), 0, again.transcript());
  });
});

test('the example "counting": what crosses its layer', async () => {
  const { bench, plugin } = await buildExamples();
  await withScratch(async (scratch) => {
    const end = join(scratch.work, 'end');
    const program = scratch.cairnProgram(['run', '--session', 'one', '--plugin', plugin('counting'), '--', bench, end]);
    await program.line(/^step 500 /);
    await scratch.checkpoint('one');
    const [, bytes = '0', calls = '0', back = '0'] = await waitFor(
      'its words',
      () =>
        /counting: (\d+) bytes in (\d+) calls went down, (\d+) bytes in \d+ calls came up/.exec(logOf(scratch, 'one')) ??
        undefined,
    );
    assert.equal(Number(bytes), Number(calls) * 32);
    assert.ok(Number(calls) >= 50 && Math.abs(Number(bytes) - Number(back)) <= 32, `${bytes} ${calls} ${back}`);
    const ways = await waysOf(scratch, 'one');
    assert.ok((ways.find(({ name }) => name === 'model_send')?.layers[0]?.calls ?? 0) >= Number(calls));
    await ends(program, end);
  });
});
