/**
 * Commands on campaigns: show, run, pause, export as one HTML file, one run again. Called on a file in the explorer or the editor; called without
 * one they take the file that is open, or let the user pick one.
 */
import * as vscode from 'vscode';
import { shellWord } from '../../../debug-adapter/src/protocol/format.js';
import { CAMPAIGN_FILES, type Campaigns, isCampaignFile } from '../campaigns/campaigns.js';
import { declarationIn } from '../hdl/declarations.js';
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
    debug: async (file, number) => {
      const { snapshot, store, plugin, fault } = await campaigns.arm(file, number);
      const folder = vscode.workspace.getWorkspaceFolder(vscode.Uri.file(file));
      const configuration = {
        type: 'cairn',
        request: 'launch',
        name: `Run ${number}: ${fault}`,
        snapshot,
        store,
        plugins: [plugin],
      };
      await vscode.debug.startDebugging(folder, configuration);
    },
    waveform: async (file, number) => {
      const options = { location: vscode.ProgressLocation.Notification, title: `Waveform of run ${number}`, cancellable: true };
      const found = await vscode.window.withProgress(options, (_progress, token) => campaigns.waveform(file, number, token));
      if (found.file === '')
        void vscode.window.showInformationMessage(`The waveform of run ${number} is that of the run without a fault.`);
      else await openWaveform(vscode.Uri.file(found.file));
    },
    openSignal: async (file, name) => {
      const folder = vscode.workspace.getWorkspaceFolder(vscode.Uri.file(file));
      const found = await declarationIn(folder, name);
      if (!found) throw new UserError(`No Verilog source of the workspace declares ${name}.`);
      await vscode.window.showTextDocument(found.uri, { selection: found.range, preview: false });
    },
    chooseFaults: async (file) => {
      await vscode.commands.executeCommand('cairn.chooseFaults', vscode.Uri.file(file));
    },
    tryFault: async (file) => {
      const terminal = vscode.window.createTerminal({ name: 'Try Fault', cwd: vscode.Uri.joinPath(vscode.Uri.file(file), '..') });
      terminal.show();
      terminal.sendText(`cairn campaign try ${shellWord(file)}`);
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

/** In the viewer where it is installed, by the commands that it offers to others; else as a file. */
async function openWaveform(uri: vscode.Uri): Promise<void> {
  const viewer = vscode.extensions.getExtension('lramseyer.vaporview');
  if (viewer === undefined) await vscode.commands.executeCommand('vscode.open', uri);
  else {
    await viewer.activate();
    await vscode.commands.executeCommand('vaporview.openFile', { uri, loadAll: true });
  }
}

export async function fileOf(node: unknown): Promise<string> {
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
