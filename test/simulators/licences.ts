/**
 * The licence server of native-agent/examples/licence as tests see it: built in a folder of the tests' own; daemons with their logs, the
 * tool under Cairn and without, seats as the daemon counts them, and whether all work was done under a lease.
 */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { waitFor } from '../support/processes.js';
import type { Program } from '../support/program.js';
import type { Scratch } from '../support/scratch.js';
import { cairnCommand, inTree } from '../support/tree.js';
import { runToEnd } from './soc.js';

const build = inTree('build/test/licence');
const example = inTree('native-agent/examples/licence');
const at = (name: string): string => join(build, name);

export const KEY = at('vendor.key');
export const FEATURE = 'sim';

export async function buildLicence(): Promise<void> {
  const { status, stdout, stderr } = await runToEnd(['make', '-C', example, `BUILD=${build}`], example);
  assert.equal(status, 0, `${stdout}${stderr}`);
}

export type Settings = {
  server?: string;
  at_checkpoint?: 'release' | 'keep';
  keep_s?: number;
  no_seat?: 'refuse' | 'wait';
  limit_s?: number;
  patience_ms?: number;
};
export type Daemon = { address: string; program: Program };
export type DaemonOptions = {
  seats?: number;
  by?: 'session' | 'host';
  leaseMs?: number;
  faults?: readonly string[];
  port?: string;
  key?: string;
};
export type Seats = { used: number; kept: number };

type Lease = { from: bigint; until?: bigint; ranOut?: bigint };
type Piece = { lease: string; from: bigint; until: bigint; line: string };

export class Licences {
  readonly #daemons: Daemon[] = [];
  readonly #tools: Program[] = [];
  #files = 0;

  constructor(readonly scratch: Scratch) {}

  get #stop(): string {
    return join(this.scratch.folder, 'stop');
  }

  async start({
    seats = 1,
    by = 'session',
    leaseMs = 600_000,
    faults = [],
    port = '0',
    key = KEY,
  }: DaemonOptions = {}): Promise<Daemon> {
    const options = ['--key', key, '--port', port, '--lease-ms', String(leaseMs), '--feature', `${FEATURE}:${seats}:${by}`];
    const program = this.scratch.start([at('licenced'), ...options, ...faults.flatMap((one) => ['--fault', one])]);
    const line = await program.line(/^listening on /);
    const daemon = { address: line.replace('listening on ', ''), program };
    this.#daemons.push(daemon);
    return daemon;
  }

  /** Another one in the place of one that has ended. */
  again(ended: Daemon, options: DaemonOptions = {}): Promise<Daemon> {
    return this.start({ ...options, port: ended.address.split(':')[1] ?? '' });
  }

  /** Another vendor's key. */
  async otherKey(): Promise<string> {
    const file = join(this.scratch.folder, 'other.key');
    const { status, stderr } = await runToEnd([at('licenced'), '--new-key', file], this.scratch.folder);
    assert.equal(status, 0, stderr);
    return file;
  }

  /** The tool without Cairn. */
  tool(address: string, env: Record<string, string> = {}): Program {
    return this.#note(this.scratch.start([at('tool'), address, FEATURE, this.#stop], { env }));
  }

  plugin(settings: Settings): string[] {
    const file = join(this.scratch.folder, `licence-${++this.#files}.json`);
    writeFileSync(file, JSON.stringify({ patience_ms: 8000, ...settings }));
    return ['--plugin', `${at('licence_plugin.so')}=${file}`];
  }

  /** The tool under Cairn, at work: one process of it, or as a job of several with these sessions. */
  async run(session: string, address: string, settings: Settings = {}, job: readonly string[] = []): Promise<Program> {
    const tool = [at('tool'), address, FEATURE, this.#stop];
    const script = `${job.map((name) => `LIC_SESSION=${name} "$@" & `).join('')} wait`;
    const command = job.length === 0 ? tool : ['sh', '-c', script, 'job', ...tool];
    const program = this.#note(
      this.scratch.cairnProgram(['run', '--session', session, ...this.plugin(settings), '--', ...command]),
    );
    await works(program);
    return program;
  }

  /** What the plugin can be told: each of it, as it is by itself where there is such a value. */
  get allSettings(): Record<string, unknown> {
    const { properties } = JSON.parse(readFileSync(at('licence_plugin.schema.json'), 'utf8')) as {
      properties: Record<string, { default?: unknown }>;
    };
    return Object.fromEntries(Object.entries(properties).map(([name, property]) => [name, property.default]));
  }

  restart(snapshot: string, session: string, settings: Settings, { detach = false, pty = false, ignored = '' } = {}): Program {
    const args = ['restart', snapshot, '--session', session, ...this.plugin(settings), ...(detach ? ['--detach'] : [])];
    const shell = ['sh', '-c', `trap '' ${ignored}; exec "$@"`, 'sh', cairnCommand];
    return this.#note(ignored === '' ? this.scratch.cairnProgram(args, { pty }) : this.scratch.start([...shell, ...args]));
  }

  #note(tool: Program): Program {
    this.#tools.push(tool);
    return tool;
  }

  /** As the daemon counts them now. */
  async seats({ address }: Daemon): Promise<Seats> {
    const { status, stdout } = await runToEnd([at('seats'), address, FEATURE], this.scratch.folder);
    const match = /^(\d+) of \d+ seats of \w+ are in use, (\d+) of them kept/.exec(stdout);
    assert.ok(status === 0 && match, stdout);
    return { used: Number(match[1]), kept: Number(match[2]) };
  }

  seatsBecome(daemon: Daemon, wanted: Seats): Promise<true> {
    return waitFor(`seats ${JSON.stringify(wanted)}`, async () => {
      const { used, kept } = await this.seats(daemon);
      return used === wanted.used && kept === wanted.kept;
    });
  }

  /** What a session waits for, as its user sees it. */
  waits(session: string, what: string): Promise<true> {
    return waitFor(what, async () =>
      (await this.scratch.cairn(['status', '--session', session, '--json'])).stdout.includes(what),
    );
  }

  async end(daemon: Daemon): Promise<void> {
    daemon.program.end();
    await daemon.program.exit();
  }

  /** Ends what runs by its file, and looks whether all that was ever done was done under a lease. */
  async endRight(...tools: Program[]): Promise<void> {
    writeFileSync(this.#stop, '');
    for (const tool of tools) assert.equal(await tool.exit(), 0, tool.transcript());
    this.check();
  }

  check(): void {
    const leases = new Map(this.#daemons.flatMap(({ program }) => [...leasesOf(program)]));
    for (const tool of this.#tools) {
      for (const { lease, from, until, line } of piecesOf(tool)) {
        const found = leases.get(lease);
        assert.ok(found, `no daemon has given this lease: ${line}`);
        assert.ok(from >= found.from && until <= (found.until ?? until), `outside of its lease: ${line}`);
        assert.ok(from <= (found.ranOut ?? from), `begun after its lease: ${line}`);
      }
    }
  }
}

/** From when until when the daemon let somebody work under each. One that runs out does not stop a piece that is under way. */
function leasesOf(daemon: Program): Map<string, Lease> {
  const leases = new Map<string, Lease>();
  for (const line of daemon.lines) {
    const match = /^(\d+) (granted|paused|returned|resumed|timed-out) ([0-9a-f]{16})(?: as ([0-9a-f]{16}))?:/.exec(line);
    if (!match) continue;
    const [, moment = '', what, id = '', next] = match;
    const lease = leases.get(id);
    if (what === 'granted') leases.set(id, { from: BigInt(moment) });
    else if (what === 'resumed') leases.set(next ?? '', { from: BigInt(moment) });
    else if (what === 'timed-out' && lease !== undefined) lease.ranOut = BigInt(moment);
    else if (lease !== undefined) lease.until ??= BigInt(moment);
  }
  return leases;
}

function piecesOf(tool: Program): Piece[] {
  return tool.lines.flatMap((line) => {
    const match = /^piece \d+ of thread \d+ under ([0-9a-f]{16}) from (\d+) to (\d+)$/.exec(line);
    return match ? [{ lease: match[1] ?? '', from: BigInt(match[2] ?? ''), until: BigInt(match[3] ?? ''), line }] : [];
  });
}

export const hasWorked = (tool: Program): boolean => piecesOf(tool).length > 0;
export const lastLease = (tool: Program): string => piecesOf(tool).at(-1)?.lease ?? '';

/** Further pieces of work, counted from now. */
export async function works(tool: Program): Promise<void> {
  await tool.line(/^piece /, 30, tool.lines.length);
}

/** It asks for a licence in vain from now on, and does nothing. */
export async function isRefused(tool: Program, why: RegExp, from = 0): Promise<void> {
  assert.match(await tool.line(/^no licence: /, 30, from), why);
}
