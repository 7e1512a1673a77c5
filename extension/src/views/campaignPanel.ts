/**
 * The page of a campaign, in the editor's place: rates, models, and the runs that are asked for, a part at a time; live while it runs, whoever runs
 * it. One page a file.
 */
import * as vscode from 'vscode';
import { type CampaignModel, type CampaignQuery, FromPanel } from '../../../debug-adapter/src/protocol/panels.js';
import type { Campaigns } from '../campaigns/campaigns.js';
import { messageOf, reporting } from '../platform/errors.js';
import { webviewFolder, webviewPage } from './webviewPage.js';

/** As much as is sent for what can be seen, and what is near it. */
const PAGE = 200;

export interface CampaignActions {
  run(file: string): Promise<void>;
  exportHtml(file: string): Promise<void>;
  repeat(file: string, number: number): Promise<void>;
  /** A restart that is held just before the run's fault. */
  debug(file: string, number: number): Promise<void>;
  /** Where the run differs from the one without a fault. */
  waveform(file: string, number: number): Promise<void>;
  openSignal(file: string, name: string): Promise<void>;
  chooseFaults(file: string): Promise<void>;
  tryFault(file: string): Promise<void>;
}

export class CampaignPanels implements vscode.Disposable {
  readonly #folder: vscode.Uri;
  readonly #campaigns: Campaigns;
  readonly #actions: CampaignActions;
  readonly #log: vscode.LogOutputChannel;
  readonly #open = new Map<string, CampaignPage>();

  constructor(context: vscode.ExtensionContext, campaigns: Campaigns, actions: CampaignActions, log: vscode.LogOutputChannel) {
    this.#folder = webviewFolder(context);
    this.#campaigns = campaigns;
    this.#actions = actions;
    this.#log = log;
  }

  async show(file: string): Promise<void> {
    const known = this.#open.get(file);
    if (known) {
      known.view.reveal();
      return;
    }
    const title = vscode.workspace
      .asRelativePath(file)
      .replace(/^.*\//, '')
      .replace(/\.campaign\.\w+$/, '');
    const options = { enableScripts: true, localResourceRoots: [this.#folder] };
    const view = vscode.window.createWebviewPanel('cairn.campaign', `Campaign ${title}`, vscode.ViewColumn.Active, options);
    const page = new CampaignPage(view, file, this.#campaigns, this.#actions, this.#log);
    this.#open.set(file, page);
    view.onDidDispose(() => {
      this.#open.delete(file);
      page.dispose();
    });
    view.webview.html = await webviewPage(view.webview, this.#folder, 'campaign', title);
  }

  dispose(): void {
    for (const page of this.#open.values()) page.view.dispose();
  }
}

class CampaignPage implements vscode.Disposable {
  readonly view: vscode.WebviewPanel;
  readonly #file: string;
  readonly #campaigns: Campaigns;
  readonly #actions: CampaignActions;
  readonly #log: vscode.LogOutputChannel;
  #model: CampaignModel;
  #offset = 0;
  #following: vscode.Disposable | undefined;
  /** Answers to an older question are dropped. */
  #question = 0;
  #disposed = false;

  constructor(
    view: vscode.WebviewPanel,
    file: string,
    campaigns: Campaigns,
    actions: CampaignActions,
    log: vscode.LogOutputChannel,
  ) {
    this.view = view;
    this.#file = file;
    this.#campaigns = campaigns;
    this.#actions = actions;
    this.#log = log;
    this.#model = {
      panel: 'campaign',
      file: vscode.workspace.asRelativePath(file),
      running: campaigns.isRunning(file),
      status: null,
      query: { outcome: null, model: null, search: '', scope: null, target: null, times: null },
      figures: null,
      assumed: {},
      page: { total: 0, offset: 0, runs: [] },
      detail: null,
      error: '',
    };
    view.webview.onDidReceiveMessage((raw: unknown) => {
      void reporting(log, 'Campaign', async () => this.#received(FromPanel.parse(raw)));
    });
  }

  async #received(message: FromPanel): Promise<void> {
    const file = this.#file;
    const does = (what: string, work: () => Promise<void>): Promise<void> =>
      reporting(this.#log, what, work).then(() => undefined);
    switch (message.type) {
      case 'ready':
        this.#post({});
        if (this.#following === undefined) await this.#follow();
        return;
      case 'campaignQuery':
        this.#offset = message.offset;
        await this.#query(message.query);
        return;
      case 'refresh':
        await this.#look();
        return;
      case 'runCampaign': {
        const { status } = this.#model;
        if (status?.paused) await does('Resume Campaign', () => this.#campaigns.resume(file));
        if (status?.paused && status.running) return;
        // What is beyond the limits is shown by the page.
        void this.#actions.run(file).catch((error: unknown) => this.#post({ error: messageOf(error) }));
        this.#post({ running: true, error: '' });
        return;
      }
      case 'pauseCampaign':
        await does('Pause Campaign', async () => this.#campaigns.stop(file));
        return;
      case 'exportCampaign':
        await does('Export Campaign', () => this.#actions.exportHtml(file));
        return;
      case 'openCampaignFile':
        await vscode.window.showTextDocument(vscode.Uri.file(file));
        return;
      case 'repeatRun':
        await does('Repeat Run', () => this.#actions.repeat(file, message.number));
        return;
      case 'debugRun':
        await does('Debug Run', () => this.#actions.debug(file, message.number));
        return;
      case 'showWaveform':
        await does('Waveform', () => this.#actions.waveform(file, message.number));
        return;
      case 'openSignal':
        await does('Open Signal', () => this.#actions.openSignal(file, message.name));
        return;
      case 'chooseFaults':
        await does('Faults', () => this.#actions.chooseFaults(file));
        return;
      case 'assumeOutcomes':
        this.#model = { ...this.#model, assumed: message.assumed };
        await this.#figures();
        return;
      case 'showRun':
        await this.#detail(message.number);
        return;
      case 'copy':
        await vscode.env.clipboard.writeText(message.text);
        return;
      default:
        return;
    }
  }

  async #follow(): Promise<void> {
    try {
      const following = await this.#campaigns.follow(this.#file, () => this.#look());
      if (this.#disposed) following.dispose();
      else this.#following = following;
    } catch (error) {
      this.#post({ error: messageOf(error) });
    }
  }

  async #query(query: CampaignQuery): Promise<void> {
    this.#model = { ...this.#model, query };
    const mine = ++this.#question;
    try {
      const page = await this.#campaigns.page(this.#file, query, this.#offset, PAGE);
      if (mine === this.#question) this.#post({ page });
    } catch (error) {
      if (mine === this.#question && this.#model.status !== null) this.#post({ error: messageOf(error) });
    }
  }

  async #look(): Promise<void> {
    try {
      const status = (await this.#campaigns.status(this.#file)) ?? null;
      // It may have ended meanwhile, and have said why.
      const running = this.#campaigns.isRunning(this.#file);
      this.#post({ status, running, ...(running ? { error: '' } : {}) });
      if (status !== null) await Promise.all([this.#query(this.#model.query), this.#figures()]);
    } catch (error) {
      this.#post({ running: this.#campaigns.isRunning(this.#file), error: messageOf(error) });
    }
  }

  async #figures(): Promise<void> {
    const { assumed } = this.#model;
    const figures = await this.#campaigns.figures(this.#file, assumed);
    if (assumed === this.#model.assumed) this.#post({ figures });
  }

  async #detail(number: number | null): Promise<void> {
    try {
      this.#post({ detail: number === null ? null : await this.#campaigns.run(this.#file, number) });
    } catch (error) {
      this.#post({ error: messageOf(error) });
    }
  }

  #post(change: Partial<CampaignModel>): void {
    this.#model = { ...this.#model, ...change };
    if (!this.#disposed) void this.view.webview.postMessage(this.#model);
  }

  dispose(): void {
    this.#disposed = true;
    this.#following?.dispose();
  }
}
