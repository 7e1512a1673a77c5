/**
 * Campaigns of the workspace: their files, which of them this window runs, and their results by the command. A campaign that runs goes on elsewhere
 * just as well: whoever shows one follows its results on disk, not the process.
 */
import * as vscode from 'vscode';
import {
  CampaignCheck,
  CampaignStatus,
  CampaignSummary,
  RunDetail,
  RunPage,
  type Target,
} from '../../../debug-adapter/src/protocol/campaign.js';
import { type Assumptions, CampaignFigures } from '../../../debug-adapter/src/protocol/campaign-figures.js';
import {
  ArmedFault,
  CampaignPlan,
  SnapshotDesign,
  WaveformDifference,
} from '../../../debug-adapter/src/protocol/campaign-plan.js';
import type { CampaignQuery } from '../../../debug-adapter/src/protocol/panels.js';
import type { CairnCommand } from '../platform/cairnCommand.js';
import { UserError } from '../platform/errors.js';
import { Following } from './following.js';

/** NAME.campaign.yaml, or faults.yaml. */
export const CAMPAIGN_FILES = '**/{*.campaign.yaml,*.campaign.yml,*.campaign.json,faults.yaml,faults.yml}';
export const isCampaignFile = (path: string): boolean => /(\.campaign\.(ya?ml|json)|[/\\]faults\.ya?ml)$/.test(path);

interface Running {
  readonly ended: Promise<CampaignEnd>;
  readonly stop: () => void;
}

export interface CampaignEnd {
  /** undefined: it did not get as far. */
  readonly summary: CampaignSummary | undefined;
  /** What is beyond its limits, or why it ended; empty: nothing. */
  readonly problem: string;
  readonly stopped: boolean;
}

export class Campaigns implements vscode.Disposable {
  readonly #cairn: CairnCommand;
  readonly #begun = new Set<string>();
  readonly #running = new Map<string, Running>();
  readonly #changed = new vscode.EventEmitter<string>();
  /** One begins or ends here, or its file was saved: that file. */
  readonly onDidChange = this.#changed.event;

  constructor(cairn: CairnCommand) {
    this.#cairn = cairn;
  }

  isRunning(file: string): boolean {
    return this.#running.has(file);
  }

  async check(file: string): Promise<CampaignCheck> {
    const found = await this.#cairn.json(CampaignCheck, ['campaign check', file], { mayFail: true });
    if (found.begun) this.#begun.add(file);
    return found;
  }

  /** undefined: it has not begun, or the run without a fault is still under way. */
  async status(file: string): Promise<CampaignStatus | undefined> {
    if (!this.#begun.has(file) && !(await this.check(file)).begun) return undefined;
    try {
      return await this.#cairn.json(CampaignStatus, ['campaign status', file]);
    } catch (error) {
      // Somebody may have removed its results.
      this.#begun.delete(file);
      throw error;
    }
  }

  page(
    file: string,
    { outcome, model, search, scope, target, times }: CampaignQuery,
    offset: number,
    limit: number,
  ): Promise<RunPage> {
    const filter = [
      ...(outcome === null ? [] : ['--outcome', outcome]),
      ...(model === null ? [] : ['--model', model]),
      ...(search === '' ? [] : [`--search=${search}`]),
      ...(scope === null ? [] : [`--scope=${scope}`]),
      ...(target === null ? [] : [`--target=${target}`]),
      ...(times === null ? [] : [`--times=${times.from}:${times.to}`]),
    ];
    const part = ['--offset', String(offset), '--limit', String(limit)];
    return this.#cairn.json(RunPage, ['campaign show', file, ...filter, ...part]);
  }

  run(file: string, number: number): Promise<RunDetail> {
    return this.#cairn.json(RunDetail, ['campaign show', file, String(number)]);
  }

  figures(file: string, assumed: Assumptions): Promise<CampaignFigures> {
    const counts = Object.entries(assumed).map(([outcome, as]) => `--count=${outcome}=${as}`);
    return this.#cairn.json(CampaignFigures, ['campaign figures', file, ...counts]);
  }

  /** What the file, as it is on disk, comes to. */
  plan(file: string): Promise<CampaignPlan> {
    return this.#cairn.json(CampaignPlan, ['campaign plan', file], { mayFail: true });
  }

  /** The signals of a snapshot's design. Where they have not been read before, the snapshot is restarted for a moment. */
  async design(store: string, snapshot: string, token: vscode.CancellationToken): Promise<readonly Target[]> {
    const { targets } = await this.#cairn.long(SnapshotDesign, ['campaign design', snapshot, '--store', store], token);
    return targets;
  }

  arm(file: string, number: number): Promise<ArmedFault> {
    return this.#cairn.json(ArmedFault, ['campaign arm', file, String(number)]);
  }

  waveform(file: string, number: number, token: vscode.CancellationToken): Promise<WaveformDifference> {
    return this.#cairn.long(WaveformDifference, ['campaign waveform', file, String(number)], token);
  }

  html(file: string): Promise<string> {
    return this.#cairn.text(['campaign', 'export', '--html', file]);
  }

  /** Runs it, or goes on with it. One that runs here already is waited for. */
  start(file: string): Promise<CampaignEnd> {
    const already = this.#running.get(file);
    if (already) return already.ended;
    const child = this.#cairn.start(['campaign', 'run', '--json', file]);
    let stdout = '';
    let stderr = '';
    let stopped = false;
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    const ended = new Promise<CampaignEnd>((resolve) => {
      const end = (problem: string): void => {
        if (!this.#running.delete(file)) return;
        resolve({ summary: summaryOf(stdout), problem, stopped });
        this.#changed.fire(file);
      };
      child.once('error', (error) => end(error.message));
      child.once('close', (status) => end(status === 0 ? '' : stderr.trim().replace(/^cairn: (error: )?/gim, '')));
    });
    const stop = (): void => {
      stopped = true;
      child.kill('SIGINT');
    };
    this.#running.set(file, { ended, stop });
    this.#changed.fire(file);
    return ended;
  }

  /** One that was paused by the command: whoever runs it goes on. */
  async resume(file: string): Promise<void> {
    await this.#cairn.text(['campaign', 'resume', file]);
    this.#changed.fire(file);
  }

  /** What has been counted stays. */
  stop(file: string): void {
    const running = this.#running.get(file);
    if (!running) throw new UserError('This campaign does not run in this window.');
    running.stop();
  }

  /** Its text is another one. */
  saved(file: string): void {
    this.#changed.fire(file);
  }

  /** Calls `look`, which tells of its own failures, now and whenever results have changed, one at a time, until the result is disposed of. */
  async follow(file: string, look: () => Promise<void>): Promise<vscode.Disposable> {
    const following = new Following({ folder: async () => (await this.check(file)).folder, look });
    const changes = this.onDidChange((changed) => changed === file && following.changed());
    const both = vscode.Disposable.from(changes, following);
    try {
      await following.start();
      return both;
    } catch (error) {
      both.dispose();
      throw error;
    }
  }

  dispose(): void {
    for (const { stop } of this.#running.values()) stop();
    this.#changed.dispose();
  }
}

/** undefined: it was ended before it had written one, or all of it. */
function summaryOf(stdout: string): CampaignSummary | undefined {
  try {
    return CampaignSummary.safeParse(JSON.parse(stdout.trim().split('\n').at(-1) ?? '')).data;
  } catch {
    return undefined;
  }
}
