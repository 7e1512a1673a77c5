/**
 * Campaigns in the Testing view: a file is a suite, each of its runs a test. As in the JUnit report a run with silent data corruption has failed, and
 * one that could not be made is an error; the outcome of every run is beside it. Results that are there already are shown when a suite is opened.
 */
import * as vscode from 'vscode';
import { type Outcome, outcomeWords, type Run } from '../../../debug-adapter/src/protocol/campaign.js';
import { messageOf, reporting } from '../platform/errors.js';
import { CAMPAIGN_FILES, type Campaigns } from './campaigns.js';

/** Of very many runs the view shows those that tell most. */
const MOST_TESTS = 2000;
const ALL = { outcome: null, model: null, search: '', scope: null, target: null, times: null };
const FAILED: readonly Outcome[] = ['silentDataCorruption', 'toolError'];

export class CampaignTests implements vscode.Disposable {
  readonly #campaigns: Campaigns;
  readonly #repeat: (file: string, number: number) => Promise<void>;
  readonly #log: vscode.LogOutputChannel;
  readonly #controller = vscode.tests.createTestController('cairn.campaigns', 'Fault Campaigns');
  readonly #subscriptions: vscode.Disposable[];
  /** Suites whose results are followed; undefined: soon. */
  readonly #followed = new Map<string, vscode.Disposable | undefined>();
  /** Runs that the user has started, by their suites. */
  readonly #active = new Map<string, vscode.TestRun>();
  /** What each test was last told. */
  readonly #told = new WeakMap<vscode.TestItem, string>();

  constructor(campaigns: Campaigns, repeat: (file: string, number: number) => Promise<void>, log: vscode.LogOutputChannel) {
    this.#campaigns = campaigns;
    this.#repeat = repeat;
    this.#log = log;
    const watcher = vscode.workspace.createFileSystemWatcher(CAMPAIGN_FILES);
    this.#controller.resolveHandler = (item) => (item ? this.#open(item) : this.#find());
    this.#controller.refreshHandler = () => this.#find();
    const run = (request: vscode.TestRunRequest, token: vscode.CancellationToken): Promise<void> => this.#run(request, token);
    this.#subscriptions = [
      this.#controller,
      watcher,
      watcher.onDidCreate((uri) => this.#add(uri)),
      watcher.onDidDelete((uri) => this.#forget(uri.toString())),
      this.#controller.createRunProfile('Run', vscode.TestRunProfileKind.Run, run, true),
    ];
    void this.#find();
  }

  async #find(): Promise<void> {
    for (const uri of await vscode.workspace.findFiles(CAMPAIGN_FILES)) this.#add(uri);
  }

  #add(uri: vscode.Uri): vscode.TestItem {
    const known = this.#controller.items.get(uri.toString());
    if (known) return known;
    const label = vscode.workspace.asRelativePath(uri).replace(/\.campaign\.\w+$/, '');
    const item = this.#controller.createTestItem(uri.toString(), label, uri);
    item.canResolveChildren = true;
    this.#controller.items.add(item);
    return item;
  }

  #forget(id: string): void {
    this.#followed.get(id)?.dispose();
    this.#followed.delete(id);
    this.#controller.items.delete(id);
  }

  /** With what has been counted by now, and what is counted from now on, whoever runs it. */
  async #open(suite: vscode.TestItem): Promise<void> {
    const { uri } = suite;
    if (suite.parent || !uri || this.#followed.has(suite.id)) return;
    this.#followed.set(suite.id, undefined);
    try {
      this.#followed.set(suite.id, await this.#campaigns.follow(uri.fsPath, () => this.#look(suite, uri)));
    } catch (error) {
      this.#followed.delete(suite.id);
      suite.error = messageOf(error);
    }
  }

  /** Results are told to the run that the user has started, else to one of their own. */
  async #look(suite: vscode.TestItem, uri: vscode.Uri): Promise<void> {
    let made: vscode.TestRun | undefined;
    const run = (): vscode.TestRun => {
      const active = this.#active.get(suite.id);
      if (active) return active;
      made ??= this.#controller.createTestRun(new vscode.TestRunRequest([suite]), 'Counted before', false);
      return made;
    };
    try {
      await this.#show(suite, uri, run);
      suite.error = undefined;
    } catch (error) {
      suite.error = messageOf(error);
    } finally {
      made?.end();
    }
  }

  /** Tests that are new, or have another outcome, are told to `run`. */
  async #show(suite: vscode.TestItem, uri: vscode.Uri, run: () => vscode.TestRun): Promise<void> {
    const status = await this.#campaigns.status(uri.fsPath);
    if (status === undefined) return;
    const runs: Run[] = [];
    // First those that failed, then as many of the others as there is room for.
    for (const outcome of FAILED) {
      const page = await this.#campaigns.page(uri.fsPath, { ...ALL, outcome }, 0, MOST_TESTS);
      runs.push(...page.runs);
    }
    runs.push(
      ...(await this.#campaigns.page(uri.fsPath, ALL, 0, MOST_TESTS)).runs.filter(({ outcome }) => !FAILED.includes(outcome)),
    );
    for (const one of runs.slice(0, MOST_TESTS)) this.#tell(suite, uri, run, one);
    const { planned } = status;
    suite.description = `${status.runs} of ${planned} runs${runs.length < status.runs ? `, ${Math.min(runs.length, MOST_TESTS)} shown` : ''}`;
  }

  #tell(suite: vscode.TestItem, uri: vscode.Uri, toRun: () => vscode.TestRun, one: Run): void {
    const id = `${suite.id}#${one.number}`;
    let item = suite.children.get(id);
    if (!item) {
      item = this.#controller.createTestItem(id, `${one.number}: ${one.model}: ${one.fault}`, uri);
      item.sortText = String(one.number).padStart(9, '0');
      suite.children.add(item);
    }
    const key = `${one.outcome} ${one.finishedAt}`;
    if (this.#told.get(item) === key) return;
    this.#told.set(item, key);
    const run = toRun();
    const { label, meaning } = outcomeWords[one.outcome];
    item.description = one.effective === false ? `${label}, the fault changed nothing` : label;
    const message = new vscode.TestMessage(`${label}: ${one.deviation || meaning}`);
    if (one.outcome === 'silentDataCorruption') run.failed(item, message, one.elapsedMs);
    else if (one.outcome === 'toolError') run.errored(item, message, one.elapsedMs);
    else run.passed(item, one.elapsedMs);
  }

  async #run(request: vscode.TestRunRequest, token: vscode.CancellationToken): Promise<void> {
    const { include = [...this.#controller.items].map(([, item]) => item), exclude = [] } = request;
    // A campaign is run as a whole: of one that is chosen no run can be taken out.
    const chosen = include.filter((item) => !exclude.includes(item) && !(item.parent && exclude.includes(item.parent)));
    const run = this.#controller.createTestRun(request);
    try {
      for (const item of chosen) {
        if (token.isCancellationRequested) break;
        if (item.parent?.uri) await this.#again(run, item, item.parent.uri);
        else if (item.uri) await this.#campaign(run, item, item.uri, token);
      }
    } finally {
      run.end();
    }
  }

  /** A single run is made again in a terminal, where it can be seen; what was counted stays. */
  async #again(run: vscode.TestRun, item: vscode.TestItem, uri: vscode.Uri): Promise<void> {
    run.skipped(item);
    await reporting(this.#log, 'Repeat Run', () => this.#repeat(uri.fsPath, Number(item.id.slice(item.id.lastIndexOf('#') + 1))));
  }

  async #campaign(run: vscode.TestRun, suite: vscode.TestItem, uri: vscode.Uri, token: vscode.CancellationToken): Promise<void> {
    const file = uri.fsPath;
    run.started(suite);
    const cancelled = token.onCancellationRequested(() => this.#campaigns.isRunning(file) && this.#campaigns.stop(file));
    this.#active.set(suite.id, run);
    const ended = this.#campaigns.start(file);
    await this.#open(suite);
    const { summary, problem, stopped } = await ended;
    cancelled.dispose();
    await this.#look(suite, uri);
    this.#active.delete(suite.id);
    const message = new vscode.TestMessage(problem || 'It could not be run');
    if (stopped) run.skipped(suite);
    else if (summary === undefined) run.errored(suite, message);
    else if (problem !== '') run.failed(suite, message);
    else run.passed(suite);
    if (summary) run.appendOutput(`${summary.runs} of ${summary.planned} runs\r\n`);
    if (problem) run.appendOutput(`${problem.replaceAll('\n', '\r\n')}\r\n`);
  }

  dispose(): void {
    for (const following of this.#followed.values()) following?.dispose();
    for (const subscription of this.#subscriptions) subscription.dispose();
  }
}
