/**
 * Commands on campaigns: show, run, pause, export as one HTML file, one run again. Called on a file in the explorer or the editor; called without
 * one they take the file that is open, or let the user pick one.
 */
import * as vscode from 'vscode';
import { CAMPAIGN_FILES, type Campaigns, isCampaignFile } from '../campaigns/campaigns.js';
import { UserError } from '../platform/errors.js';
import type { CampaignActions, CampaignPanels } from '../views/campaignPanel.js';

const MESSAGE_MS = 6000;

/** What the panel and the Testing view do, too. */
export function campaignActions(campaigns: Campaigns): CampaignActions {
  return {
    run: async (file) => {
      const { problem, stopped } = await campaigns.start(file);
      if (problem !== '' && !stopped) throw new UserError(problem);
    },
    exportHtml: async (file) => {
      const html = await campaigns.html(file);
      const proposed = vscode.Uri.file(file.replace(/(\.campaign)?\.\w+$/, '.html'));
      const target = await vscode.window.showSaveDialog({ defaultUri: proposed, filters: { 'HTML report': ['html'] } });
      if (!target) throw new vscode.CancellationError();
      await vscode.workspace.fs.writeFile(target, new TextEncoder().encode(html));
      void vscode.window.setStatusBarMessage(`Report: ${target.fsPath}`, MESSAGE_MS);
    },
    repeat: async (file, number) => {
      const { again } = await campaigns.run(file, number);
      const terminal = vscode.window.createTerminal({
        name: `Run ${number}`,
        cwd: vscode.Uri.joinPath(vscode.Uri.file(file), '..'),
      });
      terminal.show();
      terminal.sendText(again);
    },
  };
}

export function campaignCommands(
  campaigns: Campaigns,
  panels: CampaignPanels,
  actions: CampaignActions,
): Record<string, (node?: unknown) => Promise<void>> {
  return {
    'cairn.showCampaign': async (node) => panels.show(await fileOf(node)),
    'cairn.runCampaign': async (node) => {
      const file = await fileOf(node);
      await panels.show(file);
      await actions.run(file);
    },
    'cairn.pauseCampaign': async (node) => campaigns.stop(await fileOf(node)),
    'cairn.exportCampaign': async (node) => actions.exportHtml(await fileOf(node)),
  };
}

async function fileOf(node: unknown): Promise<string> {
  if (node instanceof vscode.Uri) return node.fsPath;
  const open = vscode.window.activeTextEditor?.document.uri;
  if (open && isCampaignFile(open.fsPath)) return open.fsPath;
  const files = await vscode.workspace.findFiles(CAMPAIGN_FILES);
  const [only] = files;
  if (!only)
    throw new UserError('There is no campaign in this workspace: its file has to be called NAME.campaign.yaml or faults.yaml.');
  if (files.length === 1) return only.fsPath;
  const items = files.map((uri) => ({ label: vscode.workspace.asRelativePath(uri), path: uri.fsPath }));
  const picked = await vscode.window.showQuickPick(items, { title: 'Campaign' });
  if (!picked) throw new vscode.CancellationError();
  return picked.path;
}
