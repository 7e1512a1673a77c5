/**
 * The elements of the two trees, as commands get them.
 */
import type { ProcessStatus } from '../../../debug-adapter/src/protocol/control.js';
import type { SnapshotSummary } from '../../../debug-adapter/src/protocol/snapshot.js';
import type { Branch } from './snapshotModel.js';

export interface StoreNode {
  readonly kind: 'store';
  readonly store: string;
  readonly error: string;
}
export interface BranchNode {
  readonly kind: 'branch';
  readonly store: string;
  readonly branch: Branch;
  /** Name of the live session, for commands. */
  readonly session: string | undefined;
}
export interface SnapshotNode {
  readonly kind: 'snapshot';
  readonly store: string;
  readonly snapshot: SnapshotSummary;
}
/** A live session: the tip of its branch in the tree of snapshots, or a root of the Computation view. */
export interface SessionNode {
  readonly kind: 'session';
  readonly session: string;
}
export interface ProcessNode {
  readonly kind: 'process';
  readonly session: string;
  readonly process: ProcessStatus;
}
/** A line that only says something. */
export interface LeafNode {
  readonly kind: 'leaf';
  readonly id: string;
  readonly label: string;
  readonly description: string;
  readonly icon: string;
  readonly tooltip: string;
}
export interface PluginsNode {
  readonly kind: 'plugins';
  readonly session: string;
  readonly process: ProcessStatus;
}

export type SnapshotTreeNode = StoreNode | BranchNode | SnapshotNode | SessionNode;
export type ComputationNode = SessionNode | ProcessNode | PluginsNode | LeafNode;

/** The session that a command was given by a node of a tree; undefined: it was given none. */
export function sessionOfNode(node: unknown): string | undefined {
  if (typeof node !== 'object' || node === null || !('kind' in node)) return undefined;
  const { session } = node as { session?: unknown };
  return typeof session === 'string' ? session : undefined;
}

export function isSnapshotNode(node: unknown): node is SnapshotNode {
  return typeof node === 'object' && node !== null && (node as { kind?: unknown }).kind === 'snapshot';
}
