/**
 * Opening the Faults page: of a campaign's file; of a snapshot, with the campaigns that begin there to choose from; or of a new one.
 */
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import * as vscode from 'vscode';
import { CAMPAIGN_FILES, isCampaignFile } from '../campaigns/campaigns.js';
import { dataOf, newCampaign } from '../campaigns/campaignText.js';
import { UserError } from '../platform/errors.js';
import type { Snapshots } from '../session/snapshots.js';
import { canonical, folderOf, localFolders } from '../session/stores.js';
import type { FaultsPanels } from '../views/faultsPanel.js';
import { snapshotDescription, snapshotLabel } from '../views/format.js';
import { isSnapshotNode, type SnapshotNode } from '../views/nodes.js';

export function faultCommands(panels: FaultsPanels, snapshots: Snapshots): Record<string, (node?: unknown) => Promise<void>> {
  return { 'cairn.chooseFaults': async (node) => panels.show(await fileFor(node, snapshots)) };
}

async function fileFor(node: unknown, snapshots: Snapshots): Promise<string> {
  if (node instanceof vscode.Uri) return node.fsPath;
  if (isSnapshotNode(node)) return pickFile(node, await campaignsOf(node));
  const open = vscode.window.activeTextEditor?.document.uri;
  if (open && isCampaignFile(open.fsPath)) return open.fsPath;
  return pickFile(undefined, await vscode.workspace.findFiles(CAMPAIGN_FILES), snapshots);
}

/** Those that begin at this snapshot. */
async function campaignsOf({ store, snapshot }: SnapshotNode): Promise<vscode.Uri[]> {
  const files = await vscode.workspace.findFiles(CAMPAIGN_FILES);
  const fits = await Promise.all(
    files.map(async (file) => {
      const value = dataOf(new TextDecoder().decode(await vscode.workspace.fs.readFile(file)));
      const named = value?.['store'];
      const own = resolve(dirname(file.fsPath), typeof named === 'string' ? named : '.cairn');
      const begins = value?.['snapshot'];
      return (
        canonical(own) === canonical(store) && (begins === snapshot.id || (snapshot.name !== '' && begins === snapshot.name))
      );
    }),
  );
  return files.filter((_, index) => fits[index]);
}

async function pickFile(node: SnapshotNode | undefined, files: readonly vscode.Uri[], snapshots?: Snapshots): Promise<string> {
  if (node && files.length === 0) return create(node);
  const items = [
    ...files.map((uri) => ({ label: vscode.workspace.asRelativePath(uri), path: uri.fsPath })),
    { label: '$(add) New Campaign…', path: '' },
  ];
  const picked = await vscode.window.showQuickPick(items, { title: 'Faults', placeHolder: 'Campaign' });
  if (!picked) throw new vscode.CancellationError();
  if (picked.path !== '') return picked.path;
  return create(node ?? (await pickSnapshot(snapshots)));
}

async function pickSnapshot(snapshots: Snapshots | undefined): Promise<SnapshotNode> {
  const items = (snapshots?.contents ?? []).flatMap(({ store, snapshots: all }) =>
    all
      .filter(({ problem }) => problem === '')
      .map((snapshot) => ({
        label: snapshotLabel(snapshot),
        description: `${snapshot.session} · ${snapshotDescription(snapshot)}`,
        node: { kind: 'snapshot', store, snapshot } as const,
      })),
  );
  if (items.length === 0) throw new UserError('There are no snapshots. Make one with Checkpoint while a simulation runs.');
  const picked = await vscode.window.showQuickPick(items, { title: 'Faults', placeHolder: 'Snapshot where each run begins' });
  if (!picked) throw new vscode.CancellationError();
  return picked.node;
}

/** In the folder whose store it is, by the snapshot's name. */
async function create({ store, snapshot }: SnapshotNode): Promise<string> {
  const folder = folderOf(store, snapshot.cwd) ?? localFolders()[0];
  if (!folder) throw new UserError('A campaign is a file: open the folder that it is to be in.');
  const begins = snapshot.name !== '' ? snapshot.name : snapshot.id;
  const stem = begins.replace(/[^A-Za-z0-9._-]+/g, '-').replace(/^[^A-Za-z0-9]+/, '') || snapshot.id;
  let file = join(folder.uri.fsPath, `${stem.slice(0, 40)}.campaign.yaml`);
  for (let number = 2; existsSync(file); number++) file = join(folder.uri.fsPath, `${stem.slice(0, 40)}-${number}.campaign.yaml`);
  const usual = canonical(join(folder.uri.fsPath, '.cairn')) === canonical(store);
  const text = newCampaign(begins, usual ? undefined : store);
  await vscode.workspace.fs.writeFile(vscode.Uri.file(file), new TextEncoder().encode(text));
  return file;
}
