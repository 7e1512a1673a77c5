/** Snapshots and sessions for tests of what shows them. */
import { CONTROL_PROTOCOL, type SessionStatus } from '../../debug-adapter/src/protocol/control.js';
import type { SnapshotSummary } from '../../debug-adapter/src/protocol/snapshot.js';

export function summary(given: Partial<SnapshotSummary> = {}): SnapshotSummary {
  const id = given.id ?? '0123456789ab';
  return {
    id,
    path: `/store/snapshots/${id}`,
    parent: null,
    name: '',
    note: '',
    pinned: false,
    createdAt: '2026-05-02T09:05:07.000Z',
    session: 'soc',
    simulatedTime: null,
    bytes: 1,
    pauseMs: 1,
    totalMs: 2,
    argv: ['vvp', 'soc.vvp'],
    cwd: '/work',
    processes: [{ virtualPid: 4711, executable: '/usr/bin/vvp' }],
    problem: '',
    ...given,
  };
}

export function status(given: Partial<SessionStatus> = {}): SessionStatus {
  return {
    protocol: CONTROL_PROTOCOL,
    session: 'soc',
    computation: 'c',
    state: 'running',
    store: '/store',
    argv: ['vvp', 'soc.vvp'],
    cwd: '/work',
    coordinator: 1,
    startedAt: '2026-05-02T09:00:00.000Z',
    restartedFrom: null,
    restartChanges: [],
    runFolder: null,
    lastSnapshot: null,
    plugins: [],
    processes: [],
    hosts: [],
    listen: null,
    operation: null,
    heldBy: null,
    chosenSignals: [],
    exitStatus: null,
    terminal: true,
    ...given,
  };
}

export function vvp(
  virtualPid: number,
  given: Partial<SessionStatus['processes'][number]> = {},
): SessionStatus['processes'][number] {
  return {
    virtualPid,
    realPid: virtualPid,
    virtualParent: 1,
    host: 'h',
    executable: '/usr/bin/vvp',
    argv: ['vvp', 'soc.vvp'],
    plugins: [],
    problem: '',
    ...given,
  };
}
