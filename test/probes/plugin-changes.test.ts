/**
 * What becomes of plugins that are there already: taken out at a restart, in other layers, with other settings at a restart and while the
 * program runs; and what is refused, before anything happens. (Wrappers of functions: interposition.test.ts.)
 */
import assert from 'node:assert/strict';
import { copyFileSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { PluginStatus, ProcessStatus } from '../../debug-adapter/src/protocol/control.js';
import { waitFor } from '../support/processes.js';
import type { Program } from '../support/program.js';
import { type Scratch, withScratch } from '../support/scratch.js';
import { compile, probeSources } from './catalogue.js';
import { tool } from './tools.js';

const schema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    level: { type: 'integer', maximum: 9, description: 'How much is traced.', 'x-cairn-live': true },
    server: { type: 'string' },
    refuse: { type: 'string', 'x-cairn-live': true },
  },
};

async function build(scratch: Scratch, name: string, ...flags: string[]): Promise<string> {
  const library = join(scratch.folder, `${name}-plugin.so`);
  await compile(join(probeSources, 'tools/changing_plugin.c'), library, ['-shared', '-fPIC', `-DNAME="${name}"`, ...flags]);
  return library;
}

function givenWith(scratch: Scratch, library: string, settings: object): string[] {
  const path = join(scratch.folder, 'settings.json');
  writeFileSync(path, JSON.stringify(settings));
  return ['--plugin', `${library}=${path}`];
}

const withSchema = (library: string): void => writeFileSync(library.replace(/\.so$/, '.schema.json'), JSON.stringify(schema));

/** What plugins have said in a session, without the process: "first: running with {}". */
function said(scratch: Scratch, session: string): string[] {
  const log = readFileSync(join(scratch.runtime, 'cairn', session, 'coordinator.log'), 'utf8');
  return log.split('\n').flatMap((line) => {
    const [, name, what, settings] = /(\w+) plugin: (\w+) in \d+ with (.*)/.exec(line.replaceAll('\\"', '"')) ?? [];
    return name === undefined ? [] : [`${name} ${what} ${settings?.replace(/[}].*/, '}') ?? ''}`];
  });
}

interface Run {
  program: Program;
  goesOn: () => Promise<void>;
}

function watched(program: Program): Run {
  return {
    program,
    goesOn: async () => {
      for (let i = 0; i < 2; i++) await program.line(/^goes on$/, 20, program.lines.length);
    },
  };
}

/** Two processes that live on. */
async function begin(scratch: Scratch, session: string, ...options: string[]): Promise<Run> {
  const run = watched(
    scratch.cairnProgram(['run', '--session', session, ...options, '--', await tool('changed')], { cwd: scratch.work }),
  );
  await run.goesOn();
  await waitFor('its child', async () => (await processesOf(scratch, session)).length === 2);
  return run;
}

async function again(scratch: Scratch, snapshot: string, session: string, ...options: string[]): Promise<Run> {
  const run = watched(
    scratch.cairnProgram(['restart', snapshot, '--session', session, '--in-place', ...options], { cwd: scratch.work }),
  );
  await run.goesOn();
  return run;
}

async function ends(scratch: Scratch, ...runs: Run[]): Promise<void> {
  writeFileSync(join(scratch.work, 'end'), '');
  for (const { program } of runs) assert.equal(await program.exit(), 0, program.transcript());
}

const processesOf = async (scratch: Scratch, session: string): Promise<ProcessStatus[]> =>
  (await scratch.json<{ processes: ProcessStatus[] }>(['status', '--session', session])).processes;

/** From outside, the lowest layer first. */
const outside = (plugins: readonly PluginStatus[]): string[] =>
  [...plugins]
    .sort((a, b) => a.layer - b.layer)
    .filter(({ library }) => library !== '')
    .map(({ name }) => name);

/** The new process. */
async function startsMore(scratch: Scratch, session: string): Promise<ProcessStatus> {
  writeFileSync(join(scratch.work, `more.${session}`), '');
  let found: ProcessStatus | undefined;
  await waitFor('the new process', async () => {
    found = (await processesOf(scratch, session)).find(({ argv }) => argv[1] === 'later');
    return found !== undefined && found.plugins.length > 0;
  });
  return found ?? assert.fail();
}

test('a restart takes a plugin out: it is told nothing any more, nor are programs that begin later', () =>
  withScratch(async (scratch) => {
    const [first, second] = [await build(scratch, 'first'), await build(scratch, 'second')];
    const one = await begin(scratch, 'one', '--plugin', first, '--plugin', second);
    const { snapshot } = await scratch.checkpoint('one');
    const two = await again(scratch, snapshot, 'two', '--without', 'first');
    for (const process of await processesOf(scratch, 'two')) assert.deepEqual(outside(process.plugins), ['second']);
    assert.deepEqual(outside((await startsMore(scratch, 'two')).plugins), ['second']);
    const rows = await scratch.json<{ owner: string }[]>(['tables', 'path', '--session', 'two']);
    const owners = new Set(rows.map(({ owner }) => owner));
    assert.ok(owners.has('second') && !owners.has('first'), [...owners].join(' '));
    const next = await scratch.checkpoint('two');
    await two.goesOn();
    await waitFor(
      'the words of the other',
      () => said(scratch, 'two').filter((text) => text.startsWith('second running')).length >= 4,
    );
    const words = said(scratch, 'two');
    assert.deepEqual(
      words.filter((text) => text.startsWith('first')),
      [],
    );
    for (const word of ['restart', 'refill', 'presuspend', 'drain', 'precheckpoint'])
      assert.ok(words.includes(`second ${word} {}`), word);
    const manifest = JSON.parse(readFileSync(join(next.path, 'manifest.json'), 'utf8'));
    assert.deepEqual(manifest.plugins, [{ library: second, settings: '{}', name: 'second' }]);
    // Given again, it begins from nothing, in the highest layer.
    const three = await again(scratch, next.snapshot, 'three', '--plugin', first);
    for (const process of await processesOf(scratch, 'three')) assert.deepEqual(outside(process.plugins), ['second', 'first']);
    await waitFor('its words', () => said(scratch, 'three').includes('first running {}'));
    assert.ok(said(scratch, 'three').includes('first init {}'));
    assert.ok(said(scratch, 'one').some((text) => text.startsWith('first')));
    await ends(scratch, one, two, three);
  }));

test('a restart changes the order of layers, for events, barriers, programs that begin later, and snapshots from then on', () =>
  withScratch(async (scratch) => {
    const libraries = [await build(scratch, 'first'), await build(scratch, 'second'), await build(scratch, 'third')];
    const one = await begin(scratch, 'one', ...libraries.slice(0, 2).flatMap((library) => ['--plugin', library]));
    const { snapshot } = await scratch.checkpoint('one');
    const order = ['third', 'second', 'first'];
    // One that is given now may come below those that were there.
    const two = await again(scratch, snapshot, 'two', '--plugin', libraries[2] ?? '', '--order', 'third-plugin,second,first');
    for (const process of await processesOf(scratch, 'two')) assert.deepEqual(outside(process.plugins), order);
    assert.deepEqual(outside((await startsMore(scratch, 'two')).plugins), order);
    const next = await scratch.checkpoint('two');
    const three = await again(scratch, next.snapshot, 'three');
    for (const process of await processesOf(scratch, 'three')) assert.deepEqual(outside(process.plugins), order);
    const sequence = (session: string, what: string): string[] => {
      const found = said(scratch, session).flatMap((text) => (text.split(' ')[1] === what ? [text.split(' ')[0] ?? ''] : []));
      return found.filter((name, index) => index === 0 || found[index - 1] !== name).slice(0, 3);
    };
    await waitFor('all words', () => said(scratch, 'three').filter((text) => text.includes(' running ')).length >= 6);
    // Barriers are reached by all processes before the next one is.
    assert.deepEqual(sequence('two', 'refill'), order);
    assert.deepEqual(sequence('two', 'drain'), [...order].reverse(), said(scratch, 'two').join('\n'));
    assert.deepEqual(sequence('three', 'refill'), order);
    for (const wrong of ['first,second', 'first,second,fourth', 'first,second,third,first']) {
      const { status, stderr } = await scratch.cairn(['restart', next.snapshot, '--check', '--order', wrong]);
      assert.notEqual(status, 0, wrong);
      assert.match(stderr, /third,second,first|there are: third, second, first/);
    }
    await ends(scratch, one, two, three);
  }));

test('two plugins of one name: the second is refused, with the name', () =>
  withScratch(async (scratch) => {
    const first = await build(scratch, 'first');
    const other = join(scratch.folder, 'other.so');
    copyFileSync(first, other);
    const one = await begin(scratch, 'one', '--plugin', first, '--plugin', other);
    const { status, stderr } = await scratch.cairn(['checkpoint', '--session', 'one']);
    assert.equal(status, 1);
    assert.match(stderr, /other\.so has the name of a plugin that is there already: first/);
    await ends(scratch, one);
    rmSync(join(scratch.work, 'end'));
    // Not so where that one is taken out; and a library that is given twice is one plugin.
    const two = await begin(scratch, 'two', '--plugin', first, '--plugin', first);
    const { snapshot } = await scratch.checkpoint('two');
    const three = await again(scratch, snapshot, 'three', '--without', 'first', '--plugin', other);
    for (const { plugins } of await processesOf(scratch, 'three')) assert.deepEqual(outside(plugins), ['first']);
    const both = await scratch.cairn(['restart', snapshot, '--session', 'four', '--plugin', other]);
    assert.match(both.stderr, /other\.so has the name of a plugin that is there already: first/);
    await ends(scratch, two, three);
  }));

test('what plugins show of their own is a table, live and in each snapshot', () =>
  withScratch(async (scratch) => {
    const [first, second] = [await build(scratch, 'first'), await build(scratch, 'second')];
    const one = await begin(scratch, 'one', '--plugin', first, '--plugin', second);
    type Row = { owner: string; virtual: string; virtualPid: number };
    const shown = async (...of: string[]) =>
      (await scratch.json<Row[]>(['tables', 'plugin', ...of]))
        .map(({ virtualPid, owner, virtual }) => `${virtualPid} ${owner}: ${virtual}`)
        .sort();
    const wanted = (await processesOf(scratch, 'one'))
      .flatMap(({ virtualPid }) => ['first', 'second'].map((name) => `${virtualPid} ${name}: of ${name}`))
      .sort();
    assert.equal(wanted.length, 4);
    assert.deepEqual(await shown('--session', 'one'), wanted);
    const { snapshot } = await scratch.checkpoint('one');
    assert.deepEqual(await shown('--snapshot', snapshot), wanted);
    await ends(scratch, one);
  }));

test('settings of a plugin that the snapshot has change one by one at a restart; bad ones are refused before anything happens', () =>
  withScratch(async (scratch) => {
    const library = await build(scratch, 'first');
    withSchema(library);
    const one = await begin(scratch, 'one', ...givenWith(scratch, library, { level: 1, server: 'here' }));
    const { snapshot } = await scratch.checkpoint('one');
    for (const [text, why] of [
      ['first.level=ten', /plugin first .*"level" must be integer \(How much is traced\).*first-plugin\.schema\.json/s],
      ['first.level=10', /"level" must be <= 9/],
      ['first.levle=1', /"levle" is no setting of this plugin/],
      ['other.level=1', /no plugin "other".*there are: first/s],
      ['first', /PLUGIN\.KEY=VALUE/],
    ] as const) {
      const { status, stderr } = await scratch.cairn(['restart', snapshot, '--session', 'bad', '--set', text]);
      assert.notEqual(status, 0, text);
      assert.match(stderr, why);
      assert.equal(existsSync(join(scratch.store, 'runs')) && readdirSync(join(scratch.store, 'runs')).length > 0, false);
    }
    const bad = await scratch.cairn(['run', ...givenWith(scratch, library, { level: 'x' }), '--', 'true']);
    assert.match(bad.stderr, /plugin first-plugin .*"level" must be integer/s);
    assert.equal(bad.status, 1);
    const two = await again(scratch, snapshot, 'two', '--set', 'first.level=5', '--set', 'first.server=7');
    await waitFor(
      'its words',
      () => said(scratch, 'two').filter((text) => text === 'first running {"level":5,"server":"7"}').length >= 2,
    );
    assert.equal(said(scratch, 'two').filter((text) => text.startsWith('first settings')).length, 2);
    await startsMore(scratch, 'two');
    await waitFor('the new one', () => said(scratch, 'two').includes('first init {"level":5,"server":"7"}'));
    // Those of before, beside a run that has others.
    const three = await again(scratch, snapshot, 'three');
    await waitFor('its words', () => said(scratch, 'three').includes('first running {"level":1,"server":"here"}'));
    await ends(scratch, one, two, three);
  }));

test('settings that only the plugin itself can refuse end the restart with its reason; the run and the snapshot stay as they were', () =>
  withScratch(async (scratch) => {
    const library = await build(scratch, 'first');
    withSchema(library);
    const one = await begin(scratch, 'one', ...givenWith(scratch, library, { level: 1 }));
    const { snapshot, path } = await scratch.checkpoint('one');
    const files = () => readdirSync(path).filter((name) => name !== 'verified.json');
    const before = files();
    const who = join(scratch.work, 'who');
    const child = (await processesOf(scratch, 'one')).at(-1)?.virtualPid;
    writeFileSync(who, String(child));
    for (const [value, by] of [
      ['yes', '\\d+'],
      [who, String(child)],
    ] as const)
      for (const detach of [[], ['--detach']]) {
        const set = ['--set', `first.refuse=${value}`];
        const { status, stderr } = await scratch.cairn(['restart', snapshot, '--session', 'bad', ...set, ...detach]);
        assert.notEqual(status, 0);
        assert.match(
          stderr,
          new RegExp(`rocess ${by}\\b.*plugin first refuses its settings \\(event settings\\): the settings ask to refuse`, 's'),
        );
        assert.deepEqual(files(), before);
        const runs = join(scratch.store, 'runs');
        await waitFor('the run folder has gone', () => !existsSync(runs) || readdirSync(runs).length === 0);
        await one.goesOn();
      }
    const checked = await scratch.cairn(['restart', '--check', snapshot]);
    assert.equal(checked.status, 0, checked.stderr);
    const two = await again(scratch, snapshot, 'two', '--set', 'first.level=2');
    await waitFor('its words', () => said(scratch, 'two').includes('first running {"level":2}'));
    await ends(scratch, one, two);
  }));

test('settings that the schema marks so change while the program runs, in all processes or in none, and stay so', () =>
  withScratch(async (scratch) => {
    const [library, old] = [await build(scratch, 'first'), await build(scratch, 'older', '-DOLD')];
    for (const one of [library, old]) withSchema(one);
    const one = await begin(scratch, 'one', ...givenWith(scratch, library, { level: 1, server: 'here' }), '--plugin', old);
    const set = (...texts: string[]) => scratch.cairn(['plugins', 'set', '--session', 'one', ...texts]);
    const live = (settings: string): number => said(scratch, 'one').filter((text) => text === `first live ${settings}`).length;
    const done = await set('first.level=2');
    assert.equal(done.status, 0, done.stderr);
    await waitFor('both processes', () => live('{"level":2,"server":"here"}') === 2);
    await startsMore(scratch, 'one');
    await waitFor('the new process', () => said(scratch, 'one').includes('first init {"level":2,"server":"here"}'));
    for (const [text, why] of [
      [
        'first.server=there',
        /"server" of plugin first cannot change while the program runs: .*first-plugin\.schema\.json does not say so.*--set first\.server/s,
      ],
      ['first.level=10', /"level" must be <= 9/],
      ['older.level=3', /plugin older takes no other settings while the program runs/],
      ['nobody.level=3', /no plugin "nobody".*there are: first, older/s],
    ] as const) {
      const { status, stderr } = await set(text);
      assert.equal(status, 1, text);
      assert.match(stderr, why);
    }
    // One of the processes refuses: the others have those of before again.
    const processes = await processesOf(scratch, 'one');
    const who = join(scratch.work, 'who');
    writeFileSync(who, String(processes.at(-1)?.virtualPid));
    const before = live('{"level":2,"server":"here"}');
    const refused = await set(`first.refuse=${who}`);
    assert.match(refused.stderr, /the settings ask to refuse/);
    await waitFor('the settings of before', () => live('{"level":2,"server":"here"}') - before === processes.length - 1);
    assert.equal(live(`{"level":2,"server":"here","refuse":"${who}"}`), processes.length - 1);
    await one.goesOn();
    // While it is held, too; and in a snapshot.
    await scratch.json(['hold', '--session', 'one']);
    assert.equal((await set('first.level=4')).status, 0);
    await scratch.json(['resume', '--session', 'one']);
    await one.goesOn();
    const { snapshot } = await scratch.checkpoint('one');
    const two = await again(scratch, snapshot, 'two');
    await waitFor('its words', () => said(scratch, 'two').includes('first running {"level":4,"server":"here"}'));
    assert.deepEqual(
      said(scratch, 'two').filter((text) => text.startsWith('first settings')),
      [],
    );
    await ends(scratch, one, two);
  }));

test('a plugin is given to a held computation, in all processes or in none, and stays', () =>
  withScratch(async (scratch) => {
    const [first, second] = [await build(scratch, 'first'), await build(scratch, 'second')];
    for (const one of [first, second]) withSchema(one);
    const bad = join(scratch.folder, 'bad.so');
    writeFileSync(bad, 'no library');
    const one = await begin(scratch, 'one', '--plugin', first);
    const add = (...plugins: string[]) => scratch.cairn(['plugins', 'add', '--session', 'one', ...plugins]);
    assert.match((await add(second)).stderr, /running: adding plugins is not possible.*cairn hold/s);
    await scratch.json(['hold', '--session', 'one']);
    assert.match((await add(first)).stderr, /has the plugin .*first-plugin\.so already/);
    // One that cannot be loaded takes the one before it along.
    assert.match((await add(second, bad)).stderr, /bad\.so/);
    const all = async (): Promise<string[][]> => (await processesOf(scratch, 'one')).map(({ plugins }) => outside(plugins));
    assert.deepEqual(await all(), [['first'], ['first']]);
    const settings = join(scratch.folder, 'level.json');
    writeFileSync(settings, '{"level":3}');
    const given = await add(`${second}=${settings}`);
    assert.equal(given.status, 0, given.stderr);
    assert.deepEqual(await all(), [
      ['first', 'second'],
      ['first', 'second'],
    ]);
    const count = (session: string, text: string): number => said(scratch, session).filter((line) => line === text).length;
    assert.equal(count('one', 'second init {"level":3}'), 2);
    // A snapshot that is made while it is held has it, too.
    const { snapshot } = await scratch.checkpoint('one');
    await scratch.json(['resume', '--session', 'one']);
    await one.goesOn();
    await waitFor('its words', () => count('one', 'second running {"level":3}') >= 2);
    await startsMore(scratch, 'one');
    await waitFor('the new process', () => count('one', 'second init {"level":3}') === 3);
    const two = await again(scratch, snapshot, 'two');
    await waitFor('its words', () => count('two', 'second restart {"level":3}') === 2);
    const three = await again(scratch, (await scratch.checkpoint('one')).snapshot, 'three', '--without', 'second');
    assert.deepEqual(
      (await processesOf(scratch, 'three')).map(({ plugins }) => outside(plugins)),
      [['first'], ['first'], ['first']],
    );
    await ends(scratch, one, two, three);
  }));
