/**
 * The hosts of a computation: which there are, where each is now, who answers there for processes. Kernel objects and process ids
 * belong to a host. A restart may bring several hosts back on one machine: they stay hosts, each with a runtime folder and shared
 * names of its own, so that nothing of one is taken for another's.
 *
 * Invariants: a host's number is never given again in the life of a computation, restarts included: virtual ids are made from it. Hosts
 * on the coordinator's machine are looked at directly; for another one its service is asked (control/host-service.ts), and what it said
 * last counts meanwhile.
 * Tests: test/protocol/remote.test.ts, test/hosts.
 */
import { sleep } from '../platform/clock.js';
import { ownAddresses } from '../platform/host.js';
import { factsOf, isAlive, type ProcessFacts, type ProcessId, signalProcess } from '../platform/processes.js';
import { plainAddress } from '../platform/proof.js';
import type { HostStatus } from '../protocol/control.js';
import { failure } from '../protocol/errors.js';
import type { AgentConnection } from './agent-connection.js';

/** As native-agent/plugins/pid/ids.h makes ids: so many hosts have numbers of their own. */
export const MAX_HOSTS = 29;
const ASK_MS = 3000;
/** A host of which nobody has answered for so long is taken to be gone, with all that ran there. */
const LOST_MS = 15_000;

/** A process on a host. */
export interface PlacedProcess extends ProcessId {
  host: number;
}

export function sameProcess(one: PlacedProcess, other: PlacedProcess): boolean {
  return one.pid === other.pid && one.host === other.host;
}

export interface Host {
  number: number;
  name: string;
  /** platform/host.ts, machineIdentity(). */
  identity: string;
  machine: number;
  /** On the machine of the coordinator. */
  local: boolean;
  /** Answers for its processes; undefined: not yet, or lost. Never for a local one. */
  service: AgentConnection | undefined;
  /** Where the agents' socket, and the agent itself, are there; empty: as on the coordinator's host. */
  socket: string;
  library: string;
  lostSince: number | undefined;
  /** As the application knows it: those of before, where it was restarted. */
  addresses: string[];
  /** Those that it has now. */
  present: string[];
}

interface Known {
  alive: boolean;
  asking: boolean;
}

export class Hosts {
  readonly list: Host[] = [];
  /** The next host's number. */
  next = 0;
  readonly #known = new Map<string, Known>();
  readonly #changed: () => void;

  constructor(changed: () => void) {
    this.#changed = changed;
  }

  get several(): boolean {
    return this.list.length > 1;
  }

  byNumber(number: number): Host | undefined {
    return this.list.find((one) => one.number === number);
  }

  nameOf(number: number): string {
    return this.byNumber(number)?.name ?? `host ${number}`;
  }

  /** A host with a number of its own, or with the one that it had before a restart. */
  add(given: { name: string; identity: string; local: boolean; number?: number; addresses?: readonly string[] }): Host {
    const number = given.number ?? this.next;
    if (number >= MAX_HOSTS)
      throw failure('cannotJoin', {
        why: `a computation can have been on ${MAX_HOSTS} hosts, and this one has`,
        remedy: 'Start the program anew to use others.',
      });
    this.next = Math.max(this.next, number + 1);
    const there = this.list.find((one) => one.identity === given.identity);
    const machine = there?.machine ?? Math.max(-1, ...this.list.map((one) => one.machine)) + 1;
    let name = given.name;
    for (let count = 2; this.list.some((one) => one.name === name); count++) name = `${given.name}-${count}`;
    const host: Host = {
      number,
      name,
      identity: given.identity,
      machine,
      local: given.local,
      service: undefined,
      socket: '',
      library: '',
      lostSince: given.local ? undefined : performance.now(),
      addresses: [...(given.addresses ?? [])],
      present: given.local ? ownAddresses() : [],
    };
    if (host.addresses.length === 0) host.addresses = host.present;
    this.list.push(host);
    this.#changed();
    return host;
  }

  /** A restart has brought the host to that machine. */
  move(host: Host, identity: string, local: boolean): void {
    host.identity = identity;
    host.local = local;
    host.lostSince = local ? undefined : performance.now();
    const there = this.list.find((one) => one !== host && one.identity === identity);
    host.machine = there?.machine ?? Math.max(-1, ...this.list.filter((one) => one !== host).map((one) => one.machine)) + 1;
    this.#changed();
  }

  serve(one: AgentConnection): string {
    const host = this.byNumber(one.hello.hostNumber);
    if (host === undefined || host.local) return `the computation has no host ${one.hello.hostNumber} elsewhere`;
    host.service?.close();
    host.service = one;
    host.lostSince = undefined;
    this.#changed();
    return '';
  }

  unserve(one: AgentConnection): void {
    const host = this.list.find((other) => other.service === one);
    if (host === undefined) return;
    host.service = undefined;
    host.lostSince = performance.now();
    this.#changed();
  }

  /** Resolves when somebody answers for that host; false: not in time. */
  async served(host: Host, ms: number): Promise<boolean> {
    for (const since = performance.now(); performance.now() - since < ms; await sleep(20))
      if (host.local || host.service) return true;
    return false;
  }

  /** What is known of it now; of another host's process, a moment ago. */
  lives(id: PlacedProcess): boolean {
    const host = this.byNumber(id.host);
    if (host === undefined || host.local) return isAlive(id);
    const key = `${id.host} ${id.pid} ${id.startTime}`;
    const known = this.#known.get(key) ?? { alive: true, asking: false };
    if (!known.alive) return false;
    if (host.service === undefined) return host.lostSince === undefined || performance.now() - host.lostSince < LOST_MS;
    this.#known.set(key, known);
    if (!known.asking) {
      known.asking = true;
      void this.facts(id.host, [id])
        .then(([fact]) => {
          known.alive = fact?.alive ?? true;
        })
        .finally(() => {
          known.asking = false;
          if (known.alive) this.#known.delete(key);
        });
    }
    return true;
  }

  /** Asked there, with what callback runs in those whose virtual ids are given. One that nobody can answer for lives. */
  async facts(host: number, ids: readonly (ProcessId & { virtualPid?: number })[]): Promise<ProcessFacts[]> {
    const found = this.byNumber(host);
    if (found === undefined || found.local) return ids.map(factsOf);
    const unknown = ids.map(() => ({ alive: true, outside: false, ended: undefined }));
    if (ids.length === 0 || found.service === undefined) return unknown;
    return Promise.race([found.service.look(ids), sleep(ASK_MS).then(() => unknown)]).catch(() => unknown);
  }

  signal(id: PlacedProcess, signal: NodeJS.Signals): void {
    const host = this.byNumber(id.host);
    if (host === undefined || host.local) signalProcess(id, signal);
    else host.service?.signal(id, signal);
  }

  /** Where `target` is reached from `asking`. */
  address(asking: number, target: number): string {
    const [from, to] = [this.byNumber(asking), this.byNumber(target)];
    if (from === undefined || to === undefined || from.machine === to.machine) return '127.0.0.1';
    return to.local ? plainAddress(from.service?.localAddress) : plainAddress(to.service?.remoteAddress);
  }

  /** Addresses by which the application knows hosts, and those that they have now instead; `here` is the coordinator's. */
  movedAddresses(here: string): [string, string][] {
    return this.list.flatMap((host) => {
      const now = host.local ? here : plainAddress(host.service?.remoteAddress);
      const gone = host.addresses.filter((one) => !host.present.includes(one) && one !== now);
      return now === '' ? [] : gone.map((one): [string, string] => [one, now]);
    });
  }

  /** Those on other machines have nobody left to answer to. */
  close(why: string): void {
    for (const { service } of this.list) service?.dismiss(why);
  }

  get status(): HostStatus[] {
    return this.list.map(({ number, name, machine, local, service, identity, addresses }) => ({
      number,
      name,
      machine,
      identity,
      address: local ? '' : plainAddress(service?.remoteAddress),
      connected: local || service !== undefined,
      addresses,
    }));
  }
}
