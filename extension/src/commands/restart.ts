/**
 * Restart of a snapshot: as it is, in place, or with another environment, other paths, another name. A restart is a debug
 * session of its own, so it has a terminal, a branch in the tree and threads like any launch.
 */
import * as vscode from 'vscode';
import { z } from 'zod';
import { PreflightFinding, RestartChange } from '../../../debug-adapter/src/protocol/snapshot.js';
import type { CairnCommand } from '../platform/cairnCommand.js';
import { messageOf, UserError } from '../platform/errors.js';
import type { LiveSessions } from '../session/liveSessions.js';
import { loadedProfiles } from '../session/pluginProfiles.js';
import { folderOf } from '../session/stores.js';
import { snapshotLabel } from '../views/format.js';
import type { SnapshotNode } from '../views/nodes.js';
import { withLateProgress } from './progress.js';
import { checkArguments, type RestartOptions } from './restartArguments.js';
import { acceptChanges, chooseRestart } from './restartChoices.js';

const Check = z.object({ restartable: z.boolean(), findings: z.array(PreflightFinding), changes: z.array(RestartChange) });

export class Restarts {
  readonly #cairn: CairnCommand;
  readonly #sessions: LiveSessions;

  constructor(cairn: CairnCommand, sessions: LiveSessions) {
    this.#cairn = cairn;
    this.#sessions = sessions;
  }

  async restart(node: SnapshotNode, options: RestartOptions = {}): Promise<void> {
    const { snapshot } = node;
    const label = snapshotLabel(snapshot);
    if (snapshot.problem !== '') throw new UserError(`${label} cannot be restarted: ${snapshot.problem}`);
    if (await this.#preflight(node, options)) await this.#start(node, options);
  }

  async #start({ store, snapshot }: SnapshotNode, options: RestartOptions): Promise<void> {
    const label = snapshotLabel(snapshot);
    const configuration = {
      type: 'cairn',
      request: 'launch',
      name: `${label} (restart)`,
      snapshot: snapshot.path,
      store,
      ...options,
    };
    const before = new Set(this.#sessions.all.map(({ status }) => status.session));
    // Whoever restarts from the tree of snapshots wants to go on seeing it. What fails from here on is shown by VS Code itself, with the adapter's words.
    await withLateProgress(
      `Restart of ${label}`,
      Promise.resolve(vscode.debug.startDebugging(folderOf(store, snapshot.cwd), configuration, { suppressDebugView: true })),
      () => this.#cancel(snapshot.id, before),
    );
  }

  async restartInPlace(node: SnapshotNode): Promise<void> {
    const button = 'Restart in Place';
    const message = `Restart ${snapshotLabel(node.snapshot)} in place?`;
    const detail =
      'Files that the simulation had open for writing are put back to their content at the snapshot. What later runs wrote to them is lost.';
    const choice = await vscode.window.showWarningMessage(message, { modal: true, detail }, button);
    if (choice === button) await this.restart(node, { inPlace: true });
  }

  /** One list, in which each choice is edited until "Restart" is chosen; then what differs from the snapshot, until that is accepted. */
  async restartAs(node: SnapshotNode): Promise<void> {
    const { snapshot } = node;
    if (snapshot.problem !== '') throw new UserError(`${snapshotLabel(snapshot)} cannot be restarted: ${snapshot.problem}`);
    const options: RestartOptions = {};
    const known = { snapshot, profiles: {}, readProfiles: () => loadedProfiles(folderOf(node.store, snapshot.cwd)) };
    while (await chooseRestart(known, options)) {
      try {
        const changes = await this.#preflight(node, options);
        if (changes && (changes.length === 0 || (await acceptChanges(snapshot, changes))))
          return await this.#start(node, options);
      } catch (error) {
        // What was chosen is not lost for a mistake in it.
        await vscode.window.showErrorMessage(`Restart of ${snapshotLabel(snapshot)}`, { modal: true, detail: messageOf(error) });
      }
    }
  }

  /**
   * Of a restart that goes through its phases; before, there is nothing yet that could be given up. `before`: sessions that there were,
   * of which others may be restarts of the same snapshot.
   */
  async #cancel(snapshot: string, before: ReadonlySet<string>): Promise<void> {
    const begun = this.#sessions.all.filter(
      ({ status }) => status.state === 'restarting' && status.restartedFrom === snapshot && !before.has(status.session),
    );
    await Promise.all(begun.map((session) => session.request('session/cancel', {})));
  }

  /** What it changes; undefined: it cannot be right here, and the user was told why. */
  async #preflight({ store, snapshot }: SnapshotNode, options: RestartOptions): Promise<RestartChange[] | undefined> {
    const args = ['restart', '--check', '--store', store, ...checkArguments(options), '--', snapshot.id];
    const { restartable, findings, changes } = await this.#cairn.json(Check, args, {
      mayFail: true,
      cwd: folderOf(store, snapshot.cwd)?.uri.fsPath,
    });
    const text = (severity: PreflightFinding['severity']) =>
      findings
        .filter((one) => one.severity === severity)
        .map(({ message, remedy }) => `${message}\n${remedy}`)
        .join('\n\n');
    if (!restartable) {
      await vscode.window.showErrorMessage(`${snapshotLabel(snapshot)} cannot be restarted here`, {
        modal: true,
        detail: text('error'),
      });
    } else if (findings.length > 0)
      void vscode.window.showWarningMessage(`Restart of ${snapshotLabel(snapshot)}: ${text('warning')}`);
    return restartable ? changes : undefined;
  }
}
