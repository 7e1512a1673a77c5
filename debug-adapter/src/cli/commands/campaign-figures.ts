/**
 * `cairn campaign figures`, `arm` and `waveform`: what results come to by module, time and register, and what leads from one of the runs into the design.
 */
import { constants } from 'node:os';
import { percentText, rateText } from '../../model/campaign-figures.js';
import { type Outcome, outcomeWords } from '../../protocol/campaign.js';
import {
  ASSUMABLE,
  type Assumptions,
  classWords,
  type FaultClass,
  FaultClass as FaultClasses,
} from '../../protocol/campaign-figures.js';
import type { ArmedFault } from '../../protocol/campaign-plan.js';
import { failure } from '../../protocol/errors.js';
import { formatTable } from '../../protocol/format.js';
import { confidenceOf, summaryOf } from '../../runners/campaign-plan.js';
import { waveformDifference } from '../../runners/waveform.js';
import { figuresOf } from '../../store/campaign-tallies.js';
import { Store } from '../../store/store.js';
import { wholeNumber } from '../choices.js';
import { print, printJson } from '../output.js';
import { faultOf, type Options, read, withResults } from './campaign.js';

/** OUTCOME=CLASS, of those that can be assumed otherwise. */
function assumed(texts: readonly string[]): Assumptions {
  return Object.fromEntries(
    texts.map((text) => {
      const [outcome = '', as = ''] = text.split('=');
      const allowed = ASSUMABLE[outcome as Outcome];
      const found = FaultClasses.options.find((one) => one === as);
      if (allowed !== undefined && found !== undefined && allowed.includes(found)) return [outcome, found];
      const all = Object.entries(ASSUMABLE).map(([one, classes]) => `${one}=${classes.join('|')}`);
      throw failure('usage', { what: `--count ${text}`, remedy: `It is one of ${all.join(', ')}` });
    }),
  );
}

export async function figures(file: string, options: Options & { count: string[] }): Promise<number> {
  const as = assumed(options.count);
  const found = withResults(read(file, options), (results, campaign) =>
    figuresOf(results, { confidence: confidenceOf(campaign), population: summaryOf(results, campaign).population }, as),
  );
  if (options.json) {
    print(JSON.stringify(found));
    return 0;
  }
  const { scopes, targets, avf, safety } = found;
  const counted = (counts: Readonly<Partial<Record<Outcome, number>>>): string =>
    Object.entries(counts)
      .map(([outcome, count]) => `${outcomeWords[outcome as Outcome].label.toLowerCase()} ${count}`)
      .join(', ');
  print(
    [
      formatTable([['MODULE', 'OUTCOMES'], ...scopes.map(({ scope, counts }) => [scope || '(none)', counted(counts)])]),
      '',
      formatTable([
        ['REGISTER', 'RUNS', 'FAILURES', 'INTERVAL'],
        ...targets.map(({ target, runs, failures: { rate, low, high } }) => [
          target,
          String(runs),
          percentText(rate),
          `${percentText(low)} to ${percentText(high)}`,
        ]),
      ]),
      '',
      formatTable([
        ['architectural vulnerability factor', rateText(avf.all)],
        ['of that, silent', rateText(avf.silent)],
        ['single-point fault metric', rateText(safety.spfm)],
        ['latent-fault metric', rateText(safety.lfm)],
        ['diagnostic coverage', rateText(safety.coverage)],
        ...(Object.entries(safety.counts) as [FaultClass, number][]).map(([one, count]) => [classWords[one], String(count)]),
      ]),
      '',
      ...safety.assumptions,
    ].join('\n'),
  );
  return 0;
}

/** The fault of a run as a launch configuration takes it; where it is on a signal the computation is held just before. */
export async function arm(file: string, text: string, options: Options): Promise<number> {
  const found = read(file, options);
  const { snapshot, fault } = faultOf(found, wholeNumber(text, 'RUN', 0));
  const store = new Store(found.store);
  const holds = fault.plugin === 'fault-signals';
  const armed: ArmedFault = {
    snapshot: store.find(snapshot).path,
    store: store.path,
    plugin: { library: fault.plugin, settings: { ...fault.settings, ...(holds ? { hold: true } : {}) } },
    fault: fault.text,
    holds,
  };
  printJson(armed);
  return 0;
}

export async function waveform(file: string, text: string, options: Options): Promise<number> {
  const found = read(file, options);
  const number = wholeNumber(text, 'RUN', 0);
  const { snapshot, fault, goldenMs } = faultOf(found, number);
  const store = new Store(found.store);
  const given = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => {
      process.exitCode = 128 + constants.signals[signal];
      given.abort();
    });
  const { name } = found;
  const asked = { name, store, snapshot: store.find(snapshot), number, fault, goldenMs, signal: given.signal };
  const difference = await waveformDifference(asked);
  if (options.json) printJson(difference);
  else if (difference.first === null) print('The waveforms are the same.');
  else {
    const { signal, time } = difference.first;
    print(`${difference.file}: ${difference.signals} signals differ, the first is ${signal} at ${time}`);
  }
  return 0;
}
