/** What the adapter says to what it cannot do: always an answer, with a number of the one table and a remedy. */
import assert from 'node:assert/strict';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { afterEach, beforeEach } from 'node:test';
import { Scratch } from '../support/scratch.js';
import { Adapter } from './adapter.js';

let scratch: Scratch;
let adapter: Adapter;

beforeEach(async () => {
  scratch = new Scratch();
  adapter = await new Adapter(scratch).start();
});
afterEach(async () => {
  await adapter.stop();
  await scratch.close();
});

test('an unknown request is answered, quietly', async () => {
  const { id, text, showUser } = await adapter.refusal('cairnBrew', { tea: true });
  assert.equal(id, 700);
  assert.match(text, /cairnBrew/);
  assert.equal(showUser, false);
});

test('steps are refused by name, with what to do instead', async () => {
  for (const request of ['next', 'stepIn', 'stepBack', 'goto']) {
    const { id, text, showUser } = await adapter.refusal(request, { threadId: 1, frameId: 1, expression: 'x' });
    assert.equal(id, 701);
    assert.match(text, new RegExp(`^${request} is not possible`));
    assert.match(text, /Attach a source-level debugger/);
    assert.equal(showUser, true);
  }
});

test('where there is no computation nothing is evaluated, and no data breakpoint is verified', async () => {
  assert.equal((await adapter.refusal('evaluate', { expression: 'top.clk', context: 'watch' })).id, 703);
  assert.equal((await adapter.refusal('setVariable', { variablesReference: 99, name: 'clk', value: '1' })).id, 704);
  const { breakpoints } = await adapter.ask<{ breakpoints: { verified: boolean; message: string }[] }>('setDataBreakpoints', {
    breakpoints: [{ dataId: 'top.clk' }],
  });
  assert.deepEqual(
    breakpoints.map(({ verified, message }) => [verified, message]),
    [[false, 'The simulation has not begun.']],
  );
});

test('breakpoints are not verified, with the reason', async () => {
  const { breakpoints } = await adapter.ask<{ breakpoints: { verified: boolean; message: string }[] }>('setBreakpoints', {
    source: { path: '/a.v' },
    breakpoints: [{ line: 1 }, { line: 2 }],
  });
  assert.equal(breakpoints.length, 2);
  for (const { verified, message } of breakpoints) assert.ok(!verified && message.includes('on phases and barriers'));
});

test('nothing can be asked of a computation that is not there', async () => {
  for (const request of ['pause', 'continue', 'terminate', 'cairnStatus', 'cairnCancel', 'cairnTerminalOpen'])
    assert.equal((await adapter.refusal(request, { threadId: 1 })).id, 703);
  assert.deepEqual(await adapter.ask('threads'), { threads: [] });
  assert.equal((await adapter.refusal('scopes', { frameId: 4711 })).id, 704);
  assert.equal((await adapter.refusal('variables', { variablesReference: 3 })).id, 704);
});

test('wrong arguments are named', async () => {
  const { id, text } = await adapter.refusal('launch', { program: 'sh', args: 'not a list' });
  assert.equal(id, 702);
  assert.match(text, /"args"/);
  assert.match((await adapter.refusal('launch', { env: { A: 1 }, program: 'sh' })).text, /"env\.A"/);
  assert.match((await adapter.refusal('cairnCheckpoint', { name: 'x', then: 'dance' })).text, /"then"/);
  assert.equal((await adapter.refusal('launch', {})).id, 100);
});

test('a program that is not there or cannot be run is refused before anything starts', async () => {
  const missing = await adapter.refusal('launch', { program: join(scratch.work, 'none'), cwd: scratch.work });
  assert.equal(missing.id, 103);
  assert.match(missing.text, /none/);
  const plain = join(scratch.work, 'plain');
  writeFileSync(plain, 'text');
  chmodSync(plain, 0o644);
  assert.equal((await adapter.refusal('launch', { program: plain, cwd: scratch.work })).id, 103);
});

test('a session name that cannot be one is refused', async () => {
  assert.equal((await adapter.refusal('launch', { program: 'sh', session: '../x', cwd: scratch.work })).id, 101);
});

test('a snapshot that is not there is refused, with the store that was looked into', async () => {
  const { id, text } = await adapter.refusal('launch', { snapshot: 'abcdef', store: scratch.store, cwd: scratch.work });
  assert.equal(id, 500);
  assert.ok(text.includes(scratch.store), text);
});

test('there is nothing to attach to', async () => {
  assert.equal((await adapter.refusal('attach', {})).id, 200);
  assert.equal((await adapter.refusal('attach', { session: 'nobody' })).id, 201);
});
