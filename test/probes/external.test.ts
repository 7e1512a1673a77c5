/**
 * Connections that leave the computation and that a plugin brings back: the example of native-agent/examples/external, a server outside,
 * and two processes that share a connection to it and have answers under way all the time.
 */
import assert from 'node:assert/strict';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Program } from '../support/program.js';
import { Scratch } from '../support/scratch.js';
import { inTree } from '../support/tree.js';
import { compile, probeSources } from './catalogue.js';
import { tool } from './tools.js';

const [ADD, PUT_ASIDE, GO_ON] = [1, 2, 3];
const SIZE = 16;

/** Keeps a sum for each connection, and what was put aside by its ticket. */
class AccountServer {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #aside = new Map<bigint, bigint>();
  wentOn = 0;
  refuses = false;

  private constructor(aside: Map<bigint, bigint>) {
    this.#aside = aside;
    this.#server = createServer((socket) => this.#serve(socket));
  }

  static async listen(address: number | string, other?: AccountServer): Promise<AccountServer> {
    const made = new AccountServer(other === undefined ? new Map() : other.#aside);
    await new Promise<void>((resolve) =>
      typeof address === 'string' ? made.#server.listen(address, resolve) : made.#server.listen(address, '127.0.0.1', resolve),
    );
    return made;
  }

  /** As the plugin and the application are told it. */
  get address(): { plugin: string; program: string } {
    const address = this.#server.address();
    assert.ok(address !== null);
    return typeof address === 'string'
      ? { plugin: address, program: address }
      : { plugin: `127.0.0.1:${address.port}`, program: String(address.port) };
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('error', () => undefined);
    socket.on('close', () => this.#sockets.delete(socket));
    let sum = 0n;
    let had = Buffer.alloc(0);
    let repeats = 0;
    socket.on('data', (data: Buffer) => {
      had = Buffer.concat([had, data]);
      for (;;) {
        if (repeats > 0) {
          if (had.length < repeats) return;
          socket.write(had.subarray(0, repeats));
          had = had.subarray(repeats);
          repeats = 0;
        }
        if (had.length < SIZE) return;
        const message = had.subarray(0, SIZE);
        had = had.subarray(SIZE);
        const [kind, number, value] = [message.readUInt32LE(0), message.readUInt32LE(4), message.readBigUInt64LE(8)];
        const answer = Buffer.from(message);
        if (kind === ADD) {
          sum += value;
          answer.writeBigUInt64LE(sum, 8);
        } else if (kind === PUT_ASIDE) {
          const ticket = BigInt(this.#aside.size + 1);
          this.#aside.set(ticket, sum);
          answer.writeBigUInt64LE(ticket, 8);
        } else if (kind === GO_ON && !this.refuses) {
          sum = this.#aside.get(value) ?? 0n;
          repeats = number;
          this.wentOn++;
          continue;
        } else {
          socket.destroy();
          return;
        }
        socket.write(answer);
      }
    });
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

async function buildPlugin(scratch: Scratch, name: string, source: string): Promise<string> {
  const library = join(scratch.folder, `${name}.so`);
  const flags = ['-shared', '-fPIC', '-Wall', '-Wextra', '-Werror', `-I${inTree('native-agent/include')}`];
  await compile(source, library, flags);
  return library;
}

const example = (scratch: Scratch): Promise<string> =>
  buildPlugin(scratch, 'example', inTree('native-agent/examples/external/plugin.c'));

function settingsFile(scratch: Scratch, name: string, settings: object): string {
  const file = join(scratch.folder, `${name}.json`);
  writeFileSync(file, JSON.stringify(settings));
  return file;
}

async function withServer(
  address: (scratch: Scratch) => number | string,
  work: (scratch: Scratch, server: AccountServer) => Promise<void>,
): Promise<void> {
  const scratch = new Scratch();
  const server = await AccountServer.listen(address(scratch));
  try {
    await work(scratch, server);
  } finally {
    await server.close();
    await scratch.close();
  }
}

/** Further turns, counted from now. */
async function goesOn(program: Program, turns = 3): Promise<void> {
  const from = program.lines.length;
  for (let i = 0; i < turns; i++) {
    const line = await program.line(/^(turn|FAIL)/, 20);
    assert.doesNotMatch(line, /FAIL/, program.transcript());
  }
  assert.ok(program.lines.length >= from);
}

async function ends(programs: readonly Program[], file: string): Promise<void> {
  writeFileSync(file, '');
  for (const program of programs) {
    await program.line(/^(done|FAIL)/, 30);
    assert.equal(await program.exit(), 0, program.transcript());
  }
}

for (const [kind, address] of [
  ['TCP', () => 0],
  ['Unix', (scratch: Scratch) => join(scratch.folder, 'server')],
] as const) {
  test(`a connection to a server outside goes on after checkpoints, and at another server after a restart: ${kind}`, () =>
    withServer(address, async (scratch, server) => {
      const other = await AccountServer.listen(kind === 'TCP' ? 0 : join(scratch.folder, 'other'), server);
      try {
        const library = await example(scratch);
        const { plugin: was, program: target } = server.address;
        const settings = settingsFile(scratch, 'here', { server: was });
        const file = join(scratch.folder, 'stop');
        const command = [await tool('account'), target, file];
        const program = scratch.cairnProgram(['run', '--session', 'one', '--plugin', `${library}=${settings}`, '--', ...command]);
        await goesOn(program);
        const { snapshot } = await scratch.checkpoint('one');
        assert.equal(server.wentOn, 1, 'the connection was not made anew after the checkpoint');
        await goesOn(program);
        await scratch.checkpoint('one');
        await goesOn(program);
        assert.equal(server.wentOn, 2);

        const elsewhere = settingsFile(scratch, 'there', { server: other.address.plugin, was });
        const restart = (session: string): Program =>
          scratch.cairnProgram(['restart', snapshot, '--session', session, '--plugin', `${library}=${elsewhere}`]);
        const [left, right] = [restart('left'), restart('right')];
        for (const restarted of [left, right]) await goesOn(restarted);
        assert.equal(other.wentOn, 2, 'the restarted ones are not at the other server');
        const again = await scratch.checkpoint('left', '--then', 'kill');
        await left.exit();
        const third = scratch.cairnProgram(['restart', again.snapshot, '--session', 'third']);
        await goesOn(third);
        await ends([program, right, third], file);
      } finally {
        await other.close();
      }
    }));
}

test('a descriptor that a plugin has marked is external, also after a restart', () =>
  withServer(
    () => 0,
    async (scratch, server) => {
      const library = await example(scratch);
      const settings = settingsFile(scratch, 'marks', { server: server.address.plugin, mark: true });
      const file = join(scratch.folder, 'stop');
      const command = [await tool('account'), server.address.program, file];
      const program = scratch.cairnProgram(['run', '--session', 'one', '--plugin', `${library}=${settings}`, '--', ...command]);
      await goesOn(program);
      const first = await scratch.checkpoint('one', '--then', 'kill');
      await program.exit();
      const second = scratch.cairnProgram(['restart', first.snapshot, '--session', 'two']);
      await goesOn(second);
      const { snapshot } = await scratch.checkpoint('two', '--then', 'kill');
      await second.exit();
      const third = scratch.cairnProgram(['restart', snapshot, '--session', 'three']);
      await goesOn(third);
      await ends([third], file);
    },
  ));

for (const marks of [false, true])
  test(`without the plugin that has taken it off, a connection is nobody's, and the restart is refused: ${marks ? 'marked' : 'by its peer'}`, () =>
    withServer(
      () => 0,
      async (scratch, server) => {
        const library = await example(scratch);
        const settings = settingsFile(scratch, 'here', { server: server.address.plugin, ...(marks ? { mark: true } : {}) });
        const file = join(scratch.folder, 'stop');
        const command = [await tool('account'), server.address.program, file];
        const program = scratch.cairnProgram(['run', '--session', 'one', '--plugin', `${library}=${settings}`, '--', ...command]);
        await goesOn(program);
        const { snapshot } = await scratch.checkpoint('one');
        const refused = scratch.cairnProgram(['restart', snapshot, '--session', 'two', '--without', 'example']);
        assert.equal(await refused.exit(), 1, refused.transcript());
        assert.match(refused.stderr, /leaves the computation and is external, and no plugin of this restart brings it back/);
        assert.match((await scratch.cairn(['logs', '--session', 'two'])).stdout, /restarted without example\.so/);
        await goesOn(program);
        // Another plugin may take it over: here the same one anew.
        const again = ['--without', 'example', '--plugin', `${library}=${settings}`];
        const third = scratch.cairnProgram(['restart', snapshot, '--session', 'three', ...again]);
        await goesOn(third);
        await ends([program, third], file);
      },
    ));

test('a held computation may be checkpointed twice; a checkpoint that fails brings the connection back', () =>
  withServer(
    () => 0,
    async (scratch, server) => {
      const library = await example(scratch);
      const settings = settingsFile(scratch, 'here', { server: server.address.plugin });
      const fails = join(scratch.folder, 'fails');
      const failing = `${await buildPlugin(scratch, 'failing', join(probeSources, 'tools/failing_plugin.c'))}=${settingsFile(scratch, 'failing', { file: fails })}`;
      const file = join(scratch.folder, 'stop');
      const command = [await tool('account'), server.address.program, file];
      const plugins = ['--plugin', `${library}=${settings}`, '--plugin', failing];
      const program = scratch.cairnProgram(['run', '--session', 'one', ...plugins, '--', ...command]);
      await goesOn(program);
      await scratch.json(['hold', '--session', 'one']);
      await scratch.checkpoint('one');
      const { snapshot } = await scratch.checkpoint('one');
      assert.equal(server.wentOn, 0);
      await scratch.json(['resume', '--session', 'one']);
      await goesOn(program);
      assert.equal(server.wentOn, 1);
      writeFileSync(fails, '');
      const refused = await scratch.cairn(['checkpoint', '--session', 'one']);
      assert.match(refused.stderr, /wants this checkpoint to fail/);
      rmSync(fails);
      await goesOn(program);
      assert.equal(server.wentOn, 2);
      const again = scratch.cairnProgram(['restart', snapshot, '--session', 'two']);
      await goesOn(again);
      await ends([program, again], file);
    },
  ));

test('a connection that is taken off but not saved: the checkpoint fails, and the plugin is asked to bring it back', () =>
  withServer(
    () => 0,
    async (scratch, server) => {
      const library = await buildPlugin(scratch, 'breaking', join(probeSources, 'tools/breaking_plugin.c'));
      const breaks = join(scratch.folder, 'breaks');
      const plugin = `${library}=${settingsFile(scratch, 'breaking', { file: breaks })}`;
      const file = join(scratch.folder, 'stop');
      const command = [await tool('account'), server.address.program, file];
      const program = scratch.cairnProgram(['run', '--session', 'one', '--plugin', plugin, '--', ...command]);
      await goesOn(program);
      writeFileSync(breaks, '');
      const refused = await scratch.cairn(['checkpoint', '--session', 'one']);
      assert.notEqual(refused.status, 0);
      assert.match(refused.stderr, new RegExp(`${server.address.plugin}.*error 5`));
      assert.ok(!existsSync(breaks), 'it was not asked to bring the connection back');
      await goesOn(program);
      await scratch.checkpoint('one');
      await ends([program], file);
    },
  ));

test('by rule a connection is external: a restart needs a plugin that knows it, and may be given one', () =>
  withServer(
    () => 0,
    async (scratch, server) => {
      const { plugin: address, program: port } = server.address;
      const file = join(scratch.folder, 'stop');
      const command = [await tool('account'), port, file];
      const program = scratch.cairnProgram(['run', '--session', 'one', '--connection', `${address}=external`, '--', ...command]);
      await goesOn(program);
      const { snapshot } = await scratch.checkpoint('one');
      await goesOn(program);
      const refused = scratch.cairnProgram(['restart', snapshot, '--session', 'two']);
      assert.equal(await refused.exit(), 1);
      assert.match(refused.stderr, new RegExp(`${address} \\(descriptor \\d+\\).*is external, and no plugin.*--plugin`));
      const closed = scratch.cairnProgram(['restart', snapshot, '--session', 'closed', '--connection', `${address}=close`]);
      await closed.line(/^FAIL: (read|write) \(errno (104|32)/);
      await closed.exit();
      await ends([program], file);
    },
  ));

test('a restart whose server refuses ends with the reason', () =>
  withServer(
    () => 0,
    async (scratch, server) => {
      const library = await example(scratch);
      const settings = settingsFile(scratch, 'here', { server: server.address.plugin });
      const gone = settingsFile(scratch, 'gone', { server: '127.0.0.1:1', was: server.address.plugin });
      const file = join(scratch.folder, 'stop');
      const command = [await tool('account'), server.address.program, file];
      const program = scratch.cairnProgram(['run', '--session', 'one', '--plugin', `${library}=${settings}`, '--', ...command]);
      await goesOn(program);
      const { snapshot } = await scratch.checkpoint('one');
      const refused = scratch.cairnProgram(['restart', snapshot, '--session', 'two', '--plugin', `${library}=${gone}`]);
      assert.equal(await refused.exit(), 1);
      assert.match(refused.stderr, /server cannot be reached/);
      await goesOn(program);
      await ends([program], file);
    },
  ));
