/**
 * Restart of a snapshot: as it is, in place, or with another environment, other paths, another name. A restart is a debug
 * session of its own, so it has a terminal, a branch in the tree and threads like any launch.
 */
import * as vscode from 'vscode';
import { z } from 'zod';
import { PreflightFinding } from '../../../debug-adapter/src/protocol/snapshot.js';
import type { CairnCommand } from '../platform/cairnCommand.js';
import { UserError } from '../platform/errors.js';
import { folderOf } from '../session/stores.js';
import { snapshotLabel } from '../views/format.js';
import type { SnapshotNode } from '../views/nodes.js';
import { withLateProgress } from './progress.js';

/** Part of a launch configuration. */
export interface RestartOptions {
  inPlace?: boolean;
  session?: string;
  env?: Record<string, string | null>;
  paths?: { from: string; to: string }[];
}

const Check = z.object({ restartable: z.boolean(), findings: z.array(PreflightFinding) });

interface Step extends vscode.QuickPickItem {
  readonly edit?: (options: RestartOptions) => Promise<void>;
}

export class Restarts {
  readonly #cairn: CairnCommand;

  constructor(cairn: CairnCommand) {
    this.#cairn = cairn;
  }

  async restart(node: SnapshotNode, options: RestartOptions = {}): Promise<void> {
    const { store, snapshot } = node;
    const label = snapshotLabel(snapshot);
    if (snapshot.problem !== '') throw new UserError(`${label} cannot be restarted: ${snapshot.problem}`);
    if (!(await this.#preflight(node, options))) return;
    const configuration = {
      type: 'cairn',
      request: 'launch',
      name: `${label} (restart)`,
      snapshot: snapshot.path,
      store,
      ...options,
    };
    // Whoever restarts from the tree of snapshots wants to go on seeing it. What fails from here on is shown by VS Code itself, with the adapter's words.
    await withLateProgress(
      `Restart of ${label}`,
      Promise.resolve(vscode.debug.startDebugging(folderOf(store), configuration, { suppressDebugView: true })),
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

  /** One list, in which each choice is edited until "Restart" is chosen. */
  async restartAs(node: SnapshotNode): Promise<void> {
    const options: RestartOptions = {};
    for (;;) {
      const step = await vscode.window.showQuickPick(steps(options), {
        title: `Restart ${snapshotLabel(node.snapshot)} as…`,
        placeHolder: 'Choose what to change, then Restart',
      });
      if (!step) return;
      if (!step.edit) return this.restart(node, options);
      await step.edit(options);
    }
  }

  /** false: it cannot be right here, and the user was told why. */
  async #preflight({ store, snapshot }: SnapshotNode, { paths = [], inPlace }: RestartOptions): Promise<boolean> {
    const changes = [...paths.flatMap(({ from, to }) => ['--path', `${from}=${to}`]), ...(inPlace ? ['--in-place'] : [])];
    const args = ['restart', '--check', '--store', store, ...changes, '--', snapshot.id];
    const { restartable, findings } = await this.#cairn.json(Check, args, { mayFail: true });
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
    return restartable;
  }
}

function steps(options: RestartOptions): Step[] {
  const env = Object.entries(options.env ?? {}).map(([name, value]) => (value === null ? `-${name}` : `${name}=${value}`));
  const paths = (options.paths ?? []).map(({ from, to }) => `${from}=${to}`);
  return [
    { label: '$(debug-restart) Restart', description: 'with what is chosen below' },
    { label: '$(symbol-key) Environment', description: env.join(', ') || 'as at the snapshot', edit: editEnvironment },
    { label: '$(file-symlink-directory) Paths', description: paths.join(', ') || 'as at the snapshot', edit: editPaths },
    { label: '$(tag) Session name', description: options.session ?? 'made from the old one', edit: editName },
    {
      label: options.inPlace ? '$(check) Write in place' : '$(new-folder) Write to a run folder of its own',
      description: 'choose to change',
      edit: toggleInPlace,
    },
  ];
}

async function editEnvironment(options: RestartOptions): Promise<void> {
  const text = await vscode.window.showInputBox({
    title: 'Environment',
    prompt: 'One variable: NAME=VALUE sets it, -NAME removes it, NAME alone takes the change back',
    placeHolder: 'NAME=VALUE',
    validateInput: (value) => (/^-?[A-Za-z_]\w*$|^[A-Za-z_]\w*=/.test(value) ? undefined : 'NAME=VALUE or -NAME'),
  });
  if (text === undefined) return;
  const env = { ...options.env };
  const equals = text.indexOf('=');
  if (equals > 0) env[text.slice(0, equals)] = text.slice(equals + 1);
  else if (text.startsWith('-')) env[text.slice(1)] = null;
  else delete env[text];
  options.env = env;
}

async function editPaths(options: RestartOptions): Promise<void> {
  const text = await vscode.window.showInputBox({
    title: 'Paths',
    prompt: 'What the simulation knows as FROM is taken from TO: absolute folders or files',
    placeHolder: '/old/folder=/new/folder',
    validateInput: (value) => (/^\/[^=]*=\/.*$/.test(value) ? undefined : 'FROM=TO, both absolute'),
  });
  if (text === undefined) return;
  const equals = text.indexOf('=');
  const from = text.slice(0, equals);
  options.paths = [...(options.paths ?? []).filter((path) => path.from !== from), { from, to: text.slice(equals + 1) }];
}

async function editName(options: RestartOptions): Promise<void> {
  const text = await vscode.window.showInputBox({
    title: 'Session name',
    value: options.session ?? '',
    validateInput: (value) =>
      /^([A-Za-z0-9][A-Za-z0-9._-]{0,47})?$/.test(value) ? undefined : 'Up to 48 letters, digits, ".", "_" or "-"',
  });
  if (text === undefined) return;
  if (text === '') delete options.session;
  else options.session = text;
}

function toggleInPlace(options: RestartOptions): Promise<void> {
  options.inPlace = !options.inPlace;
  return Promise.resolve();
}
