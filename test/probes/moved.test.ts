/**
 * A server with clients is restarted twice while the run that it is of goes on: each has the port and the abstract name for itself, and
 * clients that come later, also programs that are executed then, find the server of their own run (native-agent/plugins/socket/moved.cc).
 */
import assert from 'node:assert/strict';
import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Program } from '../support/program.js';
import { Scratch } from '../support/scratch.js';
import { compile, probeSources } from './catalogue.js';

test('two restarts and the run that goes on listen at the same names', async () => {
  const scratch = new Scratch();
  try {
    const server = join(scratch.folder, 'server');
    await compile(join(probeSources, 'tools/server.c'), server, ['-pthread']);
    const questions = join(scratch.folder, 'questions');
    writeFileSync(questions, '');
    const first = scratch.cairnProgram(['run', '--session', 'first', '--', server, questions]);
    const [, port] = /^listening (\d+)$/.exec(await first.line(/^listening /)) ?? [];
    const { snapshot } = await scratch.checkpoint('first');
    const runs: Program[] = [first];
    for (const session of ['second', 'third']) {
      const again = scratch.cairnProgram(['restart', snapshot, '--session', session]);
      await again.line(/^goes on$/, 30);
      runs.push(again);
    }
    appendFileSync(questions, 'a');
    for (const run of runs) {
      // Connections by a thread, by a child, and by a program that the child executes: to TCP, UDP and an abstract name.
      for (const who of ['thread', 'child', 'program']) {
        const answer = await run.line(new RegExp(`^${who}: `), 30);
        assert.equal(answer, `${who}: tcp own ${port}, udp own ${port}, abstract own`, run.transcript());
      }
      assert.equal(await run.exit(), 0, run.transcript());
    }
  } finally {
    await scratch.close();
  }
});
