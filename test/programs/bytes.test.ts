/** Arguments, variables and names of files that are no UTF-8, as tools of older systems write them. */
import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { compile } from '../probes/catalogue.js';
import { withScratch } from '../support/scratch.js';
import { cairnCommand, inTree } from '../support/tree.js';

const program = inTree('build/test/programs/bytes');
/** `café` and a byte that begins nothing, as Latin-1 has them. */
const ODD = '\\143\\141\\146\\351\\377';
const HEX = '636166e9ff';

test.before(() => compile(inTree('test/programs/bytes.c'), program, []));

test('arguments and variables keep their bytes, and a process that has such names is saved and restarted', () =>
  withScratch(async (scratch) => {
    writeFileSync(join(scratch.work, 'hold'), '');
    const shell = `ODD="$(printf '${ODD}')" exec ${cairnCommand} run --session bytes -- ${program} "$(printf '${ODD}')"`;
    const run = scratch.start(['sh', '-c', shell]);
    await run.line(/^ready$/);
    const shown = [`argument ${HEX}`, `variable ${HEX}`];
    const { snapshot } = await scratch.checkpoint('bytes', '--then', 'kill');
    assert.deepEqual(run.lines.slice(0, 2), shown);
    await run.exit();
    rmSync(join(scratch.work, 'hold'));
    const restarted = scratch.cairnProgram(['restart', snapshot]);
    await restarted.line(/^content /);
    assert.equal(await restarted.exit(), 0, restarted.transcript());
    assert.deepEqual(restarted.lines, [...shown, 'content cdef, there 0']);
  }));
