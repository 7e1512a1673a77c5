/** What counts and times are called on the Faults page. Pure. Test: test/unit/faults-words.test.ts. */
import type { CampaignPlan, TargetCount } from '../../../debug-adapter/src/protocol/campaign-plan.js';
import { formatDuration, formatSimulatedTimeBriefly } from '../../../debug-adapter/src/protocol/format.js';

export const grouped = (count: number): string => count.toLocaleString('en-US');
export const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

const many = (count: number, one: string, more: string): string => `${grouped(count)} ${count === 1 ? one : more}`;

/** "4,631 bits in 305 registers and 2 memories". */
export function targetWords({ told, registers, nets, memories, bits }: TargetCount): string {
  const parts = [
    ...(registers > 0 ? [told ? many(registers, 'register', 'registers') : many(registers, 'signal', 'signals')] : []),
    ...(nets > 0 ? [many(nets, 'net', 'nets')] : []),
    ...(memories > 0 ? [many(memories, 'memory', 'memories')] : []),
  ];
  if (parts.length === 0) return 'no signal';
  const last = parts.pop() ?? '';
  return `${many(bits, 'bit', 'bits')} in ${parts.length === 0 ? last : `${parts.join(', ')} and ${last}`}`;
}

/** How exact it will be. */
export function sampleWords({ runs, population, interval, confidence }: CampaignPlan): string {
  if (runs === null || population === null) return 'How many runs that is can be said when the signals of the design are known.';
  if (runs === 0) return 'There is no fault to try.';
  if (runs >= population) return `All ${grouped(population)} faults: the rates are exact.`;
  const half =
    interval === null
      ? ''
      : `, each rate to ±${percent((interval.high - interval.low) / 2)} or better (Wilson, confidence ${percent(confidence)})`;
  return `${many(runs, 'run', 'runs')} of ${grouped(population)} faults${half}`;
}

export function timeWords({ seconds, runsPerSecond, measuredBy, name }: CampaignPlan): string {
  if (seconds === null || runsPerSecond === null) return 'How long it takes can be said after the first runs from this snapshot.';
  const by = measuredBy === name ? 'this campaign' : `campaign ${measuredBy}`;
  return `About ${formatDuration(1000 * seconds)}, at ${runsPerSecond.toFixed(1)} runs a second as measured by ${by}`;
}

/** A moment after the restart, in simulated time; empty: the time of the snapshot is not known. */
export function momentWords(ticks: number, { snapshot }: Pick<CampaignPlan, 'snapshot'>): string {
  const time = snapshot?.simulatedTime;
  if (!time || !Number.isSafeInteger(ticks)) return '';
  return formatSimulatedTimeBriefly({ ticks: String(BigInt(time.ticks) + BigInt(ticks)), unit: time.unit });
}
