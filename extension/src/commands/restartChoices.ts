/**
 * What a restart is to be other than its snapshot, as the user chooses it in lists and boxes: environment, paths, where it writes,
 * plugins (restartPlugins.ts), name.
 */
import * as vscode from 'vscode';
import { changeText } from '../../../debug-adapter/src/protocol/format.js';
import type { RestartChange, SnapshotSummary } from '../../../debug-adapter/src/protocol/snapshot.js';
import { snapshotLabel } from '../views/format.js';
import type { RestartOptions } from './restartArguments.js';
import { describePlugins, editPlugins, type Known } from './restartPlugins.js';

interface Step extends vscode.QuickPickItem {
  readonly edit?: (options: RestartOptions, known: Known) => Promise<void>;
}

/** Changes `options`; false: the user does not want to restart. */
export async function chooseRestart(known: Known, options: RestartOptions): Promise<boolean> {
  for (;;) {
    const step = await vscode.window.showQuickPick(steps(options, known), {
      title: `Restart ${snapshotLabel(known.snapshot)} as…`,
      placeHolder: 'Choose what to change, then Restart',
    });
    if (!step?.edit) return step !== undefined;
    await step.edit(options, known);
  }
}

/** false: back to the choices. */
export async function acceptChanges(snapshot: SnapshotSummary, changes: readonly RestartChange[]): Promise<boolean> {
  const start = {
    label: '$(debug-restart) Start',
    description: `with ${changes.length} change${changes.length === 1 ? '' : 's'}`,
  };
  const lines = changes.map((change) => ({ label: `$(diff) ${changeText(change)}` }));
  const picked = await vscode.window.showQuickPick(
    [start, { label: 'Other than in the snapshot', kind: vscode.QuickPickItemKind.Separator }, ...lines],
    {
      title: `Restart ${snapshotLabel(snapshot)} with these changes?`,
      placeHolder: 'Start, or go back to the choices by any other line or Escape',
    },
  );
  return picked === start;
}

function steps(options: RestartOptions, known: Known): Step[] {
  const env = Object.entries(options.env ?? {}).map(([name, value]) => (value === null ? `-${name}` : `${name}=${value}`));
  const paths = (options.paths ?? []).map(({ from, to }) => `${from}=${to}`);
  return [
    { label: '$(debug-restart) Restart', description: 'with what is chosen below' },
    { label: '$(symbol-key) Environment', description: env.join(', ') || 'as at the snapshot', edit: editEnvironment },
    { label: '$(file-symlink-directory) Paths', description: paths.join(', ') || 'as at the snapshot', edit: editPaths },
    { label: '$(server-environment) Run slot', description: options.slot ?? 'none', edit: editSlot },
    { label: '$(extensions) Plugins', description: describePlugins(options, known), edit: editPlugins },
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

async function editSlot(options: RestartOptions): Promise<void> {
  const text = await vscode.window.showInputBox({
    title: 'Run slot',
    value: options.slot ?? '',
    prompt:
      'A name of slots.json in the store, with its folder, paths and environment; or an absolute folder that takes what the run writes. Empty: none',
    placeHolder: 'night or /scratch/run7',
  });
  if (text === undefined) return;
  if (text.trim() === '') delete options.slot;
  else options.slot = text.trim();
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
