/**
 * A campaign as one HTML file that opens anywhere: no file beside it, nothing from a network, light and dark as the reader has it, to be printed. The
 * figures are there without scripts; the runs are a table that a script of the page's own fills, a part at a time. Pure.
 * Test: test/unit/campaign-report.test.ts.
 */
import { type CampaignStatus, Outcome, outcomeWords, type Run } from '../protocol/campaign.js';
import type { CampaignFigures } from '../protocol/campaign-figures.js';
import { FIGURES_STYLE, figuresHtml } from './campaign-html-figures.js';

/** More would be a file that no browser opens well; those that were masked, which say least, are left out first. */
const MOST_RUNS = 200_000;

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
const percent = (share: number): string => `${(100 * share).toFixed(2)} %`;

export interface HtmlReport {
  readonly status: CampaignStatus;
  /** ISO 8601. */
  readonly madeAt: string;
  readonly snapshot: string;
  readonly confidence: number;
  readonly repeat: string;
  readonly figures: CampaignFigures;
}

export function campaignHtml({ status, madeAt, snapshot, confidence, repeat, figures }: HtmlReport, all: Iterable<Run>): string {
  const { kept, masked, others } = keptOf(all);
  const { runs, planned, population, notEffective, outcomes } = status;
  const shown = Outcome.options.flatMap((outcome) => {
    const rate = outcomes[outcome];
    return rate === undefined || rate.count === 0 ? [] : [{ outcome, rate }];
  });
  const rows = shown.map(({ outcome, rate: { count, rate, low, high } }) => {
    const { label, meaning } = outcomeWords[outcome];
    const isResult = outcome !== 'toolError';
    const interval = isResult ? `${percent(low)} to ${percent(high)}` : 'not counted';
    const bar = isResult
      ? `<div class="rate"><div class="interval" style="left:${100 * low}%;width:${100 * Math.max(high - low, 0.002)}%"></div><div class="mark ${outcome}" style="left:${100 * rate}%"></div></div>`
      : '';
    return `<tr><th scope="row"><span class="key ${outcome}"></span> ${label}<br><small>${meaning}</small></th><td class="n">${count}</td><td class="n">${isResult ? percent(rate) : ''}</td><td class="n">${interval}</td><td>${bar}</td></tr>`;
  });
  const counted = Math.max(1, runs - (outcomes.toolError?.count ?? 0));
  const stack = (counts: readonly { outcome: Outcome; count: number }[], total: number): string =>
    `<div class="stack">${counts
      .map(
        ({ outcome, count }) =>
          `<div class="${outcome}" style="flex:${count}" title="${outcomeWords[outcome].label}: ${count} of ${total}"></div>`,
      )
      .join('')}</div>`;
  const models = [...new Set(status.models.map(({ model }) => model))].map((model) => {
    const counts = status.models.filter((one) => one.model === model);
    const total = counts.reduce((sum, { count }) => sum + count, 0);
    const words = counts.map(({ outcome, count }) => `${outcomeWords[outcome].label} ${count}`).join(', ');
    return `<tr><th scope="row">${escaped(model)}</th><td class="n">${total}</td><td>${stack(counts, total)}<small>${words}</small></td></tr>`;
  });
  const data = JSON.stringify(
    kept.map((one) => [one.number, one.model, one.fault, one.outcome, one.effective, one.status, one.deviation, one.elapsedMs]),
  );
  const left = [...(masked === 0 ? [] : [`${masked} runs that were masked`]), ...(others === 0 ? [] : [`${others} others`])];
  const missing =
    left.length === 0
      ? ''
      : `<p class="note">${left.join(' and ')} are left out of the table below; the figures above have them.</p>`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<title>Campaign ${escaped(status.name)}</title>
<style>${STYLE}${FIGURES_STYLE}</style>
</head>
<body>
<h1>Campaign ${escaped(status.name)}</h1>
<p>${runs} of ${planned} runs, of ${population} faults; in ${notEffective} the fault changed nothing. From snapshot ${escaped(snapshot)}. Report made ${escaped(madeAt)}.</p>
<h2>Outcomes</h2>
${stack(
  shown.map(({ outcome, rate }) => ({ outcome, count: rate.count })),
  runs,
)}
<table><caption>Rates with their intervals (Wilson, confidence ${percent(confidence)}; shares of ${counted} runs)</caption>
<thead><tr><th scope="col">Outcome</th><th scope="col" class="n">Runs</th><th scope="col" class="n">Rate</th><th scope="col" class="n">Interval</th><th scope="col">0 to 100 %</th></tr></thead>
<tbody>${rows.join('')}</tbody></table>
<h2>Models</h2>
<table><caption>Outcomes of each fault model</caption>
<thead><tr><th scope="col">Model</th><th scope="col" class="n">Runs</th><th scope="col">Outcomes</th></tr></thead>
<tbody>${models.join('')}</tbody></table>
${figuresHtml(figures, { escaped, stack })}
<h2>Runs</h2>
${missing}<p>A run again: <code>${escaped(repeat)}</code></p>
<noscript><p class="note">The table of runs needs scripts. <code>cairn campaign export --format csv</code> has them, too.</p></noscript>
<form id="filter" hidden>
<label>Outcome <select id="outcome"><option value="">all</option>${shown.map(({ outcome }) => `<option value="${outcome}">${outcomeWords[outcome].label}</option>`).join('')}</select></label>
<label>Fault or deviation <input id="search" type="search"></label>
<output id="found"></output>
</form>
<table id="runs" hidden><caption>Runs</caption>
<thead><tr><th scope="col" class="n">Run</th><th scope="col">Model</th><th scope="col">Fault</th><th scope="col">Outcome</th><th scope="col" class="n">Status</th><th scope="col">First deviation</th><th scope="col" class="n">ms</th></tr></thead>
<tbody></tbody></table>
<p><button id="more" hidden>Show more</button></p>
<script type="application/json" id="data">${data.replaceAll('<', '\\u003c')}</script>
<script type="application/json" id="labels">${JSON.stringify(Object.fromEntries(shown.map(({ outcome }) => [outcome, outcomeWords[outcome].label])))}</script>
<script>${SCRIPT}</script>
</body>
</html>
`;
}

/** `masked`, `others`: how many of them are left out. */
function keptOf(all: Iterable<Run>): { kept: Run[]; masked: number; others: number } {
  const telling: Run[] = [];
  const masked: Run[] = [];
  let seen = 0;
  let seenMasked = 0;
  for (const one of all) {
    const isMasked = one.outcome === 'masked';
    seen++;
    if (isMasked) seenMasked++;
    const these = isMasked ? masked : telling;
    if (these.length < MOST_RUNS) these.push(one);
  }
  const room = masked.slice(0, MOST_RUNS - telling.length);
  const kept = [...telling, ...room].sort((a, b) => a.number - b.number);
  return { kept, masked: seenMasked - room.length, others: seen - seenMasked - telling.length };
}

const STYLE = `
:root { color-scheme: light dark; --masked: #6b7a8f; --silentDataCorruption: #d3302f; --latent: #0b7285; --timing: #5f3dc4; --detected: #2b8a3e; --trap: #b8860b; --hang: #7b4fc9; --crash: #c2255c; --toolError: #999; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 75rem; margin: 1.5rem auto; padding: 0 1rem; background: Canvas; color: CanvasText; }
h1 { font-size: 1.5rem } h2 { font-size: 1.15rem; margin-top: 2rem }
table { border-collapse: collapse; width: 100% } caption { text-align: left; padding: .2rem 0; font-size: .9em }
th, td { text-align: left; vertical-align: top; padding: .25rem .6rem .25rem 0; border-bottom: 1px solid color-mix(in srgb, CanvasText 20%, transparent) }
.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap } th { font-weight: 600 } small { font-weight: 400 }
.stack { display: flex; height: 1.1rem; gap: 1px; min-width: 12rem; margin: .25rem 0 } .stack div { min-width: 2px }
.key { display: inline-block; width: .8em; height: .8em; margin-right: .3em }
.masked { background: var(--masked) } .latent { background: var(--latent) } .timing { background: var(--timing) } .silentDataCorruption { background: var(--silentDataCorruption) } .detected { background: var(--detected) }
.trap { background: var(--trap) } .hang { background: var(--hang) } .crash { background: var(--crash) } .toolError { background: var(--toolError) }
.rate { position: relative; height: 1.1rem; min-width: 12rem; border: 1px solid color-mix(in srgb, CanvasText 30%, transparent) }
.interval { position: absolute; top: 25%; height: 50%; background: color-mix(in srgb, CanvasText 35%, transparent) }
.mark { position: absolute; top: 0; height: 100%; width: 3px; margin-left: -1px }
#runs td { overflow-wrap: anywhere } form:not([hidden]) { display: flex; flex-wrap: wrap; gap: 1rem; align-items: baseline; margin: .5rem 0 }
input, select, button { font: inherit } code { font-size: .9em; overflow-wrap: anywhere }
@media print { form:not([hidden]), button { display: none } .masked, .latent, .timing, .silentDataCorruption, .detected, .trap, .hang, .crash, .toolError, .interval { print-color-adjust: exact } }
`;

const SCRIPT = `
'use strict';
const all = JSON.parse(document.getElementById('data').textContent);
const labels = JSON.parse(document.getElementById('labels').textContent);
const get = (id) => document.getElementById(id);
const body = get('runs').tBodies[0];
let found = all, shown = 0;
function cell(row, text, tag, number) {
  const one = document.createElement(tag);
  one.textContent = text;
  if (number) one.className = 'n';
  if (tag === 'th') one.scope = 'row';
  row.append(one);
}
function more() {
  const part = document.createDocumentFragment();
  for (const [number, model, fault, outcome, effective, status, deviation, ms] of found.slice(shown, shown + 200)) {
    const row = document.createElement('tr');
    cell(row, number, 'th', true);
    cell(row, model, 'td');
    cell(row, fault, 'td');
    cell(row, labels[outcome] + (effective === false ? ' (the fault changed nothing)' : ''), 'td');
    cell(row, status === null ? '' : status, 'td', true);
    cell(row, deviation, 'td');
    cell(row, ms.toFixed(0), 'td', true);
    part.append(row);
  }
  body.append(part);
  shown = Math.min(found.length, shown + 200);
  get('more').hidden = shown >= found.length;
}
function filter() {
  const outcome = get('outcome').value, text = get('search').value.toLowerCase();
  found = all.filter((one) => (outcome === '' || one[3] === outcome) && (text === '' || (one[2] + ' ' + one[6]).toLowerCase().includes(text)));
  body.replaceChildren();
  shown = 0;
  get('found').value = found.length + ' of ' + all.length + ' runs';
  more();
}
get('filter').hidden = get('runs').hidden = false;
get('filter').addEventListener('submit', (event) => event.preventDefault());
get('outcome').addEventListener('change', filter);
get('search').addEventListener('input', filter);
get('more').addEventListener('click', more);
filter();
`;
