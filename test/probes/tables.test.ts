/**
 * Tables of virtual names: virtual, real now, real before, owner and since when; of a session and of a snapshot, filtered, and one
 * column alone.
 */
import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TableRow } from '../../debug-adapter/src/protocol/control.js';
import type { RowWithHistory } from '../../debug-adapter/src/protocol/name-history.js';
import { Scratch } from '../support/scratch.js';

test('what names mean, before and after a restart', async () => {
  const scratch = new Scratch();
  try {
    // One process without children.
    const script =
      '$|=1; open(F, ">", "out.txt"); POSIX::dup2(fileno(F), 7); print "up\\n"; select(undef, undef, undef, 0.05) while 1';
    const first = scratch.cairnProgram(['run', '--session', 'one', '--env', 'SEED=1', '--', 'perl', '-MPOSIX', '-e', script]);
    await first.line(/^up$/);
    const { snapshot } = await scratch.checkpoint('one', '--then', 'kill');
    await first.exit();
    const began = Date.now();
    const args = ['restart', snapshot, '--session', 'two', '--detach', '--env', 'SEED=2', '--env', 'NEW=3'];
    const { runFolder } = await scratch.json<{ runFolder: string }>(args);
    const table = (kind: string, ...args: string[]): Promise<TableRow[]> =>
      scratch.json(['tables', kind, '--session', 'two', ...args]);

    const [process] = await table('pid', '--filter', 'detail=process');
    assert.ok(process && process.before === process.virtual && process.real !== process.virtual && process.owner === 'pid');
    const [seed] = await table('env', '--filter', 'virtual=SEED');
    assert.deepEqual([seed?.real, seed?.before, seed?.owner], ['2', '1', 'env']);
    assert.deepEqual(
      (await table('env', '--filter', 'virtual=NEW')).map(({ real, before }) => [real, before]),
      [['3', '']],
    );
    const out = join(scratch.work, 'out.txt');
    const [descriptor] = await table('fd', '--filter', 'virtual=7', '--pid', process.virtual);
    assert.equal(descriptor?.before, out);
    assert.equal(descriptor?.real, join(runFolder, 'out.txt'));
    const [path] = await table('path', '--filter', 'virtual=out.txt', '--pid', process.virtual);
    assert.deepEqual([path?.virtual, path?.real, path?.before], [out, descriptor?.real, out]);
    for (const row of [process, seed, descriptor, path]) {
      const since = Date.parse(row?.since ?? '');
      assert.ok(since >= began - 1000 && since <= Date.now() + 1000, `${row?.virtual}: since ${row?.since}`);
    }
    assert.deepEqual(await table('connection'), []);

    // Over another restart: what it led to in each run of the branch, live and in a snapshot.
    const { snapshot: later } = await scratch.checkpoint('two');
    await scratch.json(['restart', later, '--session', 'three', '--detach', '--env', 'SEED=3']);
    const history = async (kind: string, filter: string, ...of: string[]) => {
      const rows = await scratch.json<RowWithHistory[]>(['tables', kind, '--history', '--filter', filter, ...of]);
      assert.equal(rows.length, 1);
      return rows[0]?.history.map((one) => [one.session, one.snapshot, one.real]);
    };
    const [third] = await scratch.json<TableRow[]>(['tables', 'pid', '--session', 'three', '--filter', 'detail=process']);
    assert.deepEqual(await history('pid', 'detail=process', '--session', 'three'), [
      ['one', snapshot, process.virtual],
      ['two', later, process.real],
      ['three', null, third?.real],
    ]);
    assert.deepEqual(await history('fd', 'virtual=7', '--snapshot', later, '--pid', process.virtual), [
      ['one', snapshot, out],
      ['two', later, join(runFolder, 'out.txt')],
    ]);
    const lines = (await scratch.cairn(['tables', 'env', '--history', '--filter', 'virtual=SEED', '--session', 'three'])).stdout;
    assert.match(lines, /^PROCESS .* REAL\n\d+ +SEED +env +one +.* 1\n +two +.* 2\n +three +now +.* 3\n$/);
    await scratch.json(['stop', '--session', 'three']);

    const saved = await scratch.json<TableRow[]>(['tables', 'env', '--snapshot', snapshot, '--filter', 'SEED']);
    assert.deepEqual(
      saved.map(({ real, before }) => [real, before]),
      [['1', '']],
    );
    const column = await scratch.cairn(['tables', 'env', '--snapshot', snapshot, '--filter', 'virtual=SEED', '--column', 'real']);
    assert.equal(column.stdout, '1\n');
    const two = await scratch.cairn([
      'tables',
      'env',
      '--snapshot',
      snapshot,
      '--filter',
      'virtual=SEED',
      '--column',
      'virtual',
      '--column',
      'real',
    ]);
    assert.match(two.stdout, /^VIRTUAL +REAL NOW\nSEED +1\n$/);
    const wrong = await scratch.cairn(['tables', 'env', '--snapshot', snapshot, '--column', 'colour']);
    assert.equal(wrong.status, 2);
    assert.match(wrong.stderr, /no column "colour"[\s\S]*virtual/);
  } finally {
    await scratch.cairn(['stop', '--session', 'two', '--grace', '0']);
    await scratch.close();
  }
});

test('connections: both ends, their state, and who is at the other end; live and of a snapshot', async () => {
  const scratch = new Scratch();
  const server = createServer();
  try {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    assert.ok(typeof address === 'object' && address !== null);
    const script = `
      use IO::Socket::INET; use Socket; $| = 1;
      socketpair(my $a, my $b, AF_UNIX, SOCK_STREAM, PF_UNSPEC); syswrite $a, "unread";
      my $listener = IO::Socket::INET->new(Listen => 3, LocalAddr => "127.0.0.1");
      my $client = IO::Socket::INET->new(PeerAddr => "127.0.0.1", PeerPort => $listener->sockport);
      my $outside = IO::Socket::INET->new(PeerAddr => "127.0.0.1", PeerPort => ${address.port});
      my @numbers = map { fileno $_ } $a, $b, $listener, $client, $outside;
      my $child = fork; if (!$child) { close $a; my $got; sysread $listener, $got, 1; sleep 1000 }
      close $b; print join(" ", "up", $child, @numbers), "\\n"; sleep 1000`;
    const rule = `127.0.0.1:${address.port}=close`;
    const program = scratch.cairnProgram(['run', '--session', 'one', '--connection', rule, '--', 'perl', '-e', script]);
    const [, child = '', pair = '', other = '', listener = '', client = '', outside = ''] = (await program.line(/^up/)).split(
      ' ',
    );
    const check = (rows: TableRow[]): void => {
      const root = rows.find(({ virtualPid }) => String(virtualPid) !== child)?.virtualPid;
      const detail = (fd: string, pid = String(root)): string =>
        rows.find((row) => String(row.virtualPid) === pid && row.virtual.startsWith(`${fd} `))?.detail ?? 'no such row';
      assert.equal(detail(pair), `Unix, stream, connected; inside: process ${child}, descriptor ${other}`);
      assert.equal(detail(other, child), `Unix, stream, connected, 6 bytes to read; inside: process ${root}, descriptor ${pair}`);
      assert.equal(detail(listener), 'IPv4, stream, listening, 1 not accepted yet');
      assert.match(detail(client), /^IPv4, stream, connected; /);
      assert.equal(detail(outside), 'IPv4, stream, connected; outside: close');
      const row = rows.find(({ virtual }) => virtual.startsWith(`${outside} `));
      assert.match(row?.virtual ?? '', new RegExp(`^${outside} 127.0.0.1:\\d+ - 127.0.0.1:${address.port}$`));
    };
    check(await scratch.json<TableRow[]>(['tables', 'connection', '--session', 'one']));
    const { snapshot } = await scratch.checkpoint('one');
    check(await scratch.json<TableRow[]>(['tables', 'connection', '--snapshot', snapshot]));
    await scratch.cairn(['stop', '--session', 'one', '--grace', '0']);
    await program.exit();
  } finally {
    server.close();
    await scratch.close();
  }
});
