/**
 * Hosts of these tests' own: network namespaces joined by a bridge, each with an address, loopback, and a daemon that starts programs
 * there (reach.mjs); with `pids`, in a process namespace of its own, too. Everything is gone after close(). Needs the right to make
 * namespaces; without it `refusal` says what is missing.
 */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sweep } from '../support/processes.js';
import { Program } from '../support/program.js';
import { Scratch } from '../support/scratch.js';
import { inTree } from '../support/tree.js';

const reachProgram = inTree('test/hosts/reach.mjs');

function ip(...words: string[]): void {
  execFileSync('ip', words, { stdio: ['ignore', 'ignore', 'pipe'] });
}

/** Why there can be no hosts here; undefined: there can. */
export function refusal(): string | undefined {
  const name = `cairn-t${process.pid}`;
  try {
    ip('netns', 'add', name);
    ip('netns', 'del', name);
    return undefined;
  } catch (error) {
    return `network namespaces cannot be made here (ip netns): ${error instanceof Error ? error.message.split('\n').join(' ') : ''}`;
  }
}

export interface TestHost {
  namespace: string;
  address: string;
  /** By which the launcher knows it: the daemon's socket. */
  name: string;
}

export class Network {
  readonly scratch = new Scratch();
  readonly #hosts: TestHost[] = [];
  readonly #daemons: Program[] = [];
  readonly #bridge = `cairn-t${process.pid}`;

  private constructor() {}

  static async open(count: number, options: { pids?: boolean } = {}): Promise<Network> {
    const network = new Network();
    try {
      ip('netns', 'add', network.#bridge);
      ip('-n', network.#bridge, 'link', 'add', 'bridge', 'type', 'bridge');
      ip('-n', network.#bridge, 'link', 'set', 'bridge', 'up');
      for (let index = 1; index <= count; index++) await network.#add(index, options.pids ?? false);
      writeFileSync(network.launcher, `#!/bin/sh\nexec ${process.execPath} ${reachProgram} run "$@"\n`, { mode: 0o755 });
      return network;
    } catch (error) {
      await network.close();
      throw error;
    }
  }

  /** Starts a program on a host: launcher HOST WORDS... */
  get launcher(): string {
    return join(this.scratch.folder, 'reach');
  }
  get pattern(): string {
    return `${this.launcher} {host} {shell}`;
  }

  host(index: number): TestHost {
    const host = this.#hosts[index];
    if (host === undefined) throw new RangeError(`there is no host ${index}`);
    return host;
  }

  async #add(index: number, pids: boolean): Promise<void> {
    const namespace = `${this.#bridge}-${index}`;
    const host = { namespace, address: `10.88.7.${index}`, name: join(this.scratch.folder, `host${index}`) };
    this.#hosts.push(host);
    ip('netns', 'add', namespace);
    ip('link', 'add', `h${index}`, 'netns', namespace, 'type', 'veth', 'peer', 'name', `b${index}`, 'netns', this.#bridge);
    ip('-n', this.#bridge, 'link', 'set', `b${index}`, 'master', 'bridge', 'up');
    ip('-n', namespace, 'addr', 'add', `${host.address}/24`, 'dev', `h${index}`);
    ip('-n', namespace, 'link', 'set', `h${index}`, 'up');
    ip('-n', namespace, 'link', 'set', 'lo', 'up');
    const own = pids ? ['unshare', '--pid', '--fork', '--mount-proc', '--kill-child'] : [];
    const daemon = new Program([...this.on(host, []), ...own, process.execPath, reachProgram, 'serve', host.name], {
      cwd: '/',
      // A host's own environment: nothing of the session's.
      env: { PATH: '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin', HOME: '/', CAIRN_RUNTIME_DIR: this.scratch.runtime },
    });
    this.#daemons.push(daemon);
    await daemon.line(/^ready$/, 60);
  }

  /** The words that run a command on a host. */
  on({ namespace }: TestHost, words: readonly string[]): string[] {
    return ['ip', 'netns', 'exec', namespace, ...words];
  }

  async close(): Promise<void> {
    for (const daemon of this.#daemons) daemon.end();
    try {
      await this.scratch.close();
    } finally {
      await sweep(this.scratch.folder, 1);
      for (const { namespace } of this.#hosts) tolerate(() => ip('netns', 'del', namespace));
      tolerate(() => ip('netns', 'del', this.#bridge));
    }
  }
}

function tolerate(work: () => void): void {
  try {
    work();
  } catch {
    // It was never made.
  }
}
