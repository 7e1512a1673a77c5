/**
 * The figures of a campaign in its HTML report: modules, module by time, convergence, registers, and the metrics of a design. Pure.
 * Test: test/unit/campaign-report.test.ts.
 */
import { Outcome, outcomeWords } from '../protocol/campaign.js';
import { type CampaignFigures, classWords, type FaultClass, type OutcomeCounts } from '../protocol/campaign-figures.js';
import { curvesOf, DRAWING, shareOf } from '../protocol/figure-shapes.js';
import { percentText, rateText } from './campaign-figures.js';

interface Words {
  escaped: (text: string) => string;
  stack: (counts: readonly { outcome: Outcome; count: number }[], total: number) => string;
}

export function figuresHtml(figures: CampaignFigures, words: Words): string {
  return [modules(figures, words), heat(figures, words), convergence(figures), registers(figures, words), metrics(figures)].join(
    '\n',
  );
}

const list = (counts: OutcomeCounts): { outcome: Outcome; count: number }[] =>
  Outcome.options.flatMap((outcome) => (counts[outcome] ? [{ outcome, count: counts[outcome] }] : []));
const shown = (scope: string): string => scope || '(none)';

function modules({ scopes, allScopes }: CampaignFigures, { escaped, stack }: Words): string {
  const rows = scopes.map(({ scope, counts }) => {
    const all = list(counts);
    const total = all.reduce((sum, { count }) => sum + count, 0);
    const text = all.map(({ outcome, count }) => `${outcomeWords[outcome].label} ${count}`).join(', ');
    return `<tr><th scope="row">${escaped(shown(scope))}</th><td class="n">${total}</td><td>${stack(all, total)}<small>${text}</small></td></tr>`;
  });
  const more = allScopes > scopes.length ? `<p class="note">The ${scopes.length} with most runs, of ${allScopes}.</p>` : '';
  return `<h2>Modules</h2>${more}<table><caption>Outcomes by the module (of calls: the program) that the fault was in</caption>
<thead><tr><th scope="col">Module</th><th scope="col" class="n">Runs</th><th scope="col">Outcomes</th></tr></thead><tbody>${rows.join('')}</tbody></table>`;
}

function heat({ cells, scopes, times }: CampaignFigures, { escaped }: Words): string {
  if (times === null || cells.length === 0) return '';
  const rows = scopes.flatMap(({ scope }) => {
    const own = cells.filter((one) => one.scope === scope);
    if (own.length === 0) return [];
    const columns = Array.from({ length: times.parts }, (_, part) => {
      const { runs, had } = shareOf(own.find((one) => one.part === part)?.counts ?? {}, null);
      if (runs === 0) return '<td></td>';
      return `<td style="--share:${((100 * had) / runs).toFixed(0)}%" title="${had} of ${runs}">${had}/${runs}</td>`;
    });
    return [`<tr><th scope="row">${escaped(shown(scope))}</th>${columns.join('')}</tr>`];
  });
  const heads = Array.from({ length: times.parts }, (_, part) => `<th scope="col">${times.first + part * times.width}</th>`);
  return `<h2>Failures by module and time</h2><div class="wide"><table class="heat"><caption>Failures of runs, by the tick after the restart from which the fault was there</caption>
<thead><tr><th scope="col">Module</th>${heads.join('')}</tr></thead><tbody>${rows.join('')}</tbody></table></div>`;
}

function convergence(figures: CampaignFigures): string {
  const { curves, first, last, top } = curvesOf(figures);
  if (figures.steps.length < 2) return '';
  const drawn = curves.map(
    ({ outcome, line, band }) => `<path class="band ${outcome}" d="${band}"/><path class="curve ${outcome}" d="${line}"/>`,
  );
  const key = curves.map(
    ({ outcome, last: { rate, low, high } }) =>
      `<li><span class="key ${outcome}"></span> ${outcomeWords[outcome].label}: ${percentText(rate)} (${percentText(low)} to ${percentText(high)})</li>`,
  );
  return `<h2>Convergence</h2><p>Each rate with its interval, from ${first} to ${last} runs (logarithmic), from 0 to ${percentText(top)}.</p>
<svg class="curves" viewBox="0 0 ${DRAWING.width} ${DRAWING.height}" preserveAspectRatio="none" role="img" aria-label="Convergence of rates; the list below has what they have come to">${drawn.join('')}</svg>
<ul class="legend">${key.join('')}</ul>`;
}

function registers({ targets }: CampaignFigures, { escaped }: Words): string {
  if (targets.length === 0) return '';
  const rows = targets.map(
    ({ target, runs, failures }) =>
      `<tr><th scope="row">${escaped(target)}</th><td class="n">${failures.count} of ${runs}</td><td class="n">${rateText(failures)}</td></tr>`,
  );
  return `<h2>Most vulnerable registers</h2><table><caption>By the lower end of the interval of their failures</caption>
<thead><tr><th scope="col">Register</th><th scope="col" class="n">Failures</th><th scope="col" class="n">Rate</th></tr></thead><tbody>${rows.join('')}</tbody></table>`;
}

function metrics({ avf, safety, confidence }: CampaignFigures): string {
  const rows: [string, string][] = [
    ['Architectural vulnerability factor (AVF)', rateText(avf.all)],
    ['of that, silent (SDC)', rateText(avf.silent)],
    ['of that, noticed or ended (DUE)', rateText(avf.noticed)],
    ['Single-point fault metric (SPFM)', rateText(safety.spfm)],
    ['Latent-fault metric (LFM)', rateText(safety.lfm)],
    ['Diagnostic coverage (DC) of residual faults', rateText(safety.coverage)],
    ...(Object.entries(safety.counts) as [FaultClass, number][]).map(([one, count]): [string, string] => [
      `Faults that count as ${classWords[one]}`,
      String(count),
    ]),
  ];
  const body = rows.map(([what, value]) => `<tr><th scope="row">${what}</th><td class="n">${value}</td></tr>`);
  return `<h2>Vulnerability and safety metrics</h2><table><caption>With intervals (Wilson, confidence ${percentText(confidence)}); SPFM, LFM and DC as ISO 26262-5 defines them</caption><tbody>${body.join('')}</tbody></table>
<h3>What is assumed</h3><ul>${safety.assumptions.map((one) => `<li>${one}</li>`).join('')}</ul>`;
}

export const FIGURES_STYLE = `
.wide { overflow-x: auto } .heat th, .heat td { font-size: .8em; padding: .15rem .25rem; white-space: nowrap } .heat thead th:not(:first-child) { writing-mode: vertical-rl; font-weight: 400 }
.heat td { text-align: center; background: color-mix(in srgb, var(--silentDataCorruption) calc(var(--share, 0%) * .7), Canvas); print-color-adjust: exact }
.curves { width: 100%; height: 14rem; border: 1px solid color-mix(in srgb, CanvasText 30%, transparent) } .band { opacity: .25; background: none } .curve { background: none; fill: none; stroke-width: 2; vector-effect: non-scaling-stroke }
${['masked', 'latent', 'timing', 'silentDataCorruption', 'detected', 'trap', 'hang', 'crash'].map((one) => `.band.${one} { fill: var(--${one}) } .curve.${one} { stroke: var(--${one}) }`).join(' ')}
.legend { columns: 20rem; list-style: none; padding: 0 } h3 { font-size: 1rem }
`;
