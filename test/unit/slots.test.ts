import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { noRules } from '../../debug-adapter/src/protocol/rules.js';
import type { Manifest } from '../../debug-adapter/src/protocol/snapshot.js';
import { type Asked, planRestart } from '../../debug-adapter/src/store/restart-plan.js';
import { findSlot, slotArgument, slotFolder } from '../../debug-adapter/src/store/slots.js';

/** A store in a project, with a list of slots where one is given. */
function project(t: TestContext, slots?: unknown): { folder: string; store: string } {
  const folder = mkdtempSync(join(tmpdir(), 'cairn-u-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const store = join(folder, '.cairn');
  mkdirSync(store);
  if (slots !== undefined) writeFileSync(join(store, 'slots.json'), typeof slots === 'string' ? slots : JSON.stringify(slots));
  return { folder, store };
}

test('a slot is found by its name, else it is a folder', (t) => {
  const { folder, store } = project(t, { a: { folder: 'slots/a', paths: { '/tools': 'tools' }, env: { SLOT: 'a' } } });
  const found = findSlot(store, 'a', '/elsewhere');
  assert.deepEqual(found, { folder: join(folder, 'slots/a'), paths: { '/tools': join(folder, 'tools') }, env: { SLOT: 'a' } });
  assert.equal(slotArgument(store, 'a', folder), 'a');
  assert.equal(slotArgument(store, './run', folder), join(folder, 'run'));
  assert.equal(findSlot(store, join(folder, 'b'), '/').folder, join(folder, 'b'));
  assert.throws(() => findSlot(store, 'b', folder), /no run slot "b"; there are: a/);
  assert.ok(!existsSync(join(folder, 'slots/a')));
  slotFolder(join(folder, 'slots/a'));
  assert.ok(existsSync(join(folder, 'slots/a')));
  writeFileSync(join(folder, 'file'), '');
  assert.throws(() => slotFolder(join(folder, 'file')));
});

test('a wrong list of slots is named, with what is wrong in it', (t) => {
  assert.throws(() => findSlot(project(t, '{').store, 'a', '/'), /slots\.json/);
  assert.throws(() => findSlot(project(t, { a: { paths: { tools: '/x' } } }).store, 'a', '/'), /slots\.json.*a\.paths/s);
  assert.throws(() => findSlot(project(t).store, 'a', '/'), /no run slot "a", and no .*slots\.json/);
});

const manifest = {
  folder: '/home/ada/soc',
  processes: [{ virtualPid: 7, parent: 0, executable: '/usr/bin/vvp', argv: ['vvp'], threads: 1 }],
  rules: noRules,
  plugins: [],
} as unknown as Manifest;

function plan(t: TestContext, asked: Partial<Asked>, slots?: unknown, environment: Record<string, string> = {}) {
  const { folder, store } = project(t, slots);
  const rows = Object.entries(environment).map(([virtual, real]) => ({
    virtualPid: 7,
    virtual,
    real,
    before: '',
    owner: 'env',
    detail: '',
    since: '',
  }));
  writeFileSync(join(folder, 'tables.json'), JSON.stringify({ env: rows }));
  return { ...planRestart({ env: {}, paths: [], ...asked }, { id: 'x', path: folder, manifest }, store) };
}

test('what is asked for wins over the slot', (t) => {
  const slots = { a: { folder: 'a', paths: { '/tools': '/x', '/lib': '/y' }, env: { SEED: '1', DISPLAY: ':3', 'vvp:Q': '2' } } };
  const found = plan(t, { slot: 'a', env: { SEED: '7' }, paths: [{ from: '/tools/', to: '/z' }] }, slots);
  assert.deepEqual(found.env, { SEED: '7', DISPLAY: ':3' });
  assert.deepEqual(found.processEnv, [{ process: 'vvp', env: { Q: '2' } }]);
  assert.deepEqual(found.paths, [
    { from: '/tools/', to: '/z' },
    { from: '/lib', to: '/y' },
  ]);
});

test('paths below TMPDIR and HOME move with them, where the new one is there and the old one is not everybody’s', (t) => {
  const here = tmpdir();
  const before = { TMPDIR: '/scratch/ada/', HOME: '/home/ada' };
  const both = { env: { TMPDIR: here, HOME: here } };
  assert.deepEqual(plan(t, both, undefined, before).paths, [
    { from: '/scratch/ada', to: here },
    { from: '/home/ada', to: here },
    { from: '/home/ada/soc', to: '/home/ada/soc' },
  ]);
  assert.deepEqual(plan(t, { env: { TMPDIR: '/not/there' } }, undefined, before).paths, []);
  assert.deepEqual(plan(t, { env: { TMPDIR: here } }, undefined, { TMPDIR: '/tmp' }).paths, []);
  const kept = plan(t, { ...both, paths: [{ from: '/scratch/ada', to: '/scratch/ada' }] }, undefined, before).paths;
  assert.deepEqual(kept[0], { from: '/scratch/ada', to: '/scratch/ada' });
  assert.ok(!kept.some(({ from, to }) => from === '/scratch/ada' && to === here));
});

test('variables by pattern: what the snapshot has and nobody gives is removed', (t) => {
  const { env } = plan(t, { env: { 'SLURM_*': null, SLURM_JOB_ID: '8' } }, undefined, {
    SLURM_JOB_ID: '1',
    SLURM_PROCID: '0',
    A: 'b',
  });
  assert.deepEqual(env, { SLURM_PROCID: null, SLURM_JOB_ID: '8' });
});

test('a program that the snapshot does not have is told of', (t) => {
  const { warnings } = plan(t, {
    processEnv: [
      { process: 'sim', env: {} },
      { process: '7', env: {} },
    ],
  });
  assert.equal(warnings.length, 1);
  assert.match(warnings[0]?.message ?? '', /"sim"/);
});

test('rules of the restart come before those of the snapshot', (t) => {
  const { rules } = plan(t, { files: [{ pattern: '*.x', how: 'ignore' }], clock: 'continue' });
  assert.deepEqual(rules, { files: [{ pattern: '*.x', how: 'ignore' }], connections: [], clock: 'continue' });
});
