/**
 * The Computation view: live sessions, the phase of their checkpoint or restart, hosts, processes, threads, and plugins by layer. The
 * rows of the tables of threads and of plugins are read when a process or plugin is opened.
 */
import { basename } from 'node:path';
import * as vscode from 'vscode';
import type { ProcessStatus, SessionStatus, TableRow } from '../../../debug-adapter/src/protocol/control.js';
import type { OperationStatus } from '../../../debug-adapter/src/protocol/operation.js';
import { messageOf } from '../platform/errors.js';
import type { LiveSessions } from '../session/liveSessions.js';
import { formatCommandLine } from './format.js';
import type { ComputationNode, LeafNode, PluginNode } from './nodes.js';
import { operationLine } from './phases.js';
import { changedElements, type ShownTree } from './shownTree.js';
import { isAtBreakpoint, sessionItem, spoken, stateLabel } from './snapshotItems.js';

const SETTLE_MS = 30;

const { Collapsed, Expanded, None } = vscode.TreeItemCollapsibleState;

export class ComputationTreeView implements vscode.TreeDataProvider<ComputationNode>, vscode.Disposable {
  readonly #sessions: LiveSessions;
  readonly #changed = new vscode.EventEmitter<ComputationNode[] | undefined>();
  readonly onDidChangeTreeData = this.#changed.event;
  readonly view: vscode.TreeView<ComputationNode>;
  readonly #subscriptions: vscode.Disposable[];
  /** One object for each thing, kept while the thing is there, so that VS Code knows it again. */
  #nodes = new Map<string, ComputationNode>();
  /** Without what is read when it is opened. */
  #shown: ShownTree<ComputationNode> = { roots: [], children: new Map(), looks: new Map() };
  #timer: NodeJS.Timeout | undefined;

  constructor(sessions: LiveSessions) {
    this.#sessions = sessions;
    this.#build();
    this.view = vscode.window.createTreeView('cairn.computation', { treeDataProvider: this });
    this.#subscriptions = [sessions.onDidChange(() => this.#later()), this.view];
  }

  getTreeItem(node: ComputationNode): vscode.TreeItem {
    switch (node.kind) {
      case 'session':
        return this.#session(node.session);
      case 'host':
        return hostItem(node.session, node.host, this.#sessions.find(node.session)?.status);
      case 'process':
        return processItem(node.session, node.process, this.#sessions.find(node.session)?.status.processes ?? []);
      case 'plugins': {
        const item = new vscode.TreeItem('Plugins', Collapsed);
        item.id = `${node.session}/${node.process.virtualPid}/plugins`;
        item.description = `${node.process.plugins.length} layers`;
        item.iconPath = new vscode.ThemeIcon('layers');
        return spoken(item);
      }
      case 'plugin':
        return pluginItem(node);
      case 'leaf':
        return leafItem(node);
    }
  }

  async getChildren(node?: ComputationNode): Promise<ComputationNode[]> {
    if (!node) return [...this.#shown.roots];
    switch (node.kind) {
      case 'session':
      case 'host':
        return [...(this.#shown.children.get(node) ?? [])];
      case 'process':
        return [...(await this.#threads(node.session, node.process)), ...(this.#shown.children.get(node) ?? [])];
      case 'plugins':
        return pluginNodes(node.session, node.process);
      case 'plugin':
        return this.#rowsOf(node);
      case 'leaf':
        return [];
    }
  }

  #session(name: string): vscode.TreeItem {
    const status = this.#sessions.find(name)?.status;
    const item = sessionItem(name, status);
    item.id = `computation/${name}`;
    item.label = name;
    item.collapsibleState = Expanded;
    item.description = status
      ? `${stateLabel(status.state)} · ${formatCommandLine(status.argv.map((word) => basename(word) || word))}`
      : '';
    return spoken(item);
  }

  #build(): void {
    const before = this.#nodes;
    this.#nodes = new Map();
    const children = new Map<ComputationNode, readonly ComputationNode[]>();
    const looks = new Map<ComputationNode, string>();
    const make = (key: string, fresh: ComputationNode, look: string, below: readonly ComputationNode[]): ComputationNode => {
      const known = before.get(key);
      // The object stays, what it says is new.
      const node = known ? Object.assign(known, fresh) : fresh;
      this.#nodes.set(key, node);
      children.set(node, below);
      looks.set(node, look);
      return node;
    };
    const roots = this.#sessions.all.map(({ name: session, status }) => {
      const ids = new Set(status.processes.map(({ virtualPid }) => virtualPid));
      const processes = (some: readonly ProcessStatus[]): ComputationNode[] =>
        some.map((process) => {
          const key = `${session}/${process.virtualPid}`;
          const plugins = make(`${key}/plugins`, { kind: 'plugins', session, process }, JSON.stringify(process.plugins), []);
          const { plugins: _, ...line } = process;
          const look = JSON.stringify([line, ids.has(process.virtualParent)]);
          return make(key, { kind: 'process', session, process }, look, [plugins]);
        });
      const hosts = [...new Set(status.processes.map(({ host }) => host))];
      const all =
        hosts.length < 2
          ? processes(status.processes)
          : hosts.map((host) => {
              const own = status.processes.filter((process) => process.host === host);
              const look = JSON.stringify([own.length, status.hosts.find(({ name }) => name === host)]);
              return make(`${session}/host ${host}`, { kind: 'host', session, host }, look, processes(own));
            });
      const { operation } = status;
      const line = operation && operationLeaf(session, operation);
      const first = line ? [make(`${session}/operation`, line, JSON.stringify(line), [])] : [];
      const look = JSON.stringify([{ ...status, processes: [], operation: null, hosts: [] }, isAtBreakpoint(status)]);
      return make(session, { kind: 'session', session }, look, [...first, ...all]);
    });
    this.#shown = { roots, children, looks };
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

  /** What a plugin from outside shows of its own, and the functions that it wraps. */
  async #rowsOf({ session, virtualPid, plugin }: PluginNode): Promise<LeafNode[]> {
    const live = this.#sessions.find(session);
    if (!live) return [];
    const id = `${session}/${virtualPid}/plugin/${plugin.name}`;
    const one = (kind: 'plugin' | 'wrap', icon: string, texts: (row: TableRow) => [string, string]) =>
      live.request('session/table', { kind, virtualPid }).then(({ rows }) =>
        rows
          .filter(({ owner }) => owner === plugin.name)
          .map((row, index) => {
            const [label, description] = texts(row);
            return leaf(`${id}/${kind}/${index}`, label, [description, row.detail], icon);
          }),
      );
    try {
      return [
        ...(await one('plugin', 'symbol-numeric', ({ virtual, real }) => [virtual, real])),
        ...(await one('wrap', 'symbol-function', ({ virtual, real }) => [virtual, real === '' ? '' : basename(real)])),
      ];
    } catch (error) {
      return [leaf(`${id}/rows`, 'What it shows cannot be read', [messageOf(error)], 'warning')];
    }
  }

  #later(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      const before = this.#shown;
      this.#build();
      const changed = changedElements(before, this.#shown);
      if (changed?.length !== 0) this.#changed.fire(changed);
    }, SETTLE_MS);
  }

  dispose(): void {
    clearTimeout(this.#timer);
    for (const subscription of this.#subscriptions) subscription.dispose();
    this.#changed.dispose();
  }
}

function processItem(session: string, process: ProcessStatus, all: readonly ProcessStatus[]): vscode.TreeItem {
  const item = new vscode.TreeItem(`${basename(process.executable)} · ${process.virtualPid}`, Collapsed);
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

function hostItem(session: string, host: string, status: SessionStatus | undefined): vscode.TreeItem {
  const item = new vscode.TreeItem(host, Expanded);
  item.id = `${session}/host ${host}`;
  const count = (status?.processes ?? []).filter((process) => process.host === host).length;
  const known = status?.hosts.find(({ name }) => name === host);
  const parts = [
    `${count} process${count === 1 ? '' : 'es'}`,
    known?.address ?? '',
    known?.connected === false ? 'nobody answers for it' : '',
  ];
  item.description = parts.filter((part) => part !== '').join(' · ');
  item.iconPath = new vscode.ThemeIcon('server');
  return spoken(item);
}

/** Highest layer first: nearest to the application, as the barriers of a checkpoint go. */
function pluginNodes(session: string, { virtualPid, plugins }: ProcessStatus): PluginNode[] {
  return [...plugins].sort((a, b) => b.layer - a.layer).map((plugin) => ({ kind: 'plugin', session, virtualPid, plugin }));
}

function pluginItem({ session, virtualPid, plugin }: PluginNode): vscode.TreeItem {
  const { name, version, author, library, layer, error } = plugin;
  const all = [...new Set([...plugin.barriers, ...plugin.restartBarriers])];
  const waits = all.length === 0 ? '' : `barriers: ${all.join(', ')}`;
  const parts = error === '' ? [`layer ${layer}`, version, library === '' ? '' : author, waits] : [error];
  const icon = error === '' ? 'extensions' : 'error';
  const item = leafItem(
    leaf(`${session}/${virtualPid}/plugin/${name}`, name, parts, icon, `${library || 'built in'}\n${author}`),
  );
  if (library !== '' && error === '') item.collapsibleState = Collapsed;
  return item;
}

function leaf(id: string, label: string, description: readonly string[], icon: string, tooltip = ''): LeafNode {
  return { kind: 'leaf', id, label, description: description.filter((part) => part !== '').join(' · '), icon, tooltip };
}

function leafItem(node: LeafNode): vscode.TreeItem {
  const item = new vscode.TreeItem(node.label, None);
  item.id = node.id;
  item.description = node.description;
  item.iconPath = new vscode.ThemeIcon(node.icon);
  item.tooltip = node.tooltip === '' ? [node.label, node.description].filter((part) => part !== '').join('\n') : node.tooltip;
  return spoken(item);
}
