import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import {
  assignment,
  currentEnvironment,
  namedSession,
  newSessionName,
  pathChange,
  plugin,
  storePath,
} from '../../debug-adapter/src/cli/choices.js';
import { checkProgram } from '../../debug-adapter/src/platform/program.js';

test('the store is the option, else CAIRN_STORE, else .cairn here', () => {
  assert.equal(storePath('a', { CAIRN_STORE: '/b' }), resolve('a'));
  assert.equal(storePath(undefined, { CAIRN_STORE: '/b' }), '/b');
  assert.equal(storePath(undefined, { CAIRN_STORE: '' }), resolve('.cairn'));
  assert.equal(storePath(undefined, {}), resolve('.cairn'));
});

test('the session is the option, else CAIRN_SESSION; a new one within a computation does not take its name', () => {
  assert.equal(namedSession('a', { CAIRN_SESSION: 'b' }), 'a');
  assert.equal(namedSession(undefined, { CAIRN_SESSION: 'b' }), 'b');
  assert.equal(namedSession(undefined, { CAIRN_SESSION: '' }), undefined);
  assert.equal(newSessionName(undefined, { CAIRN_SESSION: 'b' }), 'b');
  assert.equal(newSessionName(undefined, { CAIRN_SESSION: 'b', CAIRN_AGENT_SOCKET: '/s' }), undefined);
  assert.equal(newSessionName('a', { CAIRN_SESSION: 'b', CAIRN_AGENT_SOCKET: '/s' }), 'a');
});

test('assignments and path changes', () => {
  assert.deepEqual(assignment('A=b=c', '--env'), ['A', 'b=c']);
  assert.deepEqual(assignment('A=', '--env'), ['A', '']);
  for (const text of ['A', '=b', '']) assert.throws(() => assignment(text, '--env'), { code: 'usage' });
  assert.deepEqual(pathChange('/a/=/b'), { from: '/a', to: '/b' });
  assert.deepEqual(pathChange('/a=b'), { from: '/a', to: resolve('b') });
  assert.throws(() => pathChange('a=/b'), { code: 'usage' });
});

test('a plugin is a library, with settings that are JSON', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'cairn-u-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const library = join(folder, 'a=b.so');
  const settings = join(folder, 's.json');
  writeFileSync(library, '');
  writeFileSync(settings, '{"x": 1}');
  assert.deepEqual(plugin(library), { library, settings: '{}' });
  assert.deepEqual(plugin(`${library}=${settings}`), { library, settings: '{"x": 1}' });
  assert.throws(() => plugin(join(folder, 'none.so')), { code: 'fileNotReadable' });
  writeFileSync(settings, '{x');
  assert.throws(() => plugin(`${library}=${settings}`), { code: 'fileNotReadable', message: /s\.json/ });
});

test("bin/cairn's own variable is not the program's", () => {
  assert.deepEqual(currentEnvironment({ A: 'b', CAIRN_PLAN: '3', CAIRN_IGNORED: 'SIGINT', C: undefined }), { A: 'b' });
});

test('a program is looked for as execvp does', () => {
  const env = { PATH: '/nowhere:/usr/bin:/bin' };
  checkProgram('sh', env, '/');
  checkProgram('/bin/sh', {}, '/');
  checkProgram('bin/sh', {}, '/');
  assert.throws(() => checkProgram('no-such-program', env, '/'), { code: 'programNotFound', message: /PATH/ });
  assert.throws(() => checkProgram('/etc/passwd', env, '/'), { code: 'programNotFound', message: /not executable/ });
  assert.throws(() => checkProgram('/usr', env, '/'), { code: 'programNotFound', message: /folder/ });
  assert.throws(() => checkProgram('', env, '/'), { code: 'programNotFound' });
});
