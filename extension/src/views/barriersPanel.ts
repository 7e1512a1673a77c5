/**
 * The Barriers view: the phases of the checkpoint or restart in progress, or of the last one, of the session that is shown, with its
 * time line; or of an earlier one, of the session or of the snapshot that is selected in the tree.
 */
import { basename } from 'node:path';
import * as vscode from 'vscode';
import { z } from 'zod';
import type { BarriersModel } from '../../../debug-adapter/src/protocol/panels.js';
import { OperationTimeline } from '../../../debug-adapter/src/protocol/timeline.js';
import type { CairnCommand } from '../platform/cairnCommand.js';
import type { CurrentSession } from '../session/current.js';
import type { DebugSessions } from '../session/debugSessions.js';
import type { LiveSessions } from '../session/liveSessions.js';
import { formatMoment } from './format.js';
import type { ComputationNode, SnapshotTreeNode } from './nodes.js';
import type { PanelHost } from './panelHost.js';

type Choice = BarriersModel['choices'][number] & { readonly timeline: OperationTimeline };

export class BarriersPanel implements vscode.Disposable {
  readonly #host: PanelHost;
  readonly #current: CurrentSession;
  readonly #cairn: CairnCommand;
  readonly #subscription: vscode.Disposable;
  #live: Choice[] = [];
  #kept: Choice[] = [];
  /** Of which session and operation #live was read last. */
  #read = '';
  /** That is selected; what is kept with it is read once, and only to be shown. */
  #snapshot: { readonly path: string; readonly name: string; isRead: boolean } | undefined;
  #chosen: string | null = null;

  constructor(host: PanelHost, current: CurrentSession, sessions: LiveSessions, debug: DebugSessions, cairn: CairnCommand) {
    this.#host = host;
    this.#current = current;
    this.#cairn = cairn;
    const update = () => this.#update();
    this.#subscription = vscode.Disposable.from(
      sessions.onDidChange(update),
      debug.onDidChange(update),
      vscode.debug.onDidChangeBreakpoints(update),
      host.onDidShow(() => {
        void this.#readKept();
        update();
      }),
      host.onDidReceive((message) => {
        if (message.type === 'cancel') void vscode.commands.executeCommand('cairn.cancel');
        if (message.type === 'goOn') void vscode.commands.executeCommand('cairn.resume');
        if (message.type === 'holdHere') holdHere(message.name, message.on);
        if (message.type !== 'selectOperation') return;
        this.#chosen = message.key;
        this.#update();
      }),
    );
  }

  /** Offers what is kept with a snapshot that was selected in a tree. */
  follow(node: SnapshotTreeNode | ComputationNode | undefined): void {
    if (node?.kind !== 'snapshot' || node.snapshot.path === this.#snapshot?.path) return;
    const { path, name, id } = node.snapshot;
    this.#snapshot = { path, name: name || id, isRead: false };
    if (this.#host.visible) void this.#readKept();
  }

  async #readKept(): Promise<void> {
    const snapshot = this.#snapshot;
    if (snapshot === undefined || snapshot.isRead) return;
    snapshot.isRead = true;
    const { path, name } = snapshot;
    let found: OperationTimeline[] = [];
    try {
      found = await this.#cairn.json(z.array(OperationTimeline), ['barriers', '--snapshot', path]);
    } catch {
      // Nothing was kept with it: there is nothing to choose.
    }
    if (this.#snapshot !== snapshot) return;
    this.#kept = found
      .map((timeline) => ({
        key: `${path} ${timeline.startedAt} ${timeline.id}`,
        label: `${name}: ${timeline.kind}, ${formatMoment(timeline.startedAt)}`,
        kind: 'snapshot' as const,
        timeline,
      }))
      .reverse();
    this.#update();
  }

  async #readLive(): Promise<void> {
    const session = this.#current.shown;
    if (!session?.connected) return;
    const { timelines } = await session.request('session/timelines', {});
    if (session !== this.#current.shown) return;
    this.#live = timelines
      .map((timeline) => ({
        key: `${timeline.session} ${timeline.id}`,
        label: `${timeline.kind}, ${formatMoment(timeline.startedAt)}${timeline.error === '' ? '' : ', failed'}`,
        kind: 'live' as const,
        timeline,
      }))
      .reverse();
    this.#post();
  }

  #update(): void {
    const status = this.#current.shown?.status;
    const { operation } = status ?? {};
    const read = `${status?.session} ${operation?.id} ${operation?.finished}`;
    if (read !== this.#read) {
      this.#read = read;
      // What an operation in progress has come to is in its status; how it went is read when it is over.
      if (!operation || !this.#live.every(({ timeline }) => timeline.session === status?.session)) this.#live = [];
      if (operation?.finished) this.#readLive().catch(() => undefined);
    }
    this.#post();
  }

  #post(): void {
    const status = this.#current.shown?.status;
    const processes = (status?.processes ?? []).map(({ virtualPid, executable }) => ({ virtualPid, name: basename(executable) }));
    const choices = [...this.#live, ...this.#kept];
    const chosen = choices.find(({ key }) => key === this.#chosen);
    const newest = this.#live.find(({ timeline }) => timeline.id === status?.operation?.id);
    const model: BarriersModel = {
      panel: 'barriers',
      session: status?.session ?? null,
      state: status?.state ?? null,
      operation: status?.operation ?? null,
      processes,
      choices: choices.map(({ key, label, kind }) => ({ key, label, kind })),
      chosen: chosen?.key ?? null,
      breakpoints: functionBreakpoints()
        .filter(({ enabled }) => enabled)
        .map(({ functionName }) => functionName),
      timeline: (chosen ?? newest)?.timeline ?? null,
    };
    this.#host.post(model);
  }

  dispose(): void {
    this.#subscription.dispose();
  }
}

const functionBreakpoints = (): vscode.FunctionBreakpoint[] =>
  vscode.debug.breakpoints.filter((one) => one instanceof vscode.FunctionBreakpoint);

/** As a function breakpoint, which the Breakpoints view has, too. */
function holdHere(name: string, on: boolean): void {
  vscode.debug.removeBreakpoints(functionBreakpoints().filter(({ functionName }) => functionName === name));
  if (on) vscode.debug.addBreakpoints([new vscode.FunctionBreakpoint(name)]);
}
