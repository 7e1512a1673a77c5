/**
 * `cairn campaign plan`, `design` and `try`: what a campaign comes to before it is run, the signals that its faults may be in, and one of its faults
 * as a trial.
 */
import { randomInt } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { prepareSnapshot } from '../../control/preparation.js';
import type { Fault } from '../../model/fault-space.js';
import { cairnForeground } from '../../platform/command.js';
import { targetPatterns } from '../../protocol/campaign.js';
import { type CampaignPlan, countTargets, type TargetCount, tellsNets } from '../../protocol/campaign-plan.js';
import { formatDuration, formatTable } from '../../protocol/format.js';
import { plannedFaults } from '../../runners/campaign-plan.js';
import { snapshotDesign } from '../../runners/design.js';
import { planOf } from '../../runners/plan.js';
import { RunPlugins } from '../../runners/run-plugins.js';
import { campaignFolder } from '../../store/campaign-file.js';
import { Store } from '../../store/store.js';
import { storePath, wholeNumber } from '../choices.js';
import { note, print, printJson } from '../output.js';
import { type Options, read } from './campaign.js';

/** Ends with the command. */
function whileWanted<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const given = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => {
      process.exitCode = 128 + constants.signals[signal];
      given.abort();
    });
  return work(given.signal);
}

export async function plan(file: string, options: Options): Promise<number> {
  const found = planOf(read(file, options));
  if (options.json) printJson(found);
  else print(planText(found));
  return found.problems.length === 0 ? 0 : 1;
}

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

function targetText({ told, registers, nets, memories, bits }: TargetCount): string {
  const parts = [
    [registers, told ? 'register' : 'signal', told ? 'registers' : 'signals'],
    [nets, 'net', 'nets'],
    [memories, 'memory', 'memories'],
  ] as const;
  const said = parts.flatMap(([count, one, many]) => (count === 0 ? [] : [`${count} ${count === 1 ? one : many}`]));
  return `${bits} bits in ${said.join(', ') || 'no signal'}`;
}

function planText(found: CampaignPlan): string {
  const { models, population, runs, interval, confidence, runsPerSecond, measuredBy, seconds, snapshot, problems } = found;
  const unknown = 'not known before the signals of the design are read: cairn campaign design';
  return [
    formatTable([
      ['snapshot', snapshot === null ? 'not made yet' : `${snapshot.name} ${snapshot.id}`.trim()],
      ...models.map(({ name, targets, faults }) => [
        `model ${name}`,
        `${targets === null ? '' : `${targetText(targets)}; `}${faults === null ? unknown : `${faults} faults`}`,
      ]),
      ['runs', runs === null ? unknown : `${runs} of ${population} faults`],
      ...(interval === null
        ? []
        : [['interval', `at most ±${percent((interval.high - interval.low) / 2)} at a confidence of ${percent(confidence)}`]]),
      ...(seconds === null || runsPerSecond === null
        ? []
        : [
            [
              'time',
              `${formatDuration(seconds * 1000)}, at ${runsPerSecond.toFixed(1)} runs a second as in campaign ${measuredBy}`,
            ],
          ]),
    ]),
    ...problems.map(({ path, message }) => `${path.join('.')}: ${message}`),
  ].join('\n');
}

/** Of a snapshot, or of the one that a campaign is about. */
export async function design(text: string, { store, json }: { store?: string; json: boolean }): Promise<number> {
  const where = new Store(storePath(store));
  const snapshot = where.find(text);
  const targets = await whileWanted((signal) => snapshotDesign(where, snapshot, signal));
  const told = tellsNets(targets);
  if (json) print(JSON.stringify({ snapshot: snapshot.id, targets }));
  else
    print(
      [
        formatTable([
          ['SIGNAL', 'KIND', 'BITS'],
          ...targets.map(({ name, memory, net, width, left, right }) => [
            memory ? `${name}[${left}:${right}]` : name,
            memory ? 'memory' : net ? 'net' : told ? 'register' : 'signal',
            String(width),
          ]),
        ]),
        targetText(countTargets(targets, told)),
      ].join('\n'),
    );
  return 0;
}

/** In the foreground, without results: to see whether the faults are what is meant. */
export async function tryFault(file: string, options: Options & { number?: string }): Promise<number> {
  const found = read(file, options);
  const { name, store: path, folder, campaign } = found;
  await whileWanted((signal) => prepareSnapshot({ name, store: path, folder, campaign, signal }));
  const store = new Store(path);
  const snapshot = store.find(campaign.snapshot);
  const needed = targetPatterns(campaign).length > 0;
  const targets = needed ? await whileWanted((signal) => snapshotDesign(store, snapshot, signal)) : [];
  const { space, indices } = plannedFaults(campaign, targets);
  const number =
    options.number === undefined ? randomInt(indices.length) : wholeNumber(options.number, '--number', 0, indices.length - 1);
  const fault = space.at(indices[number] ?? 0);
  note(`fault ${number} of ${indices.length}: ${fault.text}`);
  return withReport(join(campaignFolder(path, name), 'faults', `try.${process.pid}`), fault, (settings) =>
    cairnForeground(['restart', snapshot.path, '--store', path, '--plugin', `${fault.plugin}=${settings}`]),
  );
}

/** Says afterwards what the injection came to. */
async function withReport(folder: string, { plugin, settings }: Fault, work: (file: string) => Promise<number>): Promise<number> {
  mkdirSync(folder, { recursive: true });
  try {
    const plugins = new RunPlugins(folder, {
      plugins: [{ name: plugin, settings }],
      design: { targets: [], observe: [], detect: [], limit: null },
    });
    const file = join(folder, 'settings.json');
    writeFileSync(file, JSON.stringify(plugins.all[0]?.settings ?? {}));
    const status = await work(file);
    const { text, at } = plugins.injection();
    note(`the fault was ${text || 'not reached'}${at === null ? '' : `, after ${at} ticks`}; it ended with status ${status}`);
    return status;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
