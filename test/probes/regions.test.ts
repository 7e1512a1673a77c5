/**
 * The example of native-agent/examples/regions: a mapping that a plugin from outside owns, made anew by it with its guard pages, of a library
 * that is loaded only for a while, and whose files are gone at the restart.
 */
import assert from 'node:assert/strict';
import { copyFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { withScratch } from '../support/scratch.js';
import { inTree } from '../support/tree.js';
import { compile, probeOutput } from './catalogue.js';

const right = (again: 0 | 1): string => `words that are wrong: 0; guards: 2; given back: 1; unloaded: 1; again: ${again}`;

test('memory that a plugin owns, of a library that is loaded only for a while', async () => {
  const built = (name: string): string => join(probeOutput, 'regions', name);
  const source = (name: string): string => inTree(`native-agent/examples/regions/${name}`);
  await compile(source('scratchpad.c'), built('libscratchpad.so'), ['-shared', '-fPIC']);
  await compile(source('plugin.c'), built('plugin.so'), ['-shared', '-fPIC', '-fvisibility=hidden']);
  await compile(source('bench.c'), built('bench'), ['-ldl']);
  await withScratch(async (scratch) => {
    const [library, file, end] = ['library.so', 'service.scratchpad', 'end'].map((name) => join(scratch.folder, name)) as [
      string,
      string,
      string,
    ];
    copyFileSync(built('libscratchpad.so'), library);
    const program = [built('bench'), library, file, end];
    const one = scratch.cairnProgram(['run', '--session', 'one', '--plugin', built('plugin.so'), '--', ...program]);
    await one.line(/^ready$/);
    rmSync(library);
    const { snapshot } = await scratch.checkpoint('one');
    rmSync(file);
    const two = scratch.cairnProgram(['restart', snapshot, '--session', 'two']);
    // Without the plugin nobody has what is in the file.
    const without = await scratch.cairn(['restart', snapshot, '--session', 'without', '--without', 'scratchpad']);
    assert.equal(without.status, 1, without.stdout);
    assert.match(
      without.stderr,
      /plugin scratchpad was taken out by this restart, but the snapshot has what only it brings back/,
    );
    writeFileSync(end, '');
    for (const run of [one, two]) {
      assert.equal(await run.exit(), 0, run.transcript());
      assert.equal(run.lines.at(-1), right(0));
    }
    // The library is there again for another restart.
    copyFileSync(built('libscratchpad.so'), library);
    const three = scratch.cairnProgram(['restart', snapshot, '--session', 'three']);
    assert.equal(await three.exit(), 0, three.transcript());
    assert.equal(three.lines.at(-1), right(1));
  });
});
