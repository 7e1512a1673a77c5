/**
 * The example of native-agent/examples/rack with 200 processes on two hosts: one leader of each host, names over hosts, barriers of a
 * plugin's own, nested ones and one that takes place only where it is needed; and a process that dies or hangs at one.
 */
import assert from 'node:assert/strict';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { SessionStatus } from '../../debug-adapter/src/protocol/control.js';
import type { OperationTimeline } from '../../debug-adapter/src/protocol/timeline.js';
import { compile, probeOutput } from '../probes/catalogue.js';
import { waitFor } from '../support/processes.js';
import { cairnCommand, inTree } from '../support/tree.js';
import { cairn, join_, type Result, run, snapshot, withNetwork } from './commands.js';
import { type Network, refusal, type TestHost } from './network.js';

const ON_EACH = 100;
const ALL = 2 * ON_EACH;

async function build(): Promise<{ many: string; rack: string; waiting: string }> {
  const folder = join(probeOutput, 'hosts');
  const built = { many: join(folder, 'many'), rack: join(folder, 'rack.so'), waiting: join(folder, 'waiting.so') };
  const shared = ['-shared', '-fPIC', '-fvisibility=hidden'];
  await compile(inTree('test/hosts/many.c'), built.many, []);
  await compile(inTree('native-agent/examples/rack/plugin.c'), built.rack, shared);
  await compile(inTree('test/hosts/waiting.c'), built.waiting, ['-shared', '-fPIC']);
  return built;
}

class Rack {
  readonly busy: string;
  readonly gate: string;
  constructor(
    readonly network: Network,
    readonly host: TestHost,
    readonly other: TestHost,
  ) {
    this.busy = join(network.scratch.folder, 'busy');
    this.gate = join(network.scratch.folder, 'gate');
  }

  async start(session: string): Promise<void> {
    const { many, rack, waiting } = await build();
    const { folder, runtime } = this.network.scratch;
    const settings = join(folder, 'settings.json');
    writeFileSync(settings, JSON.stringify({ busy: this.busy, gate: this.gate }));
    const plugins = [rack, waiting].flatMap((library) => ['--plugin', `${library}=${settings}`]);
    const there = [join(folder, 'there'), join(folder, 'there too')];
    const options = ['--session', session, '--listen', this.host.address, ...plugins, '--detach'];
    const words = ['env', 'CAIRN_PHASE_TIMEOUT=3', cairnCommand, 'run', ...options, '--', many, `${ON_EACH}`, there[0] ?? ''];
    const begun = await run(this.network, this.host, words);
    assert.equal(begun.status, 0, begun.stderr);
    const { listen } = await this.status(session);
    const secret = join(runtime, 'cairn', session, 'secret');
    const joined = await join_(this.network, this.other, listen ?? '', secret, 'bee', many, `${ON_EACH}`, there[1] ?? '');
    assert.equal(joined.status, 0, joined.stderr);
    await waitFor('all processes', () => there.every((file) => existsSync(file)), 30);
    await waitFor('all agents', async () => (await this.status(session)).processes.length === ALL);
  }

  async status(session: string): Promise<SessionStatus> {
    return JSON.parse(await cairn(this.network, this.host, 'status', '--session', session, '--json')) as SessionStatus;
  }

  async barriers(session: string): Promise<string[]> {
    const words = ['barriers', '--session', session, '--json'];
    const last = JSON.parse(await cairn(this.network, this.host, ...words)) as OperationTimeline;
    return last.phases.filter(({ barrier }) => barrier.startsWith('rack.')).map(({ barrier }) => barrier);
  }

  checkpoint(session: string, ...options: string[]): Promise<Result> {
    return run(this.network, this.host, [cairnCommand, 'checkpoint', '--session', session, ...options]);
  }

  /** Until a checkpoint waits for processes with this reason, and no others; gives how many. */
  heldOff(session: string, why: RegExp): Promise<number> {
    return waitFor(`some that wait for ${String(why)}`, async () => {
      const all = (await this.status(session)).operation?.heldOff ?? [];
      return all.length > 0 && all.every((one) => why.test(one.why)) ? all.length : undefined;
    });
  }

  /** What a checkpoint says at whose barrier a process hangs, when `then` has happened. */
  async hangs(session: string, virtualPid: number, then: () => void): Promise<string> {
    writeFileSync(this.gate, `${virtualPid}\n`);
    const failing = this.checkpoint(session);
    await waitFor('the barrier', () => existsSync(`${this.gate}.${virtualPid}`));
    then();
    await waitFor('the abort edge', async () => (await this.status(session)).operation?.phases.at(-1)?.phase === 'abort');
    rmSync(this.gate);
    const { status, stderr } = await failing;
    assert.equal(status, 1, stderr);
    return stderr;
  }

  async runsOn(session: string, count: number): Promise<void> {
    const runs = async (): Promise<boolean> => {
      const { state, processes, operation } = await this.status(session);
      return state === 'running' && operation?.finished !== false && processes.length === count;
    };
    await waitFor(`${count} processes that run`, runs, 20);
  }

  /** What the leaders have said last: one of each host, the same. */
  async agreed(session: string, times: number): Promise<void> {
    const { processes } = await this.status(session);
    const sum = processes.reduce((total, { virtualPid }) => total + virtualPid, 0);
    const log = await cairn(this.network, this.host, 'logs', '--session', session);
    const said = [...log.matchAll(/rack: (\d+) leads (\d+) ports of (\d+) on (\d+) hosts, sum (\d+)/g)].slice(-2);
    assert.equal([...log.matchAll(/rack: \d+ leads/g)].length, 2 * times, log);
    for (const [, , , all, hosts, ports] of said) assert.deepEqual([all, hosts, ports].map(Number), [processes.length, 2, sum]);
    const leaders = said.map(([, leader]) => processes.find(({ virtualPid }) => virtualPid === Number(leader))?.host);
    assert.equal(new Set(leaders).size, 2, said.join('\n'));
  }
}

test('200 processes on two hosts', { skip: refusal() ?? false, timeout: 180_000 }, () =>
  withNetwork(2, async (network) => {
    const [a, b] = [network.host(0), network.host(1)];
    const rack = new Rack(network, a, b);
    await rack.start('one');

    // One process hangs at a barrier where all others wait for it: at the deadline it is named, and nobody else.
    const { processes } = await rack.status('one');
    const hanging = processes.findLast(({ host }) => host !== 'bee');
    const [there, dying] = processes.filter(({ host }) => host === 'bee');
    assert.ok(hanging && there && dying);
    for (const { virtualPid } of [hanging, there]) {
      const late = await rack.hangs('one', virtualPid, () => undefined);
      assert.match(late, new RegExp(`not arrived: ${virtualPid} \\(many; in plugin waiting, at this barrier\\)$`, 'm'));
      await rack.runsOn('one', ALL);
    }

    // One dies there.
    const dead = await rack.hangs('one', dying.virtualPid, () => process.kill(dying.realPid, 'SIGKILL'));
    assert.match(dead, new RegExp(`${dying.virtualPid} \\(many\\) ended .*, in plugin waiting, at this barrier`));
    await rack.runsOn('one', ALL - 1);

    // Where some have open transactions there is one barrier more, at which these are waited for, and no others.
    writeFileSync(rack.busy, '');
    const busy = rack.checkpoint('one');
    const open = (await rack.status('one')).processes.filter(({ virtualPid }) => virtualPid % 10 === 0);
    assert.equal(await rack.heldOff('one', /its board to be idle/), open.length);
    rmSync(rack.busy);
    assert.equal((await busy).status, 0);
    assert.deepEqual(await rack.barriers('one'), ['rack.enter', 'rack.meet', 'rack.agree', 'rack.learn', 'rack.settle']);
    await rack.runsOn('one', ALL - 1);
    await rack.agreed('one', 1);

    const last = await snapshot(network, a, 'one');
    await rack.agreed('one', 2);
    assert.deepEqual(await rack.barriers('one'), ['rack.enter', 'rack.meet', 'rack.agree', 'rack.learn']);
    await cairn(network, a, 'stop', '--session', 'one', '--grace', '0');
    const where = ['--listen', a.address, '--host', `bee=${b.name}`, '--launcher', network.pattern];
    await cairn(network, a, 'restart', last, '--session', 'two', '--detach', ...where);
    await rack.runsOn('two', ALL - 1);
    await rack.agreed('two', 1);
    await cairn(network, a, 'stop', '--session', 'two', '--grace', '0');
  }),
);
