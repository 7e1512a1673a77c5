/**
 * The elements of the two trees, as commands get them.
 */
import type { PluginStatus, ProcessStatus } from '../../../debug-adapter/src/protocol/control.js';
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
/** Where processes are on several hosts: one of them. */
export interface HostNode {
  readonly kind: 'host';
  readonly session: string;
  readonly host: string;
}
export interface PluginsNode {
  readonly kind: 'plugins';
  readonly session: string;
  readonly process: ProcessStatus;
}
/** A plugin of a process; what one from outside shows of its own is below it. */
export interface PluginNode {
  readonly kind: 'plugin';
  readonly session: string;
  readonly virtualPid: number;
  readonly plugin: PluginStatus;
}

export type SnapshotTreeNode = StoreNode | BranchNode | SnapshotNode | SessionNode;
export type ComputationNode = SessionNode | HostNode | ProcessNode | PluginsNode | PluginNode | LeafNode;

/** In the place of an element that a menu was chosen on, where VS Code does not know any more which it was. */
export const LOST = { kind: 'lost' } as const;

/**
 * The element that a command was called on. A menu or button of an element calls it with two arguments, of which the first is
 * missing where VS Code was just reading the tree again; all else that calls it gives fewer.
 */
export function elementOf(args: readonly unknown[]): unknown {
  return args.length > 1 && (args[0] === undefined || args[0] === null) ? LOST : args[0];
}

/** The session that a command was given by a node of a tree; undefined: it was given none. */
export function sessionOfNode(node: unknown): string | undefined {
  if (typeof node !== 'object' || node === null || !('kind' in node)) return undefined;
  const { session } = node as { session?: unknown };
  return typeof session === 'string' ? session : undefined;
}

export function isSnapshotNode(node: unknown): node is SnapshotNode {
  return typeof node === 'object' && node !== null && (node as { kind?: unknown }).kind === 'snapshot';
}
