/**
 * `cairn plugin new`: what it makes builds by CMake alone, in a folder that is nothing of ours, and its own test runs a program under
 * Cairn, checkpoints and restarts it with the plugin.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { type Scratch, withScratch } from '../support/scratch.js';

const execute = promisify(execFile);

const inScratch = (scratch: Scratch, file: string, ...args: string[]): Promise<{ stdout: string; stderr: string }> =>
  execute(file, args, { cwd: scratch.work, env: scratch.env, timeout: 240_000 });

test('a new plugin builds and passes its test; one whose events do not come fails it', () =>
  withScratch(async (scratch) => {
    const made = await scratch.json<{ folder: string }>(['plugin', 'new', 'acme-emulator']);
    assert.equal(made.folder, join(scratch.work, 'acme-emulator'));
    await inScratch(scratch, 'cmake', '-S', 'acme-emulator', '-B', 'build');
    const built = await inScratch(scratch, 'cmake', '--build', 'build');
    assert.doesNotMatch(built.stdout + built.stderr, /warning/i);
    const tested = await inScratch(scratch, 'ctest', '--test-dir', 'build', '--output-on-failure');
    assert.match(tested.stdout, /100% tests passed, 0 tests failed out of 2/);
    const schema = JSON.parse(readFileSync(join(made.folder, 'settings.schema.json'), 'utf8')) as { properties: object };
    const settings = JSON.parse(readFileSync(join(made.folder, 'test/settings.json'), 'utf8')) as object;
    for (const key of Object.keys(settings)) assert.ok(key in schema.properties);

    const source = join(made.folder, 'plugin.c');
    writeFileSync(source, readFileSync(source, 'utf8').replace('++restarts;', ''));
    await inScratch(scratch, 'cmake', '--build', 'build');
    await assert.rejects(
      inScratch(scratch, 'ctest', '--test-dir', 'build', '--output-on-failure', '-R', 'checkpoint_and_restart'),
      ({ stdout }: { stdout: string }) =>
        stdout.includes('the plugin did not say "welcome: restart (checkpoints 1, restarts 1)"'),
    );
  }));

test('a folder that exists, and names that cannot be, are refused', () =>
  withScratch(async (scratch) => {
    mkdirSync(join(scratch.work, 'there'));
    const there = await scratch.cairn(['plugin', 'new', 'there']);
    assert.equal(there.status, 1);
    assert.match(there.stderr, /it exists already/);
    for (const name of ['', 'a b', '../up', '/abs', '-x', '7up', 'a'.repeat(49), 'file', 'test', 'ä']) {
      const refused = await scratch.cairn(['plugin', 'new', '--', name]);
      assert.equal(refused.status, 2, `${name}: ${refused.stderr}`);
      assert.match(refused.stderr, /cannot be the name of a plugin|is the name of something else/);
      assert.ok(name === '' || name.includes('/') || !existsSync(join(scratch.work, name)));
    }
  }));
