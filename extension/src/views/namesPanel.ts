/**
 * The Virtual Names view: one table (pid, path, env, fd) of a process, live or in a snapshot. Which one follows what is selected
 * in the trees, and can be chosen in the view. Tables are read when they can be seen: on selection, when the state of the
 * session changes, and on refresh.
 */
import * as vscode from 'vscode';
import { z } from 'zod';
import { TableRow } from '../../../debug-adapter/src/protocol/control.js';
import { RowWithHistory, sameRow } from '../../../debug-adapter/src/protocol/name-history.js';
import type { FromPanel, NameSource, NamesModel } from '../../../debug-adapter/src/protocol/panels.js';
import type { CairnCommand } from '../platform/cairnCommand.js';
import { messageOf, UserError } from '../platform/errors.js';
import type { LiveSessions } from '../session/liveSessions.js';
import type { Snapshots } from '../session/snapshots.js';
import { liveSources, snapshotSources } from './nameSources.js';
import type { ComputationNode, SnapshotTreeNode } from './nodes.js';
import type { PanelHost } from './panelHost.js';

type Source = NameSource & {
  readonly read: (kind: NamesModel['kind']) => Promise<readonly TableRow[]>;
  /** Words by which `cairn tables` knows it. */
  readonly named: readonly string[];
};

export class NamesPanel implements vscode.Disposable {
  readonly #host: PanelHost;
  readonly #sessions: LiveSessions;
  readonly #snapshots: Snapshots;
  readonly #cairn: CairnCommand;
  readonly #subscription: vscode.Disposable;
  #source: string | null = null;
  #kind: NamesModel['kind'] = 'pid';
  /** Answers to an older question are dropped. */
  #question = 0;
  #historyQuestion = 0;
  #states = '';
  /** As the panel has it, without a history. */
  #shown: NamesModel | undefined;

  constructor(host: PanelHost, sessions: LiveSessions, snapshots: Snapshots, cairn: CairnCommand) {
    this.#host = host;
    this.#sessions = sessions;
    this.#snapshots = snapshots;
    this.#cairn = cairn;
    this.#subscription = vscode.Disposable.from(
      host.onDidReceive((message) => void this.#received(message)),
      host.onDidShow(() => void this.#read()),
      snapshots.onDidChange(() => void this.#sourcesChanged()),
      sessions.onDidChange(() => void this.#sourcesChanged()),
    );
  }

  /** Shows what was selected in a tree. */
  follow(node: SnapshotTreeNode | ComputationNode | undefined): void {
    const source = node && sourceOf(node, this.#sessions);
    if (!source || source === this.#source) return;
    this.#source = source;
    if (this.#host.visible) void this.#read();
  }

  #sources(): Source[] {
    const cairn = this.#cairn;
    const live = this.#sessions.all.flatMap((session) =>
      liveSources(session.status).map(
        (source): Source => ({
          ...source,
          named: ['--session', session.status.session, '--pid', String(source.virtualPid)],
          read: async (kind) => (await session.request('session/table', { kind, virtualPid: source.virtualPid })).rows,
        }),
      ),
    );
    const stored = this.#snapshots.contents.flatMap(({ store, snapshots }) =>
      snapshots
        .filter(({ problem }) => problem === '')
        .reverse()
        .flatMap((snapshot) =>
          snapshotSources(store, snapshot).map(
            (source): Source => ({
              ...source,
              named: ['--snapshot', snapshot.path, '--pid', String(source.virtualPid)],
              read(kind) {
                return cairn.json(z.array(TableRow), ['tables', kind, ...this.named]);
              },
            }),
          ),
        ),
    );
    return [...live, ...stored];
  }

  async #received(message: FromPanel): Promise<void> {
    if (message.type === 'copy') await vscode.env.clipboard.writeText(message.text);
    else if (message.type === 'refresh') await this.#read();
    else if (message.type === 'nameHistory') await this.#showHistory(message.row);
    else if (message.type === 'selectNames') {
      this.#source = message.source ?? this.#source;
      this.#kind = message.kind;
      await this.#read();
    }
  }

  async #showHistory(row: TableRow | null): Promise<void> {
    const shown = this.#shown;
    if (!shown) return;
    const question = this.#question;
    const asked = ++this.#historyQuestion;
    const show = (history: RowWithHistory['history'], historyError = ''): void => {
      if (question !== this.#question || asked !== this.#historyQuestion) return;
      this.#host.post({ ...shown, history: row === null ? null : { ...row, history }, historyError });
    };
    const source = this.#sources().find(({ id }) => id === shown.source);
    if (row === null) show([]);
    else if (!source) show([], 'It is there no more: refresh the table.');
    else {
      try {
        const args = ['tables', shown.kind, '--history', '--filter', `virtual=${row.virtual}`, ...source.named];
        show(sameRow(row, await this.#cairn.json(z.array(RowWithHistory), args))?.history ?? []);
      } catch (error) {
        show([], this.#whyNot(error));
      }
    }
  }

  #whyNot(error: unknown): string {
    return error instanceof UserError ? error.message : `The table cannot be read: ${messageOf(error)}`;
  }

  /** Sources came or went, or a session's state changed, and its real names with it. */
  async #sourcesChanged(): Promise<void> {
    const states =
      this.#sources()
        .map(({ id, label }) => `${id} ${label}`)
        .join() + this.#sessions.all.map(({ status }) => status.state).join();
    if (states === this.#states) return;
    this.#states = states;
    if (this.#host.visible) await this.#read();
  }

  async #read(): Promise<void> {
    const question = ++this.#question;
    const sources = this.#sources();
    const source = sources.find(({ id }) => id === this.#source) ?? sources[0];
    this.#source = source?.id ?? null;
    const model: NamesModel = {
      panel: 'names',
      sources: sources.map(({ id, label, kind }) => ({ id, label, kind })),
      source: this.#source,
      kind: this.#kind,
      rows: [],
      history: null,
      historyError: '',
      error: '',
    };
    if (!source) return this.#host.post(model);
    try {
      const rows = await source.read(this.#kind);
      if (question !== this.#question) return;
      this.#shown = { ...model, rows: [...rows] };
      this.#host.post(this.#shown);
    } catch (error) {
      if (question === this.#question) this.#host.post({ ...model, error: this.#whyNot(error) });
    }
  }

  dispose(): void {
    this.#subscription.dispose();
  }
}

function sourceOf(node: SnapshotTreeNode | ComputationNode, sessions: LiveSessions): string | undefined {
  switch (node.kind) {
    case 'snapshot':
      return node.snapshot.problem === '' ? snapshotSources(node.store, node.snapshot)[0]?.id : undefined;
    case 'process':
    case 'plugins':
      return `live ${node.session}/${node.process.virtualPid}`;
    case 'session': {
      const session = sessions.find(node.session);
      return session && liveSources(session.status)[0]?.id;
    }
    default:
      return undefined;
  }
}
