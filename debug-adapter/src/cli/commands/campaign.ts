/**
 * `cairn campaign`: runs with faults from one snapshot, what became of them, and one of them again.
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join, resolve } from 'node:path';
import { prepareSnapshot } from '../../control/preparation.js';
import { campaignHtml } from '../../model/campaign-html.js';
import { reportText } from '../../model/campaign-report.js';
import type { Fault } from '../../model/fault-space.js';
import { isSessionName } from '../../model/names.js';
import { cairnForeground } from '../../platform/command.js';
import { isLocked } from '../../platform/lock.js';
import {
  type Campaign,
  type CampaignStatus,
  type CampaignSummary,
  Outcome,
  type Rate,
  type Run,
  type Target,
} from '../../protocol/campaign.js';
import { type CairnError, failure } from '../../protocol/errors.js';
import { formatDuration, formatTable, formatTime, shellWord } from '../../protocol/format.js';
import { campaignOf, confidenceOf, plannedFaults, summaryOf } from '../../runners/campaign-plan.js';
import { runCampaign } from '../../runners/run-campaign.js';
import { runTask, unstage as unstageSnapshot } from '../../runners/slurm-task.js';
import { type CampaignFile, campaignFolder, campaignProblems, readCampaign } from '../../store/campaign-file.js';
import { isPaused, pauseCampaign, resumeCampaign } from '../../store/campaign-pause.js';
import { CampaignResults, type RunQuery } from '../../store/campaign-results.js';
import { figuresOf } from '../../store/campaign-tallies.js';
import { wholeNumber, word } from '../choices.js';
import { note, Progress, print, printJson, printRaw } from '../output.js';

export interface Options {
  name?: string;
  store?: string;
  json: boolean;
}

interface RunOptions extends Options {
  workers?: string;
}

const MOST_WORKERS = 256;

export function read(file: string, { name, store }: Options): CampaignFile {
  const found = readCampaign(file);
  const given = { ...found, ...(name === undefined ? {} : { name }), ...(store === undefined ? {} : { store: resolve(store) }) };
  // Those of its sessions are made from it.
  if (isSessionName(given.name)) return given;
  throw failure('usage', {
    what: `"${given.name}" cannot be the name of a campaign`,
    remedy: 'Give it one by --name: 1 to 48 letters, digits, ".", "_" or "-", that begins with a letter or digit.',
  });
}

export async function run(file: string, options: RunOptions): Promise<number> {
  const { name, store, folder, campaign } = read(file, options);
  const workers = options.workers === undefined ? undefined : wholeNumber(options.workers, '--workers', 1, MOST_WORKERS);
  const given = new AbortController();
  let status = 0;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => {
      if (status === 0) note('ends the runs that are under way');
      status = 128 + constants.signals[signal];
      given.abort();
    });
  const line = new Progress();
  try {
    await prepareSnapshot({ name, store, folder, campaign, signal: given.signal });
    const summary = await runCampaign({
      name,
      store,
      campaign,
      signal: given.signal,
      progress: (now) => line.show(progressText(now)),
      note: (text) => {
        line.clear();
        note(text);
      },
      ...(workers === undefined ? {} : { workers }),
    });
    line.clear();
    if (options.json) print(JSON.stringify(summary));
    else print(summaryText(summary));
    const beyond = beyondLimits(summary, campaign);
    for (const one of beyond) note(one);
    return beyond.length > 0 ? 1 : 0;
  } catch (error) {
    line.clear();
    if (status === 0) throw error;
    note('What has been counted stays; run it again to go on.');
    return status;
  }
}

function beyondLimits({ runs, outcomes, notEffective }: CampaignSummary, { limits = {} }: Campaign): string[] {
  const beyond = Object.entries(limits).flatMap(([outcome, most]) => {
    const rate = outcomes[outcome as Outcome]?.rate ?? 0;
    return rate > most ? [`${outcome}: ${percent(rate)} of the runs, more than ${percent(most)}`] : [];
  });
  const toolErrors = outcomes.toolError?.count ?? 0;
  if (toolErrors > 0 && limits.toolError === undefined)
    beyond.push(
      `${toolErrors} runs could not be made: cairn campaign show FILE --outcome toolError. Run it again to try them again.`,
    );
  if (runs > toolErrors && notEffective === runs - toolErrors)
    beyond.push(
      'No fault changed anything: see whether the function and the program have other names or make fewer calls, or whether the design assigns the signals anew.',
    );
  return beyond;
}

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

function progressText({ runs, planned, runsPerSecond, paused }: CampaignSummary & { paused: boolean }): string {
  if (paused) return `${runs} of ${planned} runs, paused`;
  const left = runsPerSecond > 0 ? `, ${formatDuration(((planned - runs) / runsPerSecond) * 1000)} left` : '';
  return `${runs} of ${planned} runs, ${runsPerSecond.toFixed(1)} a second${left}`;
}

function summaryText({ runs, planned, population, outcomes, notEffective, runsPerSecond, endedAfter }: CampaignSummary): string {
  const cells = (Object.entries(outcomes) as [Outcome, Rate][])
    .sort(([, a], [, b]) => b.count - a.count)
    .map(([outcome, { count, rate, low, high }]) => [
      outcome,
      String(count),
      outcome === 'toolError' ? 'not counted' : percent(rate),
      outcome === 'toolError' ? '' : `${percent(low)} to ${percent(high)}`,
    ]);
  const rate = runsPerSecond > 0 ? `, ${runsPerSecond.toFixed(1)} a second` : '';
  return [
    `${runs} of ${planned} runs, of ${population} faults; in ${notEffective} the fault changed nothing${rate}`,
    ...(endedAfter === null ? [] : [`No more are needed: the rates are as well known as "stop" in the file asks for.`]),
    formatTable([['OUTCOME', 'RUNS', 'RATE', 'INTERVAL'], ...cells]),
  ].join('\n');
}

/** `work` gets the campaign that the results are of, which may not be the file's as it is now. */
export function withResults<T>({ store, name }: CampaignFile, work: (results: CampaignResults, campaign: Campaign) => T): T {
  let results: CampaignResults;
  try {
    results = new CampaignResults(campaignFolder(store, name), true);
  } catch (cause) {
    // Of another Cairn, or damaged: that is said.
    if (existsSync(join(campaignFolder(store, name), 'results.db'))) throw cause;
    throw failure('noCampaign', { name, store }, cause);
  }
  try {
    const campaign = campaignOf(results);
    if (campaign === undefined) throw failure('noCampaign', { name, store });
    return work(results, campaign);
  } finally {
    results.close();
  }
}

function statusOf({ name, store }: CampaignFile, running: boolean, results: CampaignResults, campaign: Campaign): CampaignStatus {
  const folder = campaignFolder(store, name);
  return { ...summaryOf(results, campaign), name, folder, running, paused: isPaused(folder), models: results.byModel() };
}

const isRunning = ({ name, store }: CampaignFile): Promise<boolean> => isLocked(join(campaignFolder(store, name), 'lock'));

export async function status(file: string, options: Options): Promise<number> {
  const found = read(file, options);
  const running = await isRunning(found);
  printStatus(
    withResults(found, (results, campaign) => statusOf(found, running, results, campaign)),
    options,
  );
  return 0;
}

function printStatus(now: CampaignStatus, { json }: Options): void {
  if (json) printJson(now);
  else print([summaryText(now), ...(now.paused || now.running ? [runningText(now)] : [])].join('\n'));
}

function runningText({ running, paused }: CampaignStatus): string {
  if (!paused) return 'It is being run.';
  return running
    ? 'It is paused, and goes on when it is resumed: cairn campaign resume FILE'
    : 'It is paused, and nobody runs it.';
}

/** Runs that are under way go on to their end. */
export async function pause(file: string, options: Options): Promise<number> {
  await setPaused(file, options, pauseCampaign);
  return 0;
}

export async function resume(file: string, options: Options): Promise<number> {
  if (!(await setPaused(file, options, resumeCampaign)).running) note(`Nobody runs it: cairn campaign run ${shellWord(file)}`);
  return 0;
}

async function setPaused(file: string, options: Options, work: (folder: string) => void): Promise<CampaignStatus> {
  const found = read(file, options);
  const running = await isRunning(found);
  const now = withResults(found, (results, campaign) => {
    work(campaignFolder(found.store, found.name));
    return statusOf(found, running, results, campaign);
  });
  printStatus(now, options);
  return now;
}

/** A part of a campaign, in a job of Slurm's. */
export async function task(folder: string): Promise<number> {
  const given = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => given.abort());
  await runTask(folder, given.signal);
  return 0;
}

/** What tasks of a campaign have left on this node. */
export async function unstage(folder: string, stage: string): Promise<number> {
  await unstageSnapshot(folder, stage);
  return 0;
}

interface ShowOptions extends Options {
  outcome?: string;
  model?: string;
  search?: string;
  scope?: string;
  target?: string;
  times?: string;
  offset?: string;
  limit?: string;
}

/** Of a page; without a limit, all. */
const MOST_OF_A_PAGE = 100_000;

function queryOf({ outcome, model, search, scope, target, times, offset = '0', limit }: ShowOptions): RunQuery {
  return {
    outcome: word(outcome, Outcome.options, '--outcome'),
    model,
    search,
    scope,
    target,
    times: times === undefined ? undefined : timesOf(times),
    offset: wholeNumber(offset, '--offset', 0),
    limit: limit === undefined ? Number.MAX_SAFE_INTEGER : wholeNumber(limit, '--limit', 1, MOST_OF_A_PAGE),
  };
}

/** FIRST:LAST, without the last one. */
function timesOf(text: string): { from: number; to: number } {
  const [from = '', to = ''] = text.split(':');
  return { from: wholeNumber(from, '--times', 0), to: wholeNumber(to, '--times', 0) };
}

export async function show(file: string, number: string | undefined, options: ShowOptions): Promise<number> {
  const found = read(file, options);
  if (number === undefined) {
    const query = queryOf(options);
    const { total, more, runs } = withResults(found, (results) => results.page(query));
    if (options.json) printJson(options.limit === undefined ? runs : { total, more, offset: query.offset, runs });
    else {
      if (runs.length < total) note(`${runs.length} of ${more ? 'more than ' : ''}${total} runs`);
      print(
        formatTable([
          ['RUN', 'OUTCOME', 'FAULT', 'DEVIATION'],
          ...runs.map((one) => [String(one.number), outcomeText(one), `${one.model}: ${one.fault}`, one.deviation]),
        ]),
      );
    }
    return 0;
  }
  const { run: one, console } = theRun(found, number);
  const again = repeatCommand(file, options, String(one.number));
  if (options.json) printJson({ ...one, console, again });
  else {
    print(
      formatTable([
        ['run', `${one.number}, ${formatTime(one.finishedAt)}, ${formatDuration(one.elapsedMs)}`],
        ['fault', `${one.model}: ${one.fault}`],
        ['outcome', `${outcomeText(one)}${one.status === null ? '' : `, status ${one.status}`}`],
        ['deviation', one.deviation || 'none'],
        ['place', `${one.target}${one.scope === '' ? '' : ` in ${one.scope}`}`],
        ['start', `${one.start}${one.startReason === '' ? '' : ` (${one.startReason})`}`],
        ...(one.injectedAt === null ? [] : [['injected', `${one.injection}, after ${one.injectedAt} ticks of simulated time`]]),
        ...(one.latency === null ? [] : [['detected', `${one.latency} ticks later`]]),
        ['again', again],
      ]),
    );
    print(`\n${console}`);
  }
  return 0;
}

const outcomeText = ({ outcome, effective, injection }: Run): string =>
  `${outcome}${effective === false ? ` (the fault changed nothing: ${injection})` : ''}`;

const targetsOf = (results: CampaignResults): readonly Target[] => results.begun?.golden.targets ?? [];

function theRun(found: CampaignFile, text: string): { run: Run; console: string } {
  const number = wholeNumber(text, 'RUN', 0);
  return withResults(found, (results, campaign) => {
    const one = results.run(number);
    if (one !== undefined) return one;
    throw noSuchRun(found.name, number, plannedFaults(campaign, targetsOf(results)));
  });
}

function noSuchRun(name: string, number: number, planned: ReturnType<typeof plannedFaults>): CairnError {
  return failure('noSuchRun', { name, number: String(number), last: String(planned.indices.length - 1) });
}

function repeatCommand(file: string, options: Options, number: string): string {
  const name = options.name === undefined ? '' : ` --name ${shellWord(options.name)}`;
  const store = options.store === undefined ? '' : ` --store ${shellWord(options.store)}`;
  return `cairn campaign repeat ${shellWord(file)} ${number}${name}${store}`;
}

export async function exportRuns(file: string, options: Options & { format: string; html: boolean }): Promise<number> {
  const found = read(file, options);
  if (options.html || options.format === 'html') {
    const running = await isRunning(found);
    const html = withResults(found, (results, campaign) => {
      const { snapshot } = campaign;
      const status = statusOf(found, running, results, campaign);
      const report = {
        status,
        madeAt: formatTime(new Date().toISOString()),
        snapshot,
        confidence: confidenceOf(campaign),
        repeat: repeatCommand(file, options, 'RUN'),
        figures: figuresOf(results, { confidence: confidenceOf(campaign), population: status.population }),
      };
      return campaignHtml(report, results.runs());
    });
    printRaw(html);
    return 0;
  }
  const runs = withResults(found, (results) => [...results.runs()]);
  printRaw(reportText(found.name, runs, options.format));
  return 0;
}

function hasBegun(folder: string): boolean {
  try {
    const results = new CampaignResults(folder, true);
    try {
      return results.begun !== undefined;
    } finally {
      results.close();
    }
  } catch {
    return false;
  }
}

/** Where the file is no campaign; nothing of it is run. */
export async function check(file: string, options: { json: boolean }): Promise<number> {
  const problems = campaignProblems(file);
  if (problems.length === 0 && !isSessionName(readCampaign(file).name))
    problems.push({
      line: 0,
      message: 'its results are kept by its file\'s name, which may have only letters, digits, ".", "_" and "-", at most 48',
      path: [],
    });
  if (options.json) {
    const found = problems.length === 0 ? readCampaign(file) : undefined;
    const folder = found === undefined ? '' : campaignFolder(found.store, found.name);
    printJson({ problems, name: found?.name ?? '', folder, begun: found !== undefined && hasBegun(folder) });
  } else for (const { line, message } of problems) print(`${file}${line === 0 ? '' : `:${line}`}: ${message}`);
  if (problems.length === 0 && !options.json) print(`${file} is a campaign`);
  return problems.length === 0 ? 0 : 1;
}

/** Of a run that is planned, whether it has been made or not. */
export function faultOf(found: CampaignFile, number: number): { snapshot: string; fault: Fault; goldenMs: number } {
  return withResults(found, (results, campaign) => {
    const planned = plannedFaults(campaign, targetsOf(results));
    const index = planned.indices[number];
    if (index === undefined) throw noSuchRun(found.name, number, planned);
    return { snapshot: campaign.snapshot, fault: planned.space.at(index), goldenMs: results.begun?.goldenMs ?? 0 };
  });
}

/** The run again, in the foreground. */
export async function repeat(file: string, text: string, options: Options): Promise<number> {
  const found = read(file, options);
  const { name, store } = found;
  const number = wholeNumber(text, 'RUN', 0);
  const { snapshot, fault } = faultOf(found, number);
  const folder = join(campaignFolder(store, name), 'faults');
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `${number}.json`);
  writeFileSync(path, `${JSON.stringify(fault.settings, null, 2)}\n`);
  return cairnForeground(['restart', snapshot, '--store', store, '--plugin', `${fault.plugin}=${path}`]);
}
