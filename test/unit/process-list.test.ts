import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { runningPrograms } from '../../extension/src/platform/processList.js';

test('programs that can be chosen have their command lines, newest first; what is left out is not there', async () => {
  const child = spawn('sleep', ['1000']);
  try {
    await once(child, 'spawn');
    const pid = child.pid ?? 0;
    const all = await runningPrograms(new Set());
    const found = all.find((one) => one.pid === pid);
    assert.equal(found?.name, 'sleep');
    assert.equal(found?.commandLine, 'sleep 1000');
    assert.ok(!all.some((one) => one.pid === process.pid || one.commandLine === ''));
    assert.deepEqual(
      all.map(({ startTime }) => startTime),
      all.map(({ startTime }) => startTime).toSorted((a, b) => b - a),
    );
    assert.ok(!(await runningPrograms(new Set([pid]))).some((one) => one.pid === pid));
  } finally {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
});
