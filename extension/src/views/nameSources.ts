/**
 * What the Virtual Names view can show, and how it is called: each process has names of its own, live or in a snapshot. Pure.
 * Tests: test/unit/name-sources.test.ts.
 */
import { posix } from 'node:path';
import type { SessionStatus } from '../../../debug-adapter/src/protocol/control.js';
import type { NameSource } from '../../../debug-adapter/src/protocol/panels.js';
import type { SnapshotSummary } from '../../../debug-adapter/src/protocol/snapshot.js';
import { snapshotLabel } from './format.js';

export type ProcessSource = NameSource & { readonly virtualPid: number };

const program = ({ executable, virtualPid }: { executable: string; virtualPid: number }): string =>
  `${posix.basename(executable)} · ${virtualPid}`;

export function liveSources({ session, processes }: SessionStatus): ProcessSource[] {
  return processes.map((process) => ({
    id: `live ${session}/${process.virtualPid}`,
    label: `${session}: ${program(process)}`,
    kind: 'live',
    virtualPid: process.virtualPid,
  }));
}

/** The process is named where a snapshot has more than one. */
export function snapshotSources(store: string, snapshot: SnapshotSummary, now = new Date()): ProcessSource[] {
  const label = `${snapshotLabel(snapshot, now)} (${snapshot.session})`;
  return snapshot.processes.map((process) => ({
    id: `snapshot ${store}/${snapshot.id}/${process.virtualPid}`,
    label: snapshot.processes.length === 1 ? label : `${label}: ${program(process)}`,
    kind: 'snapshot',
    virtualPid: process.virtualPid,
  }));
}
