/**
 * Campaigns of the workspace: their files, which of them this window runs, and their results by the command. A campaign that runs goes on elsewhere
 * just as well: whoever shows one follows its results on disk, not the process.
 */
import { existsSync, type FSWatcher, watch } from 'node:fs';
import { dirname } from 'node:path';
import * as vscode from 'vscode';
import {
  CampaignCheck,
  CampaignStatus,
  CampaignSummary,
  RunDetail,
  RunPage,
} from '../../../debug-adapter/src/protocol/campaign.js';
import type { CampaignQuery } from '../../../debug-adapter/src/protocol/panels.js';
import type { CairnCommand } from '../platform/cairnCommand.js';
import { UserError } from '../platform/errors.js';

/** NAME.campaign.yaml, or faults.yaml. */
export const CAMPAIGN_FILES = '**/{*.campaign.yaml,*.campaign.yml,*.campaign.json,faults.yaml,faults.yml}';
export const isCampaignFile = (path: string): boolean => /(\.campaign\.(ya?ml|json)|[/\\]faults\.ya?ml)$/.test(path);

/** Between two looks at results that change all the time: at least, and so many times what a look takes, which is taken from the runs. */
const LOOK_MS = 400;
const LOOK_SHARE = 4;

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
  /** One begins or ends here: its file. */
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

  page(file: string, { outcome, model, search }: CampaignQuery, offset: number, limit: number): Promise<RunPage> {
    const filter = [
      ...(outcome === null ? [] : ['--outcome', outcome]),
      ...(model === null ? [] : ['--model', model]),
      ...(search === '' ? [] : [`--search=${search}`]),
    ];
    const part = ['--offset', String(offset), '--limit', String(limit)];
    return this.#cairn.json(RunPage, ['campaign show', file, ...filter, ...part]);
  }

  run(file: string, number: number): Promise<RunDetail> {
    return this.#cairn.json(RunDetail, ['campaign show', file, String(number)]);
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
        const last = stdout.trim().split('\n').at(-1) ?? '';
        const summary = last.startsWith('{') ? CampaignSummary.safeParse(JSON.parse(last)).data : undefined;
        resolve({ summary, problem, stopped });
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

  /** What has been counted stays. */
  stop(file: string): void {
    const running = this.#running.get(file);
    if (!running) throw new UserError('This campaign does not run in this window.');
    running.stop();
  }

  /** Calls `look` now and whenever results have changed, one at a time, until the result is disposed of. */
  async follow(file: string, look: () => Promise<void>): Promise<vscode.Disposable> {
    const { folder } = await this.check(file);
    const watching = new Map<string, FSWatcher>();
    let timer: NodeJS.Timeout | undefined;
    let looking = false;
    let pause = LOOK_MS;
    let again = false;
    let over = false;
    const begin = (path: string): void => {
      if (path === '' || watching.has(path) || !existsSync(path)) return;
      watching.set(
        path,
        watch(path, () => later()).on('error', () => watching.delete(path)),
      );
    };
    const now = async (): Promise<void> => {
      timer = undefined;
      looking = true;
      // The folder may be there only now.
      for (const path of [folder, dirname(folder), dirname(dirname(folder))]) begin(path);
      const began = performance.now();
      await look();
      pause = Math.max(LOOK_MS, LOOK_SHARE * (performance.now() - began));
      looking = false;
      if (again && !over) later();
      again = false;
    };
    const later = (): void => {
      if (over) return;
      if (looking) again = true;
      else timer ??= setTimeout(() => void now(), pause);
    };
    const changes = this.onDidChange((changed) => changed === file && later());
    await now();
    return new vscode.Disposable(() => {
      over = true;
      clearTimeout(timer);
      changes.dispose();
      for (const one of watching.values()) one.close();
    });
  }

  dispose(): void {
    for (const { stop } of this.#running.values()) stop();
    this.#changed.dispose();
  }
}
