/**
 * How the elements of the Snapshots view look: label, description, icon, what is read aloud, and the words by which menus know
 * them (contextValue: words separated by blanks, matched in package.json).
 */
import { basename } from 'node:path';
import * as vscode from 'vscode';
import type { SessionState, SessionStatus } from '../../../debug-adapter/src/protocol/control.js';
import { changeText, formatBytes, formatDuration, formatSimulatedTime } from '../../../debug-adapter/src/protocol/format.js';
import type { SnapshotSummary } from '../../../debug-adapter/src/protocol/snapshot.js';
import { formatCommandLine, formatMoment, snapshotDescription, snapshotRowLabel } from './format.js';
import type { BranchNode, SnapshotNode, StoreNode } from './nodes.js';
import { ruleLines } from './ruleLines.js';

/** Of a restart's changes, in its branch's line; its tooltip has all. */
const SHOWN_CHANGES = 3;

const { Expanded, None } = vscode.TreeItemCollapsibleState;

export function storeItem(node: StoreNode, folder: string | undefined): vscode.TreeItem {
  const item = new vscode.TreeItem(folder ?? basename(node.store), Expanded);
  item.id = `${node.store}/store`;
  item.description = node.error === '' ? node.store : node.error;
  item.iconPath = node.error === '' ? new vscode.ThemeIcon('archive') : problemIcon();
  item.tooltip = node.error === '' ? node.store : `${node.store}\n${node.error}`;
  item.contextValue = 'store';
  return spoken(item);
}

export function branchItem({ store, branch }: BranchNode): vscode.TreeItem {
  const item = new vscode.TreeItem(branch.session, Expanded);
  item.id = `${store}/branch/${branch.key}`;
  const count = branch.snapshots.length;
  const made = `${count} snapshot${count === 1 ? '' : 's'}`;
  const changes = (branch.tip?.restartChanges ?? branch.snapshots[0]?.restartChanges ?? []).map(changeText);
  item.description = [
    ...(branch.from === null ? [] : ['restarted']),
    ...changes.slice(0, SHOWN_CHANGES),
    ...(count === 0 ? [] : [made]),
  ].join(' · ');
  item.iconPath = new vscode.ThemeIcon(branch.from === null ? 'circuit-board' : 'git-branch');
  const argv = branch.tip?.argv ?? branch.snapshots[0]?.argv ?? [];
  item.tooltip = [`Session ${branch.session}`, formatCommandLine(argv), ...changes.map((one) => `Restarted with ${one}`)].join(
    '\n',
  );
  item.contextValue = 'branch';
  return spoken(item);
}

/** A checkpoint or restart stands before a phase or barrier until somebody resumes it. */
export const isAtBreakpoint = ({ operation }: SessionStatus): boolean => (operation?.heldAt ?? '') !== '';

/** The tip of a branch: what the session is now. */
export function sessionItem(session: string, status: SessionStatus | undefined): vscode.TreeItem {
  const item = new vscode.TreeItem(status ? stateLabel(status.state) : 'ended', None);
  item.id = `session/${session}`;
  if (!status) return item;
  const ended = status.state === 'exited';
  const how = status.exitStatus === null ? '' : ` · status ${status.exitStatus}`;
  item.description = ended ? `${session}${how}` : `${session} · since ${formatMoment(status.startedAt)}`;
  item.iconPath = stateIcon(status.state);
  const words = [
    'session',
    !ended && 'live',
    status.state,
    status.terminal && 'terminal',
    status.runFolder !== null && 'run',
    isAtBreakpoint(status) && 'paused',
  ];
  item.contextValue = words.filter((word) => typeof word === 'string').join(' ');
  item.tooltip = [
    `Session ${session} is ${status.state}`,
    formatCommandLine(status.argv),
    ...(status.runFolder === null ? [] : [`Outputs: ${status.runFolder}`]),
  ].join('\n');
  item.command = { command: 'cairn.showTerminal', title: 'Show Terminal', arguments: [{ kind: 'session', session }] };
  return spoken(item);
}

export function snapshotItem({ store, snapshot }: SnapshotNode, hasBranches: boolean): vscode.TreeItem {
  const item = new vscode.TreeItem(snapshotRowLabel(snapshot), hasBranches ? Expanded : None);
  item.id = `${store}/snapshot/${snapshot.id}`;
  item.description = snapshot.problem === '' ? snapshotDescription(snapshot) : snapshot.problem;
  item.iconPath = snapshot.problem !== '' ? problemIcon() : new vscode.ThemeIcon(snapshot.pinned ? 'pinned' : 'device-camera');
  item.contextValue = `snapshot ${snapshot.pinned ? 'pinned' : 'unpinned'} ${snapshot.problem === '' ? 'whole' : 'damaged'}`;
  item.tooltip = snapshotTooltip(snapshot);
  return spoken(item, [
    ...(snapshot.pinned ? ['pinned'] : []),
    ...(snapshot.problem === '' ? [] : ['damaged']),
    ...(snapshot.note === '' ? [] : [`note: ${snapshot.note}`]),
  ]);
}

function snapshotTooltip(snapshot: SnapshotSummary): vscode.MarkdownString {
  const tooltip = new vscode.MarkdownString('', true);
  const line = (name: string, value: string) => tooltip.appendMarkdown(`**${name}** `).appendText(value).appendMarkdown('  \n');
  if (snapshot.problem !== '') line('Problem', snapshot.problem);
  if (snapshot.note !== '') tooltip.appendText(snapshot.note).appendMarkdown('\n\n');
  line('Made', formatMoment(snapshot.createdAt));
  if (snapshot.simulatedTime) line('Simulated time', formatSimulatedTime(snapshot.simulatedTime));
  for (const { name, value } of snapshot.signals ?? []) line(name, value ?? 'no value');
  line('Size', formatBytes(snapshot.bytes));
  line('Held', `${formatDuration(snapshot.pauseMs)} of ${formatDuration(snapshot.totalMs)}`);
  line('Session', snapshot.session);
  line('Id', snapshot.id);
  line('Command', formatCommandLine(snapshot.argv));
  for (const [name, value] of ruleLines(snapshot)) line(name, value);
  if (snapshot.plugins?.length) line('Plugins', snapshot.plugins.map(({ name, library }) => name ?? library).join(', '));
  for (const change of snapshot.restartChanges ?? []) line('Restarted with', changeText(change));
  return tooltip;
}

export function stateLabel(state: SessionState): string {
  if (state === 'exited') return 'ended';
  return state === 'checkpointing' || state === 'restarting' || state === 'starting' ? `${state}…` : state;
}

export function stateIcon(state: SessionState): vscode.ThemeIcon {
  switch (state) {
    case 'running':
      return new vscode.ThemeIcon('play-circle', new vscode.ThemeColor('charts.green'));
    case 'held':
      return new vscode.ThemeIcon('debug-pause', new vscode.ThemeColor('charts.yellow'));
    case 'exited':
      return new vscode.ThemeIcon('circle-slash');
    case 'starting':
    case 'checkpointing':
    case 'restarting':
      return new vscode.ThemeIcon('sync~spin');
  }
}

function problemIcon(): vscode.ThemeIcon {
  return new vscode.ThemeIcon('warning', new vscode.ThemeColor('list.warningForeground'));
}

/** What is read aloud begins with what is seen. */
export function spoken(item: vscode.TreeItem, more: readonly string[] = []): vscode.TreeItem {
  const seen = [item.label, item.description].filter((part): part is string => typeof part === 'string' && part !== '');
  item.accessibilityInformation = { label: [...seen, ...more].join(', '), role: 'treeitem' };
  return item;
}
