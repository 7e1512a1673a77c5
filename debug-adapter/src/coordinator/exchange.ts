/**
 * What processes on several hosts tell each other from one phase of an operation to the next: told and asked with their replies,
 * answered with the next request to who asked. Knows nothing of what it is about. The agents' side: native-agent/src/events/exchange.h.
 *
 * Invariant: an answer is sent only once all processes have replied to the phase in which it was told or asked for, so that it does not
 * depend on who was faster. Where there is one host, requests are as they always were.
 * Tests: test/protocol/exchange.test.ts.
 */
import type { MessageInitShape } from '@bufbuild/protobuf';
import { addressBytes } from '../platform/proof.js';
import type { HostName, HostNameSchema, PhaseRequestSchema } from '../protocol/generated/agent_pb.js';
import type { PhaseName } from '../protocol/operation.js';
import type { AgentConnection } from './agent-connection.js';
import type { Hosts } from './hosts.js';

const keyOf = ({ space, key }: HostName): string => `${space} ${Buffer.from(key).toString('latin1')}`;

/** CAIRN_NAMES_HOST in native-agent/include/cairn/plugin.h. */
const HOST_SPACE = 16;

function movedName([from, to]: readonly [string, string], index: number): MessageInitShape<typeof HostNameSchema> {
  const key = Buffer.alloc(4);
  key.writeUInt32LE(index);
  return { space: HOST_SPACE, key, value: Buffer.concat([addressBytes(from), addressBytes(to)]) };
}

export class Exchange {
  folder = '';
  /** Addresses of hosts of before and now, for a restart. */
  moved: readonly [string, string][] = [];
  readonly #hosts: Hosts;
  readonly #told = new Map<string, { name: HostName; host: number }>();
  readonly #wanted = new Map<AgentConnection, HostName[]>();

  constructor(hosts: Hosts) {
    this.#hosts = hosts;
  }

  /** What belongs into a request to that process; undefined: there is one host. */
  request(
    one: AgentConnection,
    phase: PhaseName,
  ): Pick<MessageInitShape<typeof PhaseRequestSchema>, 'hosts' | 'exchangeFolder' | 'names'> | undefined {
    if (!this.#hosts.several) return undefined;
    const wanted = this.#wanted.get(one) ?? [];
    const names = wanted.flatMap((name): MessageInitShape<typeof HostNameSchema>[] => {
      const found = this.#told.get(keyOf(name));
      if (found === undefined) return [];
      const { space, key, value } = found.name;
      return [{ space, key, value, host: found.host, address: addressBytes(this.#hosts.address(one.host, found.host)) }];
    });
    this.#wanted.set(
      one,
      wanted.filter((name) => !this.#told.has(keyOf(name))),
    );
    if (phase === 'restart') names.push(...this.moved.map(movedName));
    return { hosts: this.#hosts.list.length, exchangeFolder: this.folder, names };
  }

  take(one: AgentConnection, names: readonly HostName[]): void {
    if (names.length === 0) return;
    const wanted = this.#wanted.get(one) ?? [];
    this.#wanted.set(one, wanted);
    for (const name of names) {
      if (name.wanted) wanted.push(name);
      else this.#told.set(keyOf(name), { name, host: one.host });
    }
  }
}
