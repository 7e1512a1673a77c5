/**
 * The tree of snapshots as it is shown: what one session made in a row is a branch, listed flat and in the order of time; a
 * restart hangs its branch below the snapshot that it came from; the session itself, live or ended, is the tip. Pure.
 * Invariants: each snapshot and each live session appears once (an ended one, where it has anything to do with snapshots); nothing is dropped when parents were deleted.
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
  /** What the session is now; undefined: nothing is known of it any more. */
  readonly tip: SessionStatus | undefined;
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
  tip: SessionStatus | undefined;
}

export function buildSnapshotTree(snapshots: readonly SnapshotSummary[], sessions: readonly SessionStatus[]): SnapshotTree {
  const byTime = [...snapshots].sort((a, b) => compare(a.createdAt, b.createdAt) || compare(a.id, b.id));
  const present = new Set(byTime.map(({ id }) => id));
  const branches: Growing[] = [];
  for (const snapshot of byTime) grow(branches, snapshot, present, sessions);
  for (const status of sessions) placeTip(branches, status, present);
  branches.sort((a, b) => compare(a.startedAt, b.startedAt));

  const counted = new Map<string, number>();
  const roots: Branch[] = [];
  const below = new Map<string, Branch[]>();
  for (const { session, from, snapshots: own, tip } of branches) {
    const name = `${session}@${from ?? ''}`;
    const count = counted.get(name) ?? 0;
    counted.set(name, count + 1);
    const branch: Branch = { key: `${name}#${count}`, session, from, snapshots: own, tip };
    if (from === null) roots.unshift(branch);
    else below.set(from, [...(below.get(from) ?? []), branch]);
  }
  return { roots, branchesAt: (snapshot) => below.get(snapshot) ?? [] };
}

function grow(
  branches: Growing[],
  snapshot: SnapshotSummary,
  present: ReadonlySet<string>,
  sessions: readonly SessionStatus[],
): void {
  const { parent, session } = snapshot;
  const known = parent !== null && present.has(parent);
  // The first one of a restart under the old name begins a branch, it does not go on with the old one.
  const begins = (one: SessionStatus) =>
    one.session === session && one.restartedFrom === parent && one.startedAt <= snapshot.createdAt;
  const continued =
    known && sessions.some(begins)
      ? undefined
      : known
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
      tip: undefined,
    });
}

/** A session's own branch is the one whose snapshots were made since the session began. */
function placeTip(branches: Growing[], status: SessionStatus, present: ReadonlySet<string>): void {
  const own = branches.findLast(
    (branch) => branch.session === status.session && !branch.tip && compare(branch.startedAt, status.startedAt) >= 0,
  );
  if (own) {
    own.tip = status;
    return;
  }
  const from = status.restartedFrom !== null && present.has(status.restartedFrom) ? status.restartedFrom : null;
  // That something without snapshots was there once is not worth a line.
  if (from === null && status.state === 'exited') return;
  branches.push({ session: status.session, from, startedAt: status.startedAt, snapshots: [], tip: status });
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
