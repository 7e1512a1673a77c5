/**
 * A launcher of these tests' own, in the manner of ssh: a tiny daemon on each host runs what it is sent by a shell, with a clean
 * environment, and sends back output and status. It forwards no input.
 *
 *   node reach.mjs serve SOCKET             the daemon; its environment is the host's
 *   node reach.mjs run SOCKET WORDS...
 */
import { spawn } from 'node:child_process';
import { connect, createServer } from 'node:net';
import process from 'node:process';

const [mode, path, ...words] = process.argv.slice(2);

if (mode === 'serve') {
  createServer({ allowHalfOpen: true }, (socket) => {
    let line = '';
    socket.on('error', () => undefined);
    socket.on('data', (data) => (line += data));
    socket.on('end', () => {
      const child = spawn('/bin/sh', ['-c', line], { cwd: '/', stdio: ['ignore', 'pipe', 'pipe'] });
      const say = (kind) => (data) => socket.write(`${JSON.stringify({ kind, data: data.toString() })}\n`);
      child.stdout.on('data', say('out'));
      child.stderr.on('data', say('err'));
      child.on('close', (status) => socket.end(`${JSON.stringify({ kind: 'status', data: String(status ?? 255) })}\n`));
    });
  }).listen(path, () => process.stdout.write('ready\n'));
} else {
  const socket = connect(path);
  let rest = '';
  let status = 255;
  socket.on('error', (error) => process.stderr.write(`${error.message}\n`));
  socket.on('data', (data) => {
    const lines = (rest + data).split('\n');
    rest = lines.pop() ?? '';
    for (const { kind, data: text } of lines.map((one) => JSON.parse(one))) {
      if (kind === 'status') status = Number(text);
      else (kind === 'out' ? process.stdout : process.stderr).write(text);
    }
  });
  socket.on('close', () => (process.exitCode = status));
  socket.end(words.join(' '));
}
