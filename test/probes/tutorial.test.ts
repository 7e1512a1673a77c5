/**
 * docs/write-a-plugin.md, as somebody new would do it: its files are written, its commands run one after the other, in an empty folder.
 */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { withScratch } from '../support/scratch.js';
import { cairnCommand, inTree } from '../support/tree.js';

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  assert.ok(typeof address === 'object' && address !== null);
  return address.port;
}

test('the tutorial does what it says, from an empty folder', () =>
  withScratch(async (scratch) => {
    const ports: Record<string, number> = { '4100': await freePort(), '4101': await freePort() };
    const text = readFileSync(inTree('docs/write-a-plugin.md'), 'utf8').replace(/\b410[01]\b/g, (port) => String(ports[port]));
    const env = { PATH: `${dirname(cairnCommand)}:${process.env['PATH'] ?? ''}` };
    let commands = 0;
    for (const [, kind = '', file = '', body = ''] of text.matchAll(/^```(\w+)(?: (\S+))?\n([\s\S]*?)^```$/gm)) {
      if (kind !== 'sh') {
        mkdirSync(dirname(join(scratch.work, file)), { recursive: true });
        writeFileSync(join(scratch.work, file), body);
        continue;
      }
      commands++;
      // `! command` does not end a shell by -e when it succeeds.
      const script = body.replace(/^! (.*)$/gm, 'if $1; then echo "it was not refused" >&2; exit 1; fi');
      const shell = scratch.start(['sh', '-ec', script], { env });
      assert.equal(await shell.exit(90), 0, `${body}\n${shell.transcript()}`);
    }
    assert.equal(commands, 7);
  }));
