/**
 * `cairn plugin new`: what it makes builds by CMake alone, in a folder that is nothing of ours, and its own test runs a program under
 * Cairn, checkpoints and restarts it with the plugin.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
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

test('a new fault model builds and passes its test; built anew, the next run has it', () =>
  withScratch(async (scratch) => {
    const made = await scratch.json<{ folder: string }>(['plugin', 'new', '--fault', 'acme-upset']);
    await inScratch(scratch, 'cmake', '-S', 'acme-upset', '-B', 'acme-upset/build');
    const built = await inScratch(scratch, 'cmake', '--build', 'acme-upset/build');
    assert.doesNotMatch(built.stdout + built.stderr, /warning/i);
    const tested = await inScratch(scratch, 'ctest', '--test-dir', 'acme-upset/build', '--output-on-failure');
    assert.match(tested.stdout, /100% tests passed, 0 tests failed out of 2/);

    // The first block comes into the result: with this bit of an a it is an A.
    writeFileSync(join(scratch.work, 'data'), 'aaaaaaaabbbbbbbbcccccccc');
    writeFileSync(join(scratch.work, 'hold'), '');
    const started = scratch.cairnProgram(['run', '--session', 'one', '--', join(made.folder, 'build/program')]);
    await started.line(/^ready$/);
    await scratch.checkpoint('one', '--name', 'here', '--then', 'kill');
    await started.exit();
    rmSync(join(scratch.work, 'hold'));
    const campaign = join(made.folder, 'campaign.yaml');
    const run = (name: string) =>
      scratch.cairn(['campaign', 'run', campaign, '--store', scratch.store, '--name', name], { seconds: 120 });
    const again = (number: number) =>
      scratch.cairn(['campaign', 'repeat', campaign, String(number), '--store', scratch.store, '--name', 'first'], {
        seconds: 60,
      });
    assert.equal((await run('first')).status, 0);
    assert.match((await again(1)).stdout, /^Aaaaaaaa$/m);
    const source = join(made.folder, 'fault.cpp');
    writeFileSync(source, readFileSync(source, 'utf8').replace('settings.bit / 8] ^=', 'settings.bit / 8 + 1] ^='));
    await inScratch(scratch, 'cmake', '--build', 'acme-upset/build');
    assert.match((await again(1)).stdout, /^aAaaaaaa$/m);
    // Its results are of another model.
    const other = await run('first');
    assert.equal(other.status, 1);
    assert.match(other.stderr, /another campaign: libraries differ/);
    assert.equal((await run('second')).status, 0);
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
