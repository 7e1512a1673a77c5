/**
 * `cairn campaign`: runs with faults from one snapshot, what became of them, and one of them again.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { reportText } from '../../model/campaign-report.js';
import { cairnForeground } from '../../platform/command.js';
import type { Campaign, CampaignSummary, Outcome, Rate, Run } from '../../protocol/campaign.js';
import { failure } from '../../protocol/errors.js';
import { formatDuration, formatTable, formatTime } from '../../protocol/format.js';
import { plannedFaults, runCampaign, summaryOf } from '../../runners/campaign.js';
import { type CampaignFile, campaignFolder, readCampaign } from '../../store/campaign-file.js';
import { CampaignResults } from '../../store/campaign-results.js';
import { note, Progress, print, printJson, printRaw } from '../output.js';

interface Options {
  name?: string;
  store?: string;
  json: boolean;
}

interface RunOptions extends Options {
  workers?: string;
}

function read(file: string, { name, store }: Options): CampaignFile {
  const found = readCampaign(file);
  return { ...found, ...(name === undefined ? {} : { name }), ...(store === undefined ? {} : { store }) };
}

function wholeNumber(text: string, what: string, least: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= least) return value;
  throw failure('usage', {
    what: `${what} ${text}: it is no whole number from ${least} on`,
    remedy: `For example: ${what} ${least}`,
  });
}

export async function run(file: string, options: RunOptions): Promise<number> {
  const { name, store, campaign } = read(file, options);
  const workers = options.workers === undefined ? undefined : wholeNumber(options.workers, '--workers', 1);
  const given = new AbortController();
  let status = 0;
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => {
      status = 128 + constants.signals[signal];
      given.abort();
    });
  const line = new Progress();
  try {
    const summary = await runCampaign({
      name,
      store,
      campaign,
      signal: given.signal,
      progress: (now) => line.show(progressText(now)),
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

function beyondLimits({ outcomes }: CampaignSummary, { limits = {} }: Campaign): string[] {
  return Object.entries(limits).flatMap(([outcome, most]) => {
    const rate = outcomes[outcome as Outcome]?.rate ?? 0;
    return rate > most ? [`${outcome}: ${percent(rate)} of the runs, more than ${percent(most)}`] : [];
  });
}

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

function progressText({ runs, planned, runsPerSecond }: CampaignSummary): string {
  const left = runsPerSecond > 0 ? `, ${formatDuration(((planned - runs) / runsPerSecond) * 1000)} left` : '';
  return `${runs} of ${planned} runs, ${runsPerSecond.toFixed(1)} a second${left}`;
}

function summaryText({ runs, planned, population, outcomes, notEffective, runsPerSecond }: CampaignSummary): string {
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
    formatTable([['OUTCOME', 'RUNS', 'RATE', 'INTERVAL'], ...cells]),
  ].join('\n');
}

function withResults<T>({ store, name }: CampaignFile, work: (results: CampaignResults) => T): T {
  const folder = campaignFolder(store, name);
  let results: CampaignResults;
  try {
    results = new CampaignResults(folder, true);
  } catch (cause) {
    throw failure('noCampaign', { name, store }, cause);
  }
  try {
    return work(results);
  } finally {
    results.close();
  }
}

export async function status(file: string, options: Options): Promise<number> {
  const found = read(file, options);
  const { space, indices } = plannedFaults(found.campaign);
  const summary = withResults(found, (results) => summaryOf(results, found.campaign, indices.length, space.size));
  if (options.json) printJson(summary);
  else print(summaryText(summary));
  return 0;
}

export async function show(file: string, number: string | undefined, options: Options & { outcome?: string }): Promise<number> {
  const found = read(file, options);
  if (number === undefined) {
    const runs = withResults(found, (results) => [...results.runs(options.outcome as Outcome | undefined)]);
    if (options.json) printJson(runs);
    else
      print(
        formatTable([
          ['RUN', 'OUTCOME', 'FAULT', 'DEVIATION'],
          ...runs.map((one) => [String(one.number), outcomeText(one), `${one.model}: ${one.fault}`, one.deviation]),
        ]),
      );
    return 0;
  }
  const { run: one, console } = theRun(found, number);
  if (options.json) printJson({ ...one, console });
  else {
    print(
      formatTable([
        ['run', `${one.number}, ${formatTime(one.finishedAt)}, ${formatDuration(one.elapsedMs)}`],
        ['fault', `${one.model}: ${one.fault}`],
        ['outcome', `${outcomeText(one)}${one.status === null ? '' : `, status ${one.status}`}`],
        ['deviation', one.deviation || 'none'],
        ['again', `cairn campaign repeat ${file} ${one.number}`],
      ]),
    );
    print(`\n${console}`);
  }
  return 0;
}

const outcomeText = ({ outcome, effective }: Run): string =>
  `${outcome}${effective === false ? ' (the fault changed nothing)' : ''}`;

function theRun(found: CampaignFile, text: string): { run: Run; console: string } {
  const number = wholeNumber(text, 'RUN', 0);
  const one = withResults(found, (results) => results.run(number));
  if (one !== undefined) return one;
  const { indices } = plannedFaults(found.campaign);
  throw failure('noSuchRun', { name: found.name, number: String(number), last: String(indices.length - 1) });
}

export async function exportRuns(file: string, options: Options & { format: string }): Promise<number> {
  const found = read(file, options);
  const runs = withResults(found, (results) => [...results.runs()]);
  printRaw(reportText(found.name, runs, options.format));
  return 0;
}

/** The run again, in the foreground. */
export async function repeat(file: string, text: string, options: Options): Promise<number> {
  const found = read(file, options);
  const { space, indices } = plannedFaults(found.campaign);
  const number = wholeNumber(text, 'RUN', 0);
  const index = indices[number];
  if (index === undefined)
    throw failure('noSuchRun', { name: found.name, number: String(number), last: String(indices.length - 1) });
  const { plugin, settings } = space.at(index);
  const folder = join(campaignFolder(found.store, found.name), 'faults');
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `${number}.json`);
  writeFileSync(path, `${JSON.stringify(settings, null, 2)}\n`);
  return cairnForeground(['restart', found.campaign.snapshot, '--store', found.store, '--plugin', `${plugin}=${path}`]);
}
