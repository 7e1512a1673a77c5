/**
 * Computations over several hosts, which are network namespaces of the tests' own: joining, connections between hosts with data on the
 * way, restarts there, elsewhere and on one, and what must not come in. The hosts share a file system, as hosts of one site do.
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { compile, probeOutput } from '../probes/catalogue.js';
import { isAlive, readProc, waitFor } from '../support/processes.js';
import { cairnCommand, inTree } from '../support/tree.js';
import { cairn, join_, listening, run, type Status, snapshot, statusOf, withNetwork } from './commands.js';
import { type Network, refusal, type TestHost } from './network.js';

const skip = refusal() ?? false;
const seconds = (count: number) => ({ skip, timeout: count * 1000 });

const idsOf = ({ processes }: Status): number[] => processes.map((one) => one.virtualPid).toSorted((a, b) => a - b);

/** Two programs on two hosts that count to each other. */
class Talk {
  readonly report: string;
  constructor(readonly network: Network) {
    this.report = join(network.scratch.work, 'report');
  }

  async start(session: string, host: TestHost, other: TestHost): Promise<void> {
    const program = join(probeOutput, 'hosts', 'talker');
    await compile(inTree('test/hosts/talker.c'), program, []);
    const { launcher, pattern } = this.network;
    const words = [program, 'main', host.address, '5151', this.report, launcher, other.name];
    await cairn(
      this.network,
      host,
      'run',
      '--session',
      session,
      '--listen',
      host.address,
      '--launcher',
      pattern,
      '--detach',
      '--',
      ...words,
    );
    await this.advances('after the start');
  }

  #read(which: string): string {
    try {
      return readFileSync(`${this.report}${which}`, 'utf8');
    } catch {
      return '';
    }
  }

  #numbers(which: string): { in: number; out: number; names: string } | undefined {
    const found = /^in (\d+) out (\d+) pid (\d+) names (\w+)/.exec(this.#read(which));
    return found ? { in: Number(found[1]), out: Number(found[2]), names: found[4] ?? '' } : undefined;
  }

  /** Both receive more than they have by now, in order, and see the names that they had. */
  async advances(when: string): Promise<void> {
    for (const which of ['', '.worker']) {
      const before = this.#numbers(which)?.in ?? 0;
      await waitFor(
        `progress of ${which || 'main'} ${when}`,
        () => {
          const text = this.#read(which);
          assert.doesNotMatch(text, /wrong|broken/, when);
          return (this.#numbers(which)?.in ?? 0) > before + 10_000;
        },
        30,
      ).catch((error: Error) => {
        throw new Error(`${error.message}: ${this.#read(which)}\n${this.network.scratch.logs()}`);
      });
      assert.equal(this.#numbers(which)?.names, 'same', `names ${when}`);
    }
  }

  /** What they have said is of the run before. */
  forget(): void {
    for (const which of ['', '.worker']) rmSync(`${this.report}${which}`, { force: true });
  }

  /** main closes, the worker ends with its status, and main gets that from the launcher. */
  async finish(): Promise<void> {
    writeFileSync(`${this.report}.stop`, '');
    await waitFor('the end', () => this.#read('').startsWith('done'), 30);
    assert.equal(this.#read(''), 'done 7\n');
  }
}

async function restart(talk: Talk, host: TestHost, session: string, from: string, ...args: string[]): Promise<Status> {
  talk.forget();
  await cairn(talk.network, host, 'restart', from, '--session', session, '--in-place', '--detach', ...args);
  await talk.advances(`in ${session}`);
  return statusOf(talk.network, host, session);
}

test('a worker on another host is checkpointed and restarted with what is on the way', seconds(240), () =>
  withNetwork(4, async (network) => {
    const [a, b, c, d] = [network.host(0), network.host(1), network.host(2), network.host(3)];
    const talk = new Talk(network);
    await talk.start('one', a, b);
    const first = await statusOf(network, a, 'one');
    assert.equal(first.hosts.length, 2);
    const other = first.hosts[1]?.name ?? '';
    assert.equal(first.processes.filter((one) => one.host === other && one.executable.endsWith('talker')).length, 1);
    await snapshot(network, a, 'one');
    await talk.advances('after a checkpoint');
    let last = await snapshot(network, a, 'one', '--then', 'kill');
    const begun = idsOf(first);

    for (const cycle of [1, 2, 3, 4, 5]) {
      const session = `cycle${cycle}`;
      const now = await restart(talk, a, session, last, '--host', `${other}=${b.name}`);
      assert.deepEqual(idsOf(now), begun);
      assert.equal(new Set(now.hosts.map((one) => one.machine)).size, 2);
      last = await snapshot(network, a, session, '--then', 'kill');
    }

    // Places changed, with other addresses; then hosts that had no part in it; then one for all.
    await restart(talk, b, 'swapped', last, '--listen', b.address, '--host', `${other}=${a.name}`);
    last = await snapshot(network, b, 'swapped', '--then', 'kill');
    await restart(talk, c, 'others', last, '--listen', c.address, '--host', `${other}=${d.name}`);
    last = await snapshot(network, c, 'others', '--then', 'kill');
    const all = await restart(talk, a, 'all', last);
    assert.deepEqual(
      all.hosts.map((one) => one.machine),
      [0, 0],
    );
    assert.deepEqual(idsOf(all), begun);
    last = await snapshot(network, a, 'all', '--then', 'kill');
    // And from one to two again.
    await restart(talk, a, 'apart', last, '--listen', a.address, '--host', `${other}=${b.name}`);
    await talk.finish();
  }),
);

test('what is on one host is said when all are restarted there', seconds(120), () =>
  withNetwork(2, async (network) => {
    const [a, b] = [network.host(0), network.host(1)];
    const talk = new Talk(network);
    await talk.start('one', a, b);
    const last = await snapshot(network, a, 'one', '--then', 'kill');
    const shown = await run(network, a, [cairnCommand, 'restart', last, '--session', 'two', '--in-place', '--detach']);
    assert.equal(shown.status, 0, shown.stderr);
    assert.match(shown.stderr, /2 hosts .* are restarted on this one/);
    await cairn(network, a, 'stop', '--session', 'two');
    const wrong = await run(network, a, [
      cairnCommand,
      'restart',
      last,
      '--session',
      'three',
      '--in-place',
      '--host',
      'nowhere=x',
    ]);
    assert.equal(wrong.status, 2, wrong.stderr);
    assert.match(wrong.stderr, /no host "nowhere"/);
  }),
);

test('a process that is killed during a barrier lets both hosts run on', seconds(120), () =>
  withNetwork(2, async (network) => {
    const [a, b] = [network.host(0), network.host(1)];
    const plugin = join(probeOutput, 'hosts', 'waiting.so');
    await compile(inTree('test/hosts/waiting.c'), plugin, ['-shared', '-fPIC', `-I${inTree('native-agent/include')}`]);
    const gate = join(network.scratch.folder, 'gate');
    const settings = join(network.scratch.folder, 'settings.json');
    writeFileSync(settings, JSON.stringify({ gate }));
    const { listen, secret } = await listening(network, a, 'one', '--plugin', `${plugin}=${settings}`);
    const joined = await join_(network, b, listen, secret, 'bee', 'sh', '-c', 'sleep 1001 & sleep 1002 & wait');
    assert.equal(joined.status, 0, joined.stderr);
    const pids = await waitFor('three processes there', async () => {
      const { processes } = await statusOf(network, a, 'one');
      return processes.filter((one) => one.host === 'bee').length === 3 ? processes : undefined;
    });
    const victim = pids.find((one) => one.host === 'bee' && readProc(one.realPid, 'cmdline').includes('1001'))?.realPid ?? 0;
    assert.ok(victim > 0);
    // All wait at the plugin's barrier until the gate is open.
    writeFileSync(gate, '');
    const failing = run(network, a, [cairnCommand, 'checkpoint', '--session', 'one']);
    const waiting = () => pids.every(({ virtualPid }) => existsSync(`${gate}.${virtualPid}`));
    await waitFor('all processes at the barrier', waiting);
    process.kill(victim, 'SIGKILL');
    rmSync(gate);
    const { status, stderr } = await failing;
    assert.equal(status, 1, stderr);
    assert.match(stderr, /ended/);
    assert.equal((await statusOf(network, a, 'one')).state, 'running');
    assert.equal((await statusOf(network, a, 'one')).processes.length, pids.length - 1);
    await snapshot(network, a, 'one');
    await cairn(network, a, 'stop', '--session', 'one');
    await waitFor('the end on both hosts', () => pids.every((one) => !isAlive(one.realPid)));
  }),
);

test('who does not know the secret cannot join', seconds(60), () =>
  withNetwork(2, async (network) => {
    const [a, b] = [network.host(0), network.host(1)];
    const { listen } = await listening(network, a, 'one');
    const wrong = join(network.scratch.folder, 'wrong');
    writeFileSync(wrong, `${'0'.repeat(64)}\n`, { mode: 0o600 });
    const refused = await join_(network, b, listen, wrong, 'bee', 'sleep', '1000');
    assert.equal(refused.status, 1);
    assert.match(refused.stderr, /secret/);
    assert.match(await cairn(network, a, 'logs', '--session', 'one'), /refused: it does not know the secret/);
    assert.equal((await statusOf(network, a, 'one')).hosts.length, 1);
    await cairn(network, a, 'stop', '--session', 'one');
  }),
);

test('processes with the same real id on two hosts have names of their own', seconds(120), () =>
  withNetwork(
    3,
    async (network) => {
      const [a, b, c] = [network.host(0), network.host(1), network.host(2)];
      const program = join(probeOutput, 'hosts', 'talker');
      await compile(inTree('test/hosts/talker.c'), program, []);
      const { listen, secret } = await listening(network, a, 'one');
      for (const [host, name] of [
        [b, 'bee'],
        [c, 'sea'],
      ] as const) {
        const words = [cairnCommand, 'join', '--coordinator', listen, '--secret-file', secret, '--name', name, '--detach', '--'];
        const script = `${words.join(' ')} sh -c 'echo $$ > ${network.scratch.work}/${name}; exec sleep 1003'`;
        const { status, stderr } = await run(network, a, [network.launcher, host.name, script]);
        assert.equal(status, 0, stderr);
      }
      const processes = await waitFor('both', async () => {
        const found = (await statusOf(network, a, 'one')).processes.filter(({ executable }) => executable.endsWith('sleep'));
        return found.length === 3 ? found : undefined;
      });
      assert.equal(new Set(processes.map((one) => one.virtualPid)).size, 3);
      for (const { host, virtualPid, realPid } of processes.filter((one) => one.host === 'bee' || one.host === 'sea')) {
        // In namespaces of their own their real ids are small, and equal.
        assert.ok(realPid < 1000, `real id ${realPid}`);
        assert.equal(
          readFileSync(join(network.scratch.work, host), 'utf8').trim(),
          String(virtualPid),
          `the shell's $$ on ${host}`,
        );
      }
      const [one, two] = processes.filter((process) => process.host !== (processes[0]?.host ?? ''));
      assert.equal(one?.realPid, two?.realPid);
      await snapshot(network, a, 'one', '--then', 'kill');
    },
    { pids: true },
  ),
);
