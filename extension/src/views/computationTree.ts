/**
 * The Computation view: live sessions, the phase of their checkpoint or restart, processes, threads, and plugins by layer. The
 * rows of the thread table are read when a process is opened.
 */
import { basename } from 'node:path';
import * as vscode from 'vscode';
import type { ProcessStatus } from '../../../debug-adapter/src/protocol/control.js';
import type { OperationStatus } from '../../../debug-adapter/src/protocol/operation.js';
import { messageOf } from '../platform/errors.js';
import type { LiveSessions } from '../session/liveSessions.js';
import { formatCommandLine } from './format.js';
import type { ComputationNode, LeafNode } from './nodes.js';
import { operationLine } from './phases.js';
import { sessionItem, spoken, stateLabel } from './snapshotItems.js';

const SETTLE_MS = 30;

export class ComputationTreeView implements vscode.TreeDataProvider<ComputationNode>, vscode.Disposable {
  readonly #sessions: LiveSessions;
  readonly #changed = new vscode.EventEmitter<undefined>();
  readonly onDidChangeTreeData = this.#changed.event;
  readonly view: vscode.TreeView<ComputationNode>;
  readonly #subscriptions: vscode.Disposable[];
  #timer: NodeJS.Timeout | undefined;

  constructor(sessions: LiveSessions) {
    this.#sessions = sessions;
    this.view = vscode.window.createTreeView('cairn.computation', { treeDataProvider: this });
    this.#subscriptions = [sessions.onDidChange(() => this.#later()), this.view];
  }

  getTreeItem(node: ComputationNode): vscode.TreeItem {
    switch (node.kind) {
      case 'session':
        return this.#session(node.session);
      case 'process':
        return processItem(node.session, node.process, this.#sessions.find(node.session)?.status.processes ?? []);
      case 'plugins': {
        const item = new vscode.TreeItem('Plugins', vscode.TreeItemCollapsibleState.Collapsed);
        item.id = `${node.session}/${node.process.virtualPid}/plugins`;
        item.description = `${node.process.plugins.length} layers`;
        item.iconPath = new vscode.ThemeIcon('layers');
        return spoken(item);
      }
      case 'leaf':
        return leafItem(node);
    }
  }

  async getChildren(node?: ComputationNode): Promise<ComputationNode[]> {
    if (!node) return this.#sessions.all.map(({ name }) => ({ kind: 'session', session: name }));
    switch (node.kind) {
      case 'session':
        return this.#sessionChildren(node.session);
      case 'process':
        return [
          ...(await this.#threads(node.session, node.process)),
          { kind: 'plugins', session: node.session, process: node.process },
        ];
      case 'plugins':
        return pluginLeaves(node.session, node.process);
      case 'leaf':
        return [];
    }
  }

  #session(name: string): vscode.TreeItem {
    const status = this.#sessions.find(name)?.status;
    const item = sessionItem(name, status);
    item.id = `computation/${name}`;
    item.label = name;
    item.collapsibleState = vscode.TreeItemCollapsibleState.Expanded;
    item.description = status
      ? `${stateLabel(status.state)} · ${formatCommandLine(status.argv.map((word) => basename(word) || word))}`
      : '';
    return spoken(item);
  }

  #sessionChildren(name: string): ComputationNode[] {
    const status = this.#sessions.find(name)?.status;
    if (!status) return [];
    const line: ComputationNode[] = status.operation ? [operationLeaf(name, status.operation)] : [];
    return [...line, ...status.processes.map((process): ComputationNode => ({ kind: 'process', session: name, process }))];
  }

  async #threads(session: string, process: ProcessStatus): Promise<LeafNode[]> {
    const live = this.#sessions.find(session);
    if (!live) return [];
    try {
      const { rows } = await live.request('session/table', { kind: 'thread', virtualPid: process.virtualPid });
      return rows.map((row) =>
        leaf(
          `${session}/${process.virtualPid}/thread/${row.virtual}`,
          `thread ${row.virtual}`,
          [row.real === row.virtual ? '' : `real ${row.real}`, row.detail],
          'list-unordered',
        ),
      );
    } catch (error) {
      return [leaf(`${session}/${process.virtualPid}/threads`, 'Threads cannot be read', [messageOf(error)], 'warning')];
    }
  }

  #later(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#changed.fire(undefined);
    }, SETTLE_MS);
  }

  dispose(): void {
    clearTimeout(this.#timer);
    for (const subscription of this.#subscriptions) subscription.dispose();
    this.#changed.dispose();
  }
}

function processItem(session: string, process: ProcessStatus, all: readonly ProcessStatus[]): vscode.TreeItem {
  const item = new vscode.TreeItem(
    `${basename(process.executable)} · ${process.virtualPid}`,
    vscode.TreeItemCollapsibleState.Collapsed,
  );
  item.id = `${session}/${process.virtualPid}`;
  const real = process.realPid === process.virtualPid ? '' : `real ${process.realPid}`;
  const parent = all.some(({ virtualPid }) => virtualPid === process.virtualParent) ? `child of ${process.virtualParent}` : '';
  item.description = process.problem === '' ? [parent, real].filter((part) => part !== '').join(' · ') : process.problem;
  item.iconPath =
    process.problem === ''
      ? new vscode.ThemeIcon('server-process')
      : new vscode.ThemeIcon('warning', new vscode.ThemeColor('list.warningForeground'));
  item.tooltip = `${formatCommandLine(process.argv)}\nvirtual pid ${process.virtualPid}, real pid ${process.realPid} on ${process.host}`;
  item.contextValue = 'process';
  return spoken(item);
}

function operationLeaf(session: string, operation: OperationStatus): LeafNode {
  const icon = operation.error !== '' ? 'error' : operation.finished ? 'pass' : 'sync~spin';
  return leaf(`${session}/operation`, operationLine(operation), [], icon);
}

/** Highest layer first: nearest to the application, as the barriers of a checkpoint go. */
function pluginLeaves(session: string, { virtualPid, plugins }: ProcessStatus): LeafNode[] {
  return [...plugins]
    .sort((a, b) => b.layer - a.layer)
    .map((plugin) => {
      const barriers =
        plugin.barriers.length + plugin.restartBarriers.length === 0
          ? ''
          : `barriers: ${[...new Set([...plugin.barriers, ...plugin.restartBarriers])].join(', ')}`;
      const parts = plugin.error === '' ? [`layer ${plugin.layer}`, plugin.version, barriers] : [plugin.error];
      return leaf(
        `${session}/${virtualPid}/plugin/${plugin.name}`,
        plugin.name,
        parts,
        plugin.error === '' ? 'extensions' : 'error',
        `${plugin.library || 'built in'}\n${plugin.author}`,
      );
    });
}

function leaf(id: string, label: string, description: readonly string[], icon: string, tooltip = ''): LeafNode {
  return { kind: 'leaf', id, label, description: description.filter((part) => part !== '').join(' · '), icon, tooltip };
}

function leafItem(node: LeafNode): vscode.TreeItem {
  const item = new vscode.TreeItem(node.label, vscode.TreeItemCollapsibleState.None);
  item.id = node.id;
  item.description = node.description;
  item.iconPath = new vscode.ThemeIcon(node.icon);
  item.tooltip = node.tooltip === '' ? [node.label, node.description].filter((part) => part !== '').join('\n') : node.tooltip;
  return spoken(item);
}
