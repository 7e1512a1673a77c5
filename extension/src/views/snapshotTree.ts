/**
 * The Snapshots view: branches by session, snapshots in the order of time, live sessions at the tip of their branch. Shows what
 * `Snapshots` and `LiveSessions` know; owns nothing of it.
 */
import * as vscode from 'vscode';
import type { LiveSessions } from '../session/liveSessions.js';
import type { Snapshots, StoreContent } from '../session/snapshots.js';
import { canonical, ownerOf } from '../session/stores.js';
import type { SnapshotTreeNode } from './nodes.js';
import { changedElements, type ShownTree } from './shownTree.js';
import { branchItem, isAtBreakpoint, sessionItem, snapshotItem, storeItem } from './snapshotItems.js';
import { type Branch, buildSnapshotTree, type SnapshotTree } from './snapshotModel.js';

/** Several changes come at once (state, snapshot, listing). */
const SETTLE_MS = 30;
/** For VS Code to read the tree again. */
const SELECT_DEADLINE_MS = 2_000;
/** VS Code puts off for 200 ms what it is told to read again. */
const QUIET_MS = 300;
const QUIET_LOOKS = 3;

export class SnapshotTreeView implements vscode.TreeDataProvider<SnapshotTreeNode>, vscode.Disposable {
  readonly #snapshots: Snapshots;
  readonly #sessions: LiveSessions;
  readonly #changed = new vscode.EventEmitter<SnapshotTreeNode[] | undefined>();
  readonly onDidChangeTreeData = this.#changed.event;
  readonly view: vscode.TreeView<SnapshotTreeNode>;
  readonly #subscriptions: vscode.Disposable[];
  /** One object for each thing, kept while the thing is there, so that VS Code knows it again. */
  #nodes = new Map<string, SnapshotTreeNode>();
  #shown: ShownTree<SnapshotTreeNode> = { roots: [], children: new Map(), looks: new Map() };
  #children = new Map<SnapshotTreeNode, readonly SnapshotTreeNode[]>();
  #parents = new Map<SnapshotTreeNode, SnapshotTreeNode>();
  #timer: NodeJS.Timeout | undefined;
  #openTimer: NodeJS.Timeout | undefined;
  /** Sessions whose branches have to be opened as soon as that can be seen, each with how often that was done in a quiet moment. */
  readonly #fresh = new Map<string, number>();
  #firedAt = 0;
  #selected: readonly SnapshotTreeNode[] = [];

  constructor(snapshots: Snapshots, sessions: LiveSessions) {
    this.#snapshots = snapshots;
    this.#sessions = sessions;
    this.#build();
    this.view = vscode.window.createTreeView('cairn.snapshots', {
      treeDataProvider: this,
      canSelectMany: true,
      showCollapseAll: true,
    });
    const selected = this.view.onDidChangeSelection(({ selection }) => {
      this.#selected = selection;
    });
    this.#subscriptions = [
      selected,
      this.view.onDidChangeVisibility(() => void this.#expandNew()),
      sessions.onDidAdd(({ name }) => this.#fresh.set(name, 0)),
      snapshots.onDidChange(() => this.#later()),
      sessions.onDidChange(() => this.#later()),
      this.view,
    ];
  }

  /**
   * Brings a snapshot up, by its folder, where the view is visible; a view that is not is left alone. What is selected stays:
   * it is what other views show.
   */
  async reveal(path: string): Promise<void> {
    this.#settle();
    const node = [...this.#nodes.values()].find(
      (one) => one.kind === 'snapshot' && canonical(one.snapshot.path) === canonical(path),
    );
    if (node && this.view.visible) await this.#bringUp(node);
  }

  /** VS Code rejects this where the tree changed meanwhile. Then the row is there, and only not brought up. */
  async #bringUp(node: SnapshotTreeNode): Promise<void> {
    await this.view.reveal(node, { select: false, focus: false }).then(undefined, () => undefined);
  }

  /**
   * What is selected and still there. While VS Code reads the tree again, its list of what is selected is empty; then it is
   * what was selected before.
   */
  get selection(): readonly SnapshotTreeNode[] {
    if (this.view.selection.length > 0) return this.view.selection;
    const present = new Set(this.#nodes.values());
    return this.#selected.filter((node) => present.has(node));
  }

  /** The selection after the focused element was selected; empty only where nothing is. */
  async selectFocused(): Promise<readonly SnapshotTreeNode[]> {
    await vscode.commands.executeCommand('list.select');
    const deadline = Date.now() + SELECT_DEADLINE_MS;
    while (this.selection.length === 0 && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
    return this.selection;
  }

  /** What the user has selected, each time that it is one thing. */
  onDidSelect(listener: (node: SnapshotTreeNode) => void): vscode.Disposable {
    return this.view.onDidChangeSelection(({ selection }) => {
      const [only] = selection;
      if (only && selection.length === 1) listener(only);
    });
  }

  getTreeItem(node: SnapshotTreeNode): vscode.TreeItem {
    switch (node.kind) {
      case 'store':
        return storeItem(node, ownerOf(node.store)?.name);
      case 'branch':
        return branchItem(node);
      case 'session':
        return sessionItem(node.session, this.#sessions.status(node.session));
      case 'snapshot':
        return snapshotItem(node, this.getChildren(node).length > 0);
    }
  }

  getChildren(node?: SnapshotTreeNode): SnapshotTreeNode[] {
    return [...(node ? (this.#children.get(node) ?? []) : this.#shown.roots)];
  }

  getParent(node: SnapshotTreeNode): SnapshotTreeNode | undefined {
    return this.#parents.get(node);
  }

  #later(): void {
    this.#timer ??= setTimeout(() => this.#settle(), SETTLE_MS);
  }

  #settle(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const before = this.#shown;
    this.#build();
    const changed = changedElements(before, this.#shown);
    if (changed?.length === 0) return;
    this.#firedAt = Date.now();
    // A row that could not be opened until now is one of another kind to VS Code only where it reads all again.
    const opens = changed?.some(
      (node) => node.kind === 'snapshot' && !before.children.get(node)?.length && this.getChildren(node).length > 0,
    );
    this.#changed.fire(opens ? undefined : changed);
    void this.#expandNew();
  }

  /** All that the line of an element is made of. The phases of an operation, for one, are no matter of this view. */
  #look(node: SnapshotTreeNode): string {
    switch (node.kind) {
      case 'store':
        return JSON.stringify([node.error, ownerOf(node.store)?.name]);
      case 'branch':
        return JSON.stringify([node.session, node.branch.session, node.branch.snapshots.length, node.branch.tip?.restartChanges]);
      case 'snapshot':
        return JSON.stringify([node.snapshot, this.getChildren(node).length > 0]);
      case 'session': {
        const status = this.#sessions.status(node.session);
        return JSON.stringify([{ ...status, processes: [], operation: null }, status !== undefined && isAtBreakpoint(status)]);
      }
    }
  }

  /**
   * A snapshot that had no branches was a leaf, and VS Code would leave it closed over its first one. What is opened while it
   * reads the tree again may be closed when it has, which nothing tells, and takes long on a busy machine: so it is opened at once, and
   * again when all was quiet for a while, some times.
   */
  async #expandNew(): Promise<void> {
    for (const [name, times] of this.#fresh) {
      const node = [...this.#nodes.values()].find((one) => one.kind === 'session' && one.session === name);
      if (!node || !this.view.visible) continue;
      const quiet = this.#isQuiet();
      await this.#bringUp(node);
      const done = quiet && this.#isQuiet() ? times + 1 : times;
      if (done === QUIET_LOOKS) this.#fresh.delete(name);
      else {
        this.#fresh.set(name, done);
        clearTimeout(this.#openTimer);
        this.#openTimer = setTimeout(() => void this.#expandNew(), QUIET_MS * 2 ** done);
      }
    }
  }

  #isQuiet(): boolean {
    return Date.now() - this.#firedAt >= QUIET_MS;
  }

  #build(): void {
    const before = this.#nodes;
    this.#nodes = new Map();
    this.#children = new Map();
    this.#parents = new Map();
    const make = <N extends SnapshotTreeNode>(key: string, fresh: N): SnapshotTreeNode => {
      const known = before.get(key);
      // The object stays, what it says is new.
      const node = known ? Object.assign(known, fresh) : fresh;
      this.#nodes.set(key, node);
      return node;
    };
    const branches = (store: string, tree: SnapshotTree, some: readonly Branch[]): SnapshotTreeNode[] =>
      some.map((branch) => {
        const node = make(`${store}/branch/${branch.key}`, { kind: 'branch', store, branch, session: branch.tip?.session });
        const snapshots = branch.snapshots.map((snapshot) => {
          const one = make(`${store}/snapshot/${snapshot.id}`, { kind: 'snapshot', store, snapshot });
          return this.#own(one, branches(store, tree, tree.branchesAt(snapshot.id)));
        });
        const tip = branch.tip
          ? [make(`${store}/session/${branch.tip.session}`, { kind: 'session', session: branch.tip.session })]
          : [];
        return this.#own(node, [...snapshots, ...tip]);
      });
    const shown: { content: StoreContent; children: SnapshotTreeNode[] }[] = [];
    for (const content of this.#snapshots.contents) {
      const { store, snapshots } = content;
      const sessions = [...this.#sessions.all.map(({ status }) => status), ...this.#sessions.ended];
      const own = sessions.filter((status) => canonical(status.store) === canonical(store));
      const tree = buildSnapshotTree(snapshots, own);
      // Empty stores are not worth a line.
      if (tree.roots.length > 0 || content.error !== '') shown.push({ content, children: branches(store, tree, tree.roots) });
    }
    const [only] = shown;
    const roots =
      only && shown.length === 1 && only.content.error === ''
        ? only.children
        : shown.map(({ content: { store, error }, children }) =>
            this.#own(make(`${store}/store`, { kind: 'store', store, error }), children),
          );
    const looks = new Map([...this.#nodes.values()].map((node) => [node, this.#look(node)]));
    this.#shown = { roots, children: this.#children, looks };
  }

  #own(node: SnapshotTreeNode, children: readonly SnapshotTreeNode[]): SnapshotTreeNode {
    this.#children.set(node, children);
    for (const child of children) this.#parents.set(child, node);
    return node;
  }

  dispose(): void {
    clearTimeout(this.#timer);
    clearTimeout(this.#openTimer);
    for (const subscription of this.#subscriptions) subscription.dispose();
    this.#changed.dispose();
  }
}
