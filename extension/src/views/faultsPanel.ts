/**
 * The Faults page of a campaign's file, in the editor's place: what the file says as a form, what that comes to, and the design's signals to choose
 * from. The file is what counts: each change is made in its text, by the editor, so that it can be undone there, and saved. One page a file.
 */
import { dirname, resolve } from 'node:path';
import * as vscode from 'vscode';
import * as z from 'zod';
import { Campaign, type CampaignProblem } from '../../../debug-adapter/src/protocol/campaign.js';
import { lookAtCampaign } from '../../../debug-adapter/src/protocol/campaign-text.js';
import { type FaultsModel, FromPanel } from '../../../debug-adapter/src/protocol/panels.js';
import type { Campaigns } from '../campaigns/campaigns.js';
import { dataOf, differs, type Path, withChange, withJsonChange } from '../campaigns/campaignText.js';
import { SignalIndex } from '../campaigns/signalIndex.js';
import { messageOf, reporting } from '../platform/errors.js';
import type { Snapshots } from '../session/snapshots.js';
import { canonical } from '../session/stores.js';
import type { CampaignActions } from './campaignPanel.js';
import { snapshotDescription, snapshotLabel } from './format.js';
import { webviewFolder, webviewPage } from './webviewPage.js';

/** While somebody types in the file. */
const SETTLE_MS = 250;

const schema = z.toJSONSchema(Campaign, { target: 'draft-7', io: 'input', unrepresentable: 'any' }) as Record<string, unknown>;

export interface FaultsParts {
  readonly campaigns: Campaigns;
  readonly snapshots: Snapshots;
  readonly actions: CampaignActions;
  readonly showResults: (file: string) => Promise<void>;
  readonly log: vscode.LogOutputChannel;
}

export class FaultsPanels implements vscode.Disposable {
  readonly #folder: vscode.Uri;
  readonly #parts: FaultsParts;
  readonly #open = new Map<string, FaultsPage>();

  constructor(context: vscode.ExtensionContext, parts: FaultsParts) {
    this.#folder = webviewFolder(context);
    this.#parts = parts;
  }

  async show(file: string): Promise<void> {
    const known = this.#open.get(file);
    if (known) {
      known.view.reveal();
      return;
    }
    const uri = vscode.Uri.file(file);
    await vscode.workspace.openTextDocument(uri);
    const title = vscode.workspace
      .asRelativePath(file)
      .replace(/^.*\//, '')
      .replace(/\.campaign\.\w+$/, '');
    const options = { enableScripts: true, localResourceRoots: [this.#folder] };
    const view = vscode.window.createWebviewPanel('cairn.faults', `Faults ${title}`, vscode.ViewColumn.Active, options);
    const page = new FaultsPage(view, uri, this.#parts);
    this.#open.set(file, page);
    view.onDidDispose(() => {
      this.#open.delete(file);
      page.dispose();
    });
    view.webview.html = await webviewPage(view.webview, this.#folder, 'faults', title);
  }

  dispose(): void {
    for (const page of this.#open.values()) page.view.dispose();
  }
}

/** Else there may be none. */
function looksAtDesign({ models, observe, detect }: Campaign): boolean {
  return models.some(({ signals }) => signals !== undefined) || observe.signals.length > 0 || detect.signals.length > 0;
}

interface Design {
  readonly snapshot: string;
  index: SignalIndex | undefined;
}

class FaultsPage implements vscode.Disposable {
  readonly view: vscode.WebviewPanel;
  readonly #uri: vscode.Uri;
  readonly #parts: FaultsParts;
  readonly #subscriptions: vscode.Disposable[];
  readonly #over = new vscode.CancellationTokenSource();
  #model: FaultsModel;
  #timer: NodeJS.Timeout | undefined;
  /** Answers to an older question are dropped. */
  #question = 0;
  /** Changes come one after the other: each is made in the text that the one before has left. */
  #changes: Promise<unknown> = Promise.resolve();
  #planProblems: readonly CampaignProblem[] = [];
  /** Of the design of one snapshot. */
  #design: Design | undefined;

  constructor(view: vscode.WebviewPanel, uri: vscode.Uri, parts: FaultsParts) {
    this.view = view;
    this.#uri = uri;
    this.#parts = parts;
    this.#model = {
      panel: 'faults',
      file: vscode.workspace.asRelativePath(this.#file),
      value: null,
      problems: [],
      schema,
      snapshots: [],
      plan: null,
      planning: false,
      design: { state: 'unknown', why: '' },
      picker: null,
      running: parts.campaigns.isRunning(this.#file),
      error: '',
    };
    const same = (other: vscode.Uri): boolean => other.toString() === uri.toString();
    this.#subscriptions = [
      view.webview.onDidReceiveMessage((raw: unknown) => {
        void reporting(parts.log, 'Faults', async () => this.#received(FromPanel.parse(raw)));
      }),
      vscode.workspace.onDidChangeTextDocument(({ document }) => same(document.uri) && this.#read(document)),
      // What it comes to is worked out from the file on disk.
      vscode.workspace.onDidSaveTextDocument((saved) => same(saved.uri) && this.#later()),
      parts.snapshots.onDidChange(() => {
        this.#post({ snapshots: this.#snapshots() });
        this.#later();
      }),
      parts.campaigns.onDidChange((changed) => {
        if (changed !== this.#file) return;
        this.#post({ running: parts.campaigns.isRunning(changed) });
        this.#later();
      }),
    ];
  }

  get #file(): string {
    return this.#uri.fsPath;
  }

  /** Anew each time: the editor closes one that nobody shows, and then it stays as it was. */
  #document(): Thenable<vscode.TextDocument> {
    return vscode.workspace.openTextDocument(this.#uri);
  }

  async #received(message: FromPanel): Promise<void> {
    const file = this.#file;
    const { actions, log } = this.#parts;
    const does = (what: string, work: () => Promise<void>): Promise<void> => reporting(log, what, work).then(() => undefined);
    switch (message.type) {
      case 'ready':
        this.#read(await this.#document());
        await this.#plan();
        return;
      case 'changeCampaign':
        await this.#change(message.path, message.value);
        return;
      case 'pickSignals': {
        const index = this.#design?.index;
        if (index) this.#post({ picker: index.pick(message.scope, message.search, message.offset) });
        return;
      }
      case 'readDesign':
        this.#design = undefined;
        await this.#plan();
        return;
      case 'tryFault':
        await does('Try Fault', () => actions.tryFault(file));
        return;
      case 'runCampaign':
        await does('Start Campaign', async () => {
          await this.#parts.showResults(file);
          await actions.run(file);
        });
        return;
      case 'showCampaign':
        await does('Campaign', () => this.#parts.showResults(file));
        return;
      case 'openCampaignFile':
        await vscode.window.showTextDocument(this.#uri, { preview: false });
        return;
      default:
        return;
    }
  }

  #change(path: Path, value: unknown): Promise<void> {
    const made = this.#changes.then(async () => {
      const document = await this.#document();
      const text = document.getText();
      const changed = this.#file.endsWith('.json') ? withJsonChange(text, path, value) : withChange(text, path, value);
      const { start, end, text: now } = differs(text, changed);
      const edit = new vscode.WorkspaceEdit();
      const place = new vscode.Range(document.positionAt(start), document.positionAt(end));
      edit.replace(this.#uri, place, now);
      await vscode.workspace.applyEdit(edit);
      await document.save();
    });
    this.#changes = made.catch(() => undefined);
    return made;
  }

  /** What the text says, at once. */
  #read(document: vscode.TextDocument): void {
    const text = document.getText();
    const { problems } = lookAtCampaign(text);
    this.#post({ value: dataOf(text), problems: [...problems, ...(problems.length === 0 ? this.#planProblems : [])] });
    this.#post({ snapshots: this.#snapshots() });
  }

  #later(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#plan(), SETTLE_MS);
  }

  async #plan(): Promise<void> {
    const mine = ++this.#question;
    const document = await this.#document();
    const { campaign, problems } = lookAtCampaign(document.getText());
    if (mine !== this.#question) return;
    if (problems.length > 0) {
      this.#planProblems = [];
      this.#post({ plan: null, planning: false });
      return;
    }
    this.#post({ planning: true });
    try {
      const plan = await this.#parts.campaigns.plan(this.#file);
      if (mine !== this.#question) return;
      this.#planProblems = plan.problems;
      this.#post({ plan, planning: false, error: '' });
      this.#read(await this.#document());
      if (plan.snapshot && campaign !== undefined && looksAtDesign(campaign) && this.#design?.snapshot !== plan.snapshot.id)
        await this.#readDesign(plan.store, plan.snapshot.id, plan.designKnown);
    } catch (error) {
      if (mine === this.#question) this.#post({ planning: false, error: messageOf(error) });
    }
  }

  /** Once for each snapshot: it is restarted for a moment where nobody has read its design before. */
  async #readDesign(store: string, snapshot: string, known: boolean): Promise<void> {
    const design: Design = { snapshot, index: undefined };
    this.#design = design;
    this.#post({ design: { state: 'reading', why: '' }, picker: null });
    try {
      design.index = new SignalIndex(await this.#parts.campaigns.design(store, snapshot, this.#over.token));
      if (this.#design !== design) return;
      this.#post({ design: { state: 'known', why: '' }, picker: design.index.pick('', '', 0) });
      if (!known) await this.#plan();
    } catch (error) {
      if (this.#design === design) this.#post({ design: { state: 'failed', why: messageOf(error) } });
    }
  }

  #snapshots(): FaultsModel['snapshots'] {
    const named = this.#model.value?.['store'];
    const store = canonical(resolve(dirname(this.#file), typeof named === 'string' ? named : '.cairn'));
    const found = this.#parts.snapshots.contents.find((one) => canonical(one.store) === store);
    const whole = (found?.snapshots ?? []).filter(({ problem }) => problem === '');
    const unique = (name: string): boolean => name !== '' && whole.filter((one) => one.name === name).length === 1;
    return whole
      .map((one) => ({
        value: unique(one.name) ? one.name : one.id,
        label: `${snapshotLabel(one)} (${snapshotDescription(one)})`,
      }))
      .reverse();
  }

  #post(change: Partial<FaultsModel>): void {
    this.#model = { ...this.#model, ...change };
    if (!this.#over.token.isCancellationRequested) void this.view.webview.postMessage(this.#model);
  }

  dispose(): void {
    clearTimeout(this.#timer);
    this.#over.cancel();
    for (const one of this.#subscriptions) one.dispose();
  }
}
