/**
 * Tables of virtual names, from the agents that keep them.
 */
import type { TableKind, TableRow } from '../protocol/control.js';
import type { AgentConnection } from './agent-connection.js';
import type { Hosts } from './hosts.js';
import { bounded } from './strand.js';

const LIMIT_MS = 10_000;

function time(ns: bigint): string {
  return ns === 0n ? '' : new Date(Number(ns / 1_000_000n)).toISOString();
}

/** Rows of one table of one process. */
export async function table(one: AgentConnection, kind: TableKind, hosts: Hosts): Promise<TableRow[]> {
  const rows = await bounded(
    one.table(kind),
    LIMIT_MS,
    () => new Error(`process ${one.virtualPid} did not give its table "${kind}" in time`),
  );
  const found = rows.map((row) => ({
    virtualPid: one.virtualPid,
    ...(hosts.several ? { host: hosts.nameOf(one.host) } : {}),
    virtual: row.virtualName,
    real: row.realName,
    before: row.before,
    owner: row.owner,
    detail: row.detail,
    since: time(row.sinceNs),
  }));
  // Variables are looked for by their names; the order in which the application has them says nothing.
  return kind === 'env' ? found.sort((a, b) => (a.virtual < b.virtual ? -1 : 1)) : found;
}

/**
 * Several tables of several processes. All requests go out at once, so that a process that is held answers them in one go with
 * its next phase. A table that a process does not have is left out.
 */
export async function collectTables(
  all: readonly AgentConnection[],
  kinds: readonly TableKind[],
  hosts: Hosts,
): Promise<Partial<Record<TableKind, TableRow[]>>> {
  const found: Partial<Record<TableKind, TableRow[]>> = {};
  await Promise.all(
    kinds.map(async (kind) => {
      const parts = await Promise.allSettled(all.map((one) => table(one, kind, hosts)));
      found[kind] = parts.flatMap((part) => (part.status === 'fulfilled' ? part.value : []));
    }),
  );
  return found;
}
