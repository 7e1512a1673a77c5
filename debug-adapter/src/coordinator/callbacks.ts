/**
 * Which callback of a plugin from outside a process is in: its agent notes each one that it calls in the shared names, which are still
 * there when the callback does not return, or has ended the process. Of a host elsewhere its service reads them.
 * Tests: test/probes/plugins.test.ts, test/hosts/rack.test.ts.
 */
import { dirname, join } from 'node:path';
import type { RuntimePaths } from '../platform/runtime.js';
import { callbackIn } from '../platform/shared-names.js';
import { eventNames } from '../protocol/plugin-events.js';
import type { AgentConnection } from './agent-connection.js';
import type { Hosts } from './hosts.js';

/** As native-agent/src/events/calls.cc has them. */
const [EVENT, BARRIER, INIT, ROWS, REQUEST, STOP] = [1, 2, 3, 4, 5, 6];

/** "plugin vendor, event precheckpoint"; empty: it is in none, or nobody knows. */
export type CallbackOf = (one: AgentConnection) => Promise<string>;

export function callbacksOf(hosts: Hosts, paths: Pick<RuntimePaths, 'names'>): CallbackOf {
  return async (one) => {
    const value = await callback(one, hosts, paths);
    return value === 0n ? '' : describe(one, value);
  };
}

async function callback(one: AgentConnection, hosts: Hosts, paths: Pick<RuntimePaths, 'names'>): Promise<bigint> {
  const host = hosts.byNumber(one.host);
  if (host === undefined || host.local) {
    return callbackIn(host?.socket ? join(dirname(host.socket), 'names') : paths.names, one.virtualPid);
  }
  const [fact] = await hosts.facts(one.host, [{ ...one.process, virtualPid: one.virtualPid }]);
  return fact?.callback ?? 0n;
}

function describe(one: Pick<AgentConnection, 'plugins'>, value: bigint): string {
  const layer = Number(value >> 32n);
  const kind = Number((value >> 24n) & 0xffn);
  const event = Number(value & 0xffffffn);
  const plugin = `plugin ${one.plugins.find((known) => known.layer === layer)?.name ?? `in layer ${layer}`}`;
  if (kind === EVENT) return `${plugin}, event ${eventNames[event] ?? event}`;
  if (kind === INIT) return `${plugin}, init`;
  if (kind === ROWS) return `${plugin}, its rows of a table`;
  if (kind === REQUEST) return `${plugin}, a request`;
  if (kind === STOP) return `${plugin}, a moment in which all threads stand`;
  return kind === BARRIER ? `${plugin}, at this barrier` : plugin;
}
