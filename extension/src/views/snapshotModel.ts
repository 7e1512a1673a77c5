/**
 * The tree of snapshots as it is shown: what one session made in a row is a branch, listed flat and in the order of time; a
 * restart hangs its branch below the snapshot that it came from; a live session is the tip of its branch. Pure.
 * Invariants: each snapshot and each live session appears once; nothing is dropped when parents were deleted.
 * Tests: test/unit/snapshot-model.test.ts.
 */
import type { SessionStatus } from '../../../debug-adapter/src/protocol/control.js';
import type { SnapshotSummary } from '../../../debug-adapter/src/protocol/snapshot.js';

export interface Branch {
  /** Stays the same while snapshots are added to it. */
  readonly key: string;
  readonly session: string;
  /** Snapshot below which it hangs; null: a root. */
  readonly from: string | null;
  readonly snapshots: readonly SnapshotSummary[];
  readonly live: SessionStatus | undefined;
}

export interface SnapshotTree {
  /** Newest first. */
  readonly roots: readonly Branch[];
  /** Branches that start at this snapshot, oldest first. */
  branchesAt(snapshot: string): readonly Branch[];
}

interface Growing {
  session: string;
  from: string | null;
  startedAt: string;
  snapshots: SnapshotSummary[];
  live: SessionStatus | undefined;
}

export function buildSnapshotTree(snapshots: readonly SnapshotSummary[], live: readonly SessionStatus[]): SnapshotTree {
  const byTime = [...snapshots].sort((a, b) => compare(a.createdAt, b.createdAt) || compare(a.id, b.id));
  const present = new Set(byTime.map(({ id }) => id));
  const branches: Growing[] = [];
  for (const snapshot of byTime) grow(branches, snapshot, present);
  for (const status of live) placeTip(branches, status, present);
  branches.sort((a, b) => compare(a.startedAt, b.startedAt));

  const counted = new Map<string, number>();
  const roots: Branch[] = [];
  const below = new Map<string, Branch[]>();
  for (const { session, from, snapshots: own, live: tip } of branches) {
    const name = `${session}@${from ?? ''}`;
    const count = counted.get(name) ?? 0;
    counted.set(name, count + 1);
    const branch: Branch = { key: `${name}#${count}`, session, from, snapshots: own, live: tip };
    if (from === null) roots.unshift(branch);
    else below.set(from, [...(below.get(from) ?? []), branch]);
  }
  return { roots, branchesAt: (snapshot) => below.get(snapshot) ?? [] };
}

function grow(branches: Growing[], snapshot: SnapshotSummary, present: ReadonlySet<string>): void {
  const { parent, session } = snapshot;
  const known = parent !== null && present.has(parent);
  const continued = known
    ? branches.find((branch) => branch.session === session && branch.snapshots.at(-1)?.id === parent)
    : // Its parent was deleted: what the same session made before is the best place.
      parent === null
      ? undefined
      : branches.findLast((branch) => branch.session === session);
  if (continued) continued.snapshots.push(snapshot);
  else
    branches.push({
      session,
      from: known ? parent : null,
      startedAt: snapshot.createdAt,
      snapshots: [snapshot],
      live: undefined,
    });
}

/** A session's own branch is the one whose snapshots were made since the session began. */
function placeTip(branches: Growing[], status: SessionStatus, present: ReadonlySet<string>): void {
  const own = branches.findLast(
    (branch) => branch.session === status.session && !branch.live && compare(branch.startedAt, status.startedAt) >= 0,
  );
  if (own) {
    own.live = status;
    return;
  }
  const from = status.restartedFrom !== null && present.has(status.restartedFrom) ? status.restartedFrom : null;
  branches.push({ session: status.session, from, startedAt: status.startedAt, snapshots: [], live: status });
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
