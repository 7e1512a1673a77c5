/**
 * Commands on snapshots: restart, rename, annotate, pin, delete, copy, reveal. Each takes the element of the tree that it was
 * called on; called without one, what is selected there, else what the user picks.
 */
import * as vscode from 'vscode';
import { z } from 'zod';
import type { CairnCommand } from '../platform/cairnCommand.js';
import { UserError } from '../platform/errors.js';
import type { Snapshots } from '../session/snapshots.js';
import { snapshotDescription, snapshotLabel } from '../views/format.js';
import { isSnapshotNode, LOST, type SnapshotNode, type SnapshotTreeNode } from '../views/nodes.js';
import type { SnapshotTreeView } from '../views/snapshotTree.js';
import type { Restarts } from './restart.js';
import { revealPath } from './reveal.js';

const Anything = z.unknown();

export class SnapshotCommands {
  readonly #snapshots: Snapshots;
  readonly #tree: SnapshotTreeView;
  readonly #cairn: CairnCommand;
  readonly #restarts: Restarts;

  constructor(snapshots: Snapshots, tree: SnapshotTreeView, cairn: CairnCommand, restarts: Restarts) {
    this.#restarts = restarts;
    this.#snapshots = snapshots;
    this.#tree = tree;
    this.#cairn = cairn;
  }

  /** Command → what it does, for the composition root to register. */
  all(): Record<string, (node?: unknown, nodes?: unknown) => Promise<void>> {
    return {
      'cairn.restart': async (node) => this.#restarts.restart(await this.#one(node, 'Restart', true)),
      'cairn.restartInPlace': async (node) => this.#restarts.restartInPlace(await this.#one(node, 'Restart in Place', true)),
      'cairn.restartAs': async (node) => this.#restarts.restartAs(await this.#one(node, 'Restart As', true)),
      'cairn.restartLast': async () => this.#restarts.restart(this.#last()),
      'cairn.rename': async (node) => this.#rename(await this.#one(node, 'Rename')),
      'cairn.editNote': async (node) => this.#editNote(await this.#one(node, 'Edit Note')),
      'cairn.pin': async (node) => this.#pin(await this.#one(node, 'Pin'), true),
      'cairn.unpin': async (node) => this.#pin(await this.#one(node, 'Unpin'), false),
      'cairn.delete': async (node, nodes) => this.#delete(await this.#several(node, nodes)),
      'cairn.copyId': async (node) => vscode.env.clipboard.writeText((await this.#one(node, 'Copy Id')).snapshot.id),
      'cairn.revealFolder': async (node) => revealPath((await this.#one(node, 'Reveal Folder')).snapshot.path),
      'cairn.refresh': () => this.#snapshots.refresh(),
      // Only for keys, which know the focused element, not the selected one.
      'cairn.openFocused': () => this.#openFocused(),
      'cairn.renameFocused': async () => {
        const node = (await this.#focused())[0];
        if (isSnapshotNode(node)) await this.#rename(node);
      },
      'cairn.deleteFocused': async () => this.#delete((await this.#focused()).filter(isSnapshotNode)),
    };
  }

  /** Several selected elements stay what is meant; else it is the focused one, which becomes selected. */
  async #focused(): Promise<readonly SnapshotTreeNode[]> {
    const { selection } = this.#tree;
    return selection.length > 1 ? selection : this.#tree.selectFocused();
  }

  async #openFocused(): Promise<void> {
    const node = (await this.#focused())[0];
    if (isSnapshotNode(node)) await this.#restarts.restart(node);
    else if (node && node.kind !== 'session') await vscode.commands.executeCommand('list.toggleExpand');
  }

  async #one(node: unknown, title: string, whole = false): Promise<SnapshotNode> {
    if (isSnapshotNode(node)) return node;
    if (node === LOST) return this.#lost(title, whole);
    const selected = this.#tree.view.visible ? this.#tree.selection.filter(isSnapshotNode) : [];
    const [only] = selected;
    if (only && selected.length === 1) return only;
    return this.#pick(title, whole);
  }

  /** A menu has the focus on its row; a button, as "Restart" has one, does not. */
  async #lost(title: string, whole: boolean): Promise<SnapshotNode> {
    const [focused] = title === 'Restart' ? [] : await this.#tree.selectFocused();
    return isSnapshotNode(focused) ? focused : this.#pick(title, whole);
  }

  async #several(node: unknown, nodes: unknown): Promise<SnapshotNode[]> {
    const given = Array.isArray(nodes) ? nodes.filter(isSnapshotNode) : [];
    if (given.length > 0) return given;
    if (isSnapshotNode(node)) return [node];
    if (node === LOST) return [await this.#lost('Delete', false)];
    const selected = this.#tree.view.visible ? this.#tree.selection.filter(isSnapshotNode) : [];
    return selected.length > 0 ? selected : [await this.#pick('Delete', false)];
  }

  /** Newest first. */
  #nodes(whole: boolean): SnapshotNode[] {
    const all = this.#snapshots.contents.flatMap(({ store, snapshots }) =>
      snapshots.map((snapshot): SnapshotNode => ({ kind: 'snapshot', store, snapshot })),
    );
    const fit = all.filter(({ snapshot }) => !whole || snapshot.problem === '');
    return fit.sort((a, b) => (a.snapshot.createdAt < b.snapshot.createdAt ? 1 : -1));
  }

  async #pick(title: string, whole: boolean): Promise<SnapshotNode> {
    const items = this.#nodes(whole).map((node) => ({
      label: snapshotLabel(node.snapshot),
      description: `${node.snapshot.session} · ${snapshotDescription(node.snapshot)}`,
      detail: node.snapshot.note,
      node,
    }));
    if (items.length === 0) throw new UserError('There are no snapshots. Make one with Checkpoint while a simulation runs.');
    const picked = await vscode.window.showQuickPick(items, {
      title,
      placeHolder: 'Snapshot',
      matchOnDescription: true,
      matchOnDetail: true,
    });
    if (!picked) throw new vscode.CancellationError();
    return picked.node;
  }

  #last(): SnapshotNode {
    const [last] = this.#nodes(true);
    if (!last) throw new UserError('There are no snapshots to restart. Make one with Checkpoint while a simulation runs.');
    return last;
  }

  async #rename({ store, snapshot }: SnapshotNode): Promise<void> {
    const name = await vscode.window.showInputBox({
      title: `Rename ${snapshotLabel(snapshot)}`,
      value: snapshot.name,
      prompt: 'Empty: named by its time',
      validateInput: (text) => (text.length > 120 ? 'At most 120 characters' : undefined),
    });
    if (name !== undefined) await this.#change(store, ['rename', snapshot.id, name.trim()]);
  }

  async #editNote({ store, snapshot }: SnapshotNode): Promise<void> {
    const note = await vscode.window.showInputBox({
      title: `Note of ${snapshotLabel(snapshot)}`,
      value: snapshot.note,
      prompt: 'What this snapshot is good for; empty: none',
    });
    if (note !== undefined) await this.#change(store, ['note', snapshot.id, note.trim()]);
  }

  async #pin({ store, snapshot }: SnapshotNode, pinned: boolean): Promise<void> {
    await this.#change(store, [pinned ? 'pin' : 'unpin', snapshot.id]);
  }

  async #delete(nodes: readonly SnapshotNode[]): Promise<void> {
    const pinned = nodes.filter(({ snapshot }) => snapshot.pinned);
    if (pinned.length > 0)
      throw new UserError(
        `${pinned.map(({ snapshot }) => snapshotLabel(snapshot)).join(', ')} ${pinned.length === 1 ? 'is' : 'are'} pinned. Unpin first.`,
      );
    const [first] = nodes;
    if (!first) return;
    const what = nodes.length === 1 ? snapshotLabel(first.snapshot) : `${nodes.length} snapshots`;
    const button = 'Delete';
    const detail = 'Its files are removed from the disk. Snapshots made after it stay and can be restarted.';
    const choice = await vscode.window.showWarningMessage(`Delete ${what}?`, { modal: true, detail }, button);
    if (choice !== button) return;
    for (const store of new Set(nodes.map((node) => node.store))) {
      await this.#change(store, ['rm', ...nodes.filter((node) => node.store === store).map(({ snapshot }) => snapshot.id)]);
    }
  }

  async #change(store: string, args: readonly string[]): Promise<void> {
    const [command = '', ...rest] = args;
    // What the user typed may begin with a dash.
    await this.#cairn.json(Anything, [command, '--store', store, '--', ...rest]);
    await this.#snapshots.read(store);
  }
}
