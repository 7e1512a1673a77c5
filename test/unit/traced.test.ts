/** A process that cannot go any further because its debugger does not is told from one that lives or has ended. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { isAlive, isTraced } from '../../debug-adapter/src/platform/processes.js';
import { compile, probeOutput } from '../probes/catalogue.js';
import { waitFor } from '../support/processes.js';
import { inTree } from '../support/tree.js';

test('a process in a stop, and one that has ended but for threads that its debugger has to take', async () => {
  const program = join(probeOutput, 'unit', 'traced');
  await compile(inTree('test/unit/traced.c'), program, ['-pthread']);
  const tracer = spawn(program, [], { stdio: ['pipe', 'pipe', 'inherit'] });
  try {
    const lines = createInterface({ input: tracer.stdout })[Symbol.asyncIterator]();
    const pid = Number((await lines.next()).value);
    assert.ok(pid > 0);
    assert.ok(isTraced(pid), 'in a stop');
    tracer.stdin.write('1');
    assert.equal((await lines.next()).value, 'goes on');
    await waitFor('its end, which waits for the debugger', () => isTraced(pid) && isAlive({ pid, startTime: 0 }), 10);
    const over = once(tracer, 'exit');
    tracer.stdin.write('2');
    await over;
    assert.ok(!isTraced(pid));
    assert.ok(!isTraced(process.pid));
  } finally {
    tracer.kill('SIGKILL');
  }
});
