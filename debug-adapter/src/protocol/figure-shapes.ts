/**
 * How figures of a campaign are drawn, the same on its page and in its report: places in a drawing of 1000 by 200. Pure.
 */
import type { Outcome } from './campaign.js';
import { type CampaignFigures, FAILURES, type OutcomeCounts } from './campaign-figures.js';

export const DRAWING = { width: 1000, height: 200 } as const;

export interface Curve {
  outcome: Outcome;
  /** For an SVG path: the rate, and the interval around it. */
  line: string;
  band: string;
  last: { rate: number; low: number; high: number };
}

/** Of each outcome that there is. The runs are on a logarithmic scale: that is how a rate settles. `top`: the rate at the upper edge. */
export function curvesOf({ steps }: Pick<CampaignFigures, 'steps'>): {
  curves: Curve[];
  first: number;
  last: number;
  top: number;
} {
  const [first, last] = [steps[0]?.runs ?? 1, steps.at(-1)?.runs ?? 1];
  const outcomes = Object.keys(steps.at(-1)?.rates ?? {}) as Outcome[];
  const top = Math.min(
    1,
    Math.max(
      0.01,
      ...steps.slice(Math.floor(steps.length / 10)).flatMap(({ rates }) => Object.values(rates).map(({ high }) => high)),
    ),
  );
  const span = Math.log(Math.max(last, first + 1)) - Math.log(first);
  const x = (runs: number): string => ((DRAWING.width * (Math.log(runs) - Math.log(first))) / span).toFixed(1);
  const y = (rate: number): string => (DRAWING.height * (1 - Math.min(1, rate / top))).toFixed(1);
  const curves = outcomes.flatMap((outcome): Curve[] => {
    const points = steps.map(({ runs, rates }) => ({ runs, ...(rates[outcome] ?? { rate: 0, low: 0, high: 0 }) }));
    const end = points.at(-1);
    if (end === undefined) return [];
    const there = points.map(({ runs, rate }) => `${x(runs)},${y(rate)}`);
    const above = points.map(({ runs, high }) => `${x(runs)},${y(high)}`);
    const below = points.map(({ runs, low }) => `${x(runs)},${y(low)}`).reverse();
    return [{ outcome, line: `M${there.join('L')}`, band: `M${[...above, ...below].join('L')}Z`, last: end }];
  });
  return { curves, first, last, top };
}

/** Runs that tell, and of these those with an outcome; without one: failures. */
export function shareOf(
  { toolError: _toolError, ...counts }: OutcomeCounts,
  outcome: Outcome | null,
): { runs: number; had: number } {
  const runs = Object.values(counts).reduce((sum, one) => sum + one, 0);
  const wanted: readonly Outcome[] = outcome === null ? FAILURES : [outcome];
  return { runs, had: wanted.reduce((sum, one) => sum + ((counts as OutcomeCounts)[one] ?? 0), 0) };
}
