/**
 * What a snapshot says of the computation beside the images: the list of processes of each host, and the tables of names. Known before the
 * images are whole, and so written meanwhile. Tests: test/protocol/processes.test.ts, test/protocol/checkpoint.test.ts.
 */
import { join } from 'node:path';
import { processList, processTree, type TreeProcess } from '../model/process-tree.js';
import { writeNew } from '../platform/files.js';
import type { TableKind, TableRow } from '../protocol/control.js';
import type { SnapshotFile } from '../protocol/snapshot.js';
import { checksum } from '../store/checksum.js';
import { PROCESSES, TABLES } from '../store/snapshot-folder.js';
import type { AgentConnection } from './agent-connection.js';
import type { Session } from './session.js';

/** The processes of each host, the first process's host first; and the files that say this, and the tables. */
export interface Described {
  trees: { number: number; name: string; addresses: string[]; tree: TreeProcess[] }[];
  files: SnapshotFile[];
}

/** Writes them into the partial snapshot's folder, flushed. */
export async function describe(
  session: Session,
  all: readonly AgentConnection[],
  folder: string,
  tables: Partial<Record<TableKind, TableRow[]>>,
): Promise<Described> {
  const trees = session.hosts.list
    .toSorted((a, b) => Number(b.number === session.rootHost) - Number(a.number === session.rootHost) || a.number - b.number)
    .map(({ number, name, addresses }) => ({ number, name, addresses, tree: treeOf(session, all, number) }))
    .filter(({ tree }) => tree.length > 0);
  const lists = trees.map(({ number, tree }, index) => ({
    name: index === 0 ? PROCESSES : `${PROCESSES}.${number}`,
    bytes: Buffer.from(processList(tree)),
  }));
  const contents = [{ name: TABLES, bytes: Buffer.from(`${JSON.stringify(tables)}\n`) }, ...lists];
  await Promise.all(contents.map(({ name, bytes }) => writeNew(join(folder, name), bytes)));
  const files = await Promise.all(
    contents.map(async ({ name, bytes }) => ({ name, size: bytes.length, checksum: await checksum(bytes) })),
  );
  return { trees, files };
}

/** The processes of one host in the order in which they are made. */
function treeOf({ root, rootHost }: Session, all: readonly AgentConnection[], host: number): TreeProcess[] {
  const here = all.filter((one) => one.host === host).map((one) => ({ virtualPid: one.virtualPid, ...one.family }));
  return processTree(here, host === rootHost ? root : 0);
}
