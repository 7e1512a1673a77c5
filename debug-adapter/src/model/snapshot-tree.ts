/**
 * The tree of snapshots, made from their summaries. Pure.
 *
 * Invariants: each summary is in the tree exactly once; a snapshot whose parent is not among them is a root; siblings are in
 * the order of their making; a ring of parents (a damaged store) is broken, not followed.
 * Tests: test/unit/snapshot-tree.test.ts.
 */
import type { SnapshotSummary } from '../protocol/snapshot.js';

export interface SnapshotNode {
  snapshot: SnapshotSummary;
  children: SnapshotNode[];
}

const byTime = (a: SnapshotNode, b: SnapshotNode): number =>
  a.snapshot.createdAt < b.snapshot.createdAt
    ? -1
    : a.snapshot.createdAt > b.snapshot.createdAt
      ? 1
      : a.snapshot.id < b.snapshot.id
        ? -1
        : 1;

export function snapshotTree(summaries: readonly SnapshotSummary[]): SnapshotNode[] {
  const nodes = new Map(summaries.map((snapshot) => [snapshot.id, { snapshot, children: [] as SnapshotNode[] }]));
  const roots: SnapshotNode[] = [];
  for (const node of nodes.values()) {
    const parent = node.snapshot.parent === null ? undefined : nodes.get(node.snapshot.parent);
    if (parent === undefined || reaches(node.snapshot.id, parent.snapshot, nodes)) roots.push(node);
    else parent.children.push(node);
  }
  for (const node of nodes.values()) node.children.sort(byTime);
  return roots.sort(byTime);
}

/** Whether the way up from `from` comes to `id`, or never ends. */
function reaches(id: string, from: SnapshotSummary, nodes: ReadonlyMap<string, SnapshotNode>): boolean {
  const seen = new Set<string>();
  for (
    let at: SnapshotSummary | undefined = from;
    at !== undefined;
    at = at.parent === null ? undefined : nodes.get(at.parent)?.snapshot
  ) {
    if (at.id === id || seen.has(at.id)) return true;
    seen.add(at.id);
  }
  return false;
}

/** Lines of the tree as text, each with the snapshot it is about. */
export function drawTree(roots: readonly SnapshotNode[]): { prefix: string; snapshot: SnapshotSummary }[] {
  const drawn: { prefix: string; snapshot: SnapshotSummary }[] = [];
  const draw = (nodes: readonly SnapshotNode[], indent: string, top: boolean): void => {
    nodes.forEach((node, index) => {
      const last = index === nodes.length - 1;
      drawn.push({ prefix: top ? '' : `${indent}${last ? '└─ ' : '├─ '}`, snapshot: node.snapshot });
      draw(node.children, top ? '' : `${indent}${last ? '   ' : '│  '}`, false);
    });
  };
  draw(roots, '', true);
  return drawn;
}

/**
 * The parent that a snapshot has now that some were removed: `removed` gives the parent of each removed one. null: a root.
 */
export function livingParent(
  parent: string | null,
  exists: (id: string) => boolean,
  removed: ReadonlyMap<string, string | null>,
): string | null {
  const seen = new Set<string>();
  let at = parent;
  while (at !== null && !exists(at) && removed.has(at) && !seen.has(at)) {
    seen.add(at);
    at = removed.get(at) ?? null;
  }
  return at;
}
