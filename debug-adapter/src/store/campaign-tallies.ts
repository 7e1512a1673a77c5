/**
 * What results of a campaign come to by module, by time and by register: from what the database has counted as runs came (campaign-results.ts),
 * so that it takes no longer with a million runs. Test: test/unit/campaign-figures.test.ts; its cost: test/bench/campaign-queries.ts.
 */
import { avfOf, type Sample, safetyOf } from '../model/campaign-figures.js';
import { wilson } from '../model/statistics.js';
import type { Outcome } from '../protocol/campaign.js';
import type { Assumptions, CampaignFigures, OutcomeCounts } from '../protocol/campaign-figures.js';
import { type CampaignResults, TIME_PARTS } from './campaign-results.js';

const SHOWN_SCOPES = 40;
const SHOWN_TARGETS = 20;
/** Of registers with failures: so many of those with most are compared by their rates. */
const COMPARED_TARGETS = 5000;
const SHOWN_STEPS = 100;

export function figuresOf(results: CampaignResults, sample: Sample, assumed: Assumptions = {}): CampaignFigures {
  const counts = results.counts();
  const { shown, all } = scopesOf(results);
  return {
    confidence: sample.confidence,
    scopes: shown,
    allScopes: all,
    times: timesOf(results),
    cells: cellsOf(
      results,
      shown.map(({ scope }) => scope),
    ),
    steps: stepsOf(results, sample),
    targets: targetsOf(results, sample),
    avf: avfOf(counts, sample),
    safety: safetyOf(counts, sample, assumed),
  };
}

function timesOf(results: CampaignResults): CampaignFigures['times'] {
  const [span] = results.rows('SELECT first, width FROM span');
  return span === undefined ? null : { first: Number(span['first']), width: Number(span['width']), parts: TIME_PARTS };
}

function scopesOf(results: CampaignResults): { shown: CampaignFigures['scopes']; all: number } {
  const rows = results.rows(
    'SELECT scope, outcome, sum(count) AS count FROM tally_scope GROUP BY scope, outcome HAVING count > 0 ORDER BY scope',
  );
  const counts = new Map<string, OutcomeCounts>();
  for (const row of rows) into(counts, String(row['scope']), row);
  const total = (of: OutcomeCounts): number => Object.values(of).reduce((sum, one) => sum + one, 0);
  const all = [...counts].map(([scope, of]) => ({ scope, counts: of, runs: total(of) }));
  const most = all.sort((a, b) => b.runs - a.runs).slice(0, SHOWN_SCOPES);
  const shown = most.map(({ scope, counts: of }) => ({ scope, counts: of })).sort((a, b) => (a.scope < b.scope ? -1 : 1));
  return { shown, all: counts.size };
}

function cellsOf(results: CampaignResults, scopes: readonly string[]): CampaignFigures['cells'] {
  return scopes.flatMap((scope) => {
    const parts = new Map<number, OutcomeCounts>();
    for (const row of results.rows('SELECT part, outcome, count FROM tally_scope WHERE scope = ? AND part >= 0', scope))
      if (Number(row['count']) > 0) into(parts, Number(row['part']), row);
    return [...parts].map(([part, counts]) => ({ scope, part, counts }));
  });
}

function into<K>(counts: Map<K, OutcomeCounts>, key: K, row: Record<string, unknown>): void {
  counts.set(key, { ...counts.get(key), [row['outcome'] as Outcome]: Number(row['count']) });
}

function stepsOf(results: CampaignResults, { confidence, population }: Sample): CampaignFigures['steps'] {
  const rows = results.rows('SELECT runs, counts FROM step ORDER BY runs');
  const every = Math.max(1, Math.ceil(rows.length / SHOWN_STEPS));
  // The last one always: it is what there is now.
  const shown = rows.filter((_, index) => (rows.length - 1 - index) % every === 0);
  const countsOf = (row: Record<string, unknown> | undefined): OutcomeCounts => {
    const text = row?.['counts'];
    return typeof text === 'string' ? (JSON.parse(text) as OutcomeCounts) : {};
  };
  // One that came late was none of the first runs, with an interval of its own.
  const outcomes = Object.keys(countsOf(rows.at(-1))) as Outcome[];
  return shown.map((row) => {
    const runs = Number(row['runs']);
    const counts = countsOf(row);
    const rates = outcomes.map((outcome) => [outcome, wilson(counts[outcome] ?? 0, runs, confidence, population)]);
    return { runs, rates: Object.fromEntries(rates) as CampaignFigures['steps'][number]['rates'] };
  });
}

function targetsOf(results: CampaignResults, { confidence }: Sample): CampaignFigures['targets'] {
  const rows = results.rows(
    'SELECT target, scope, runs, failures FROM tally_target WHERE failures > 0 ORDER BY failures DESC, runs LIMIT ?',
    COMPARED_TARGETS,
  );
  const all = rows.map((row) => ({
    target: String(row['target']),
    scope: String(row['scope']),
    runs: Number(row['runs']),
    failures: wilson(Number(row['failures']), Number(row['runs']), confidence),
  }));
  return all.sort((a, b) => b.failures.low - a.failures.low || b.runs - a.runs).slice(0, SHOWN_TARGETS);
}
