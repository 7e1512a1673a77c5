/** Runs in the formats of others. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { avfOf, safetyOf } from '../../debug-adapter/src/model/campaign-figures.js';
import { campaignHtml } from '../../debug-adapter/src/model/campaign-html.js';
import { reportText } from '../../debug-adapter/src/model/campaign-report.js';
import { Outcome, type Run } from '../../debug-adapter/src/protocol/campaign.js';
import type { CampaignFigures } from '../../debug-adapter/src/protocol/campaign-figures.js';
import { inTree } from '../support/tree.js';

const runs: Run[] = [
  {
    number: 0,
    model: 'reads',
    fault: 'call 1 of read: output {"argument":2}',
    target: 'read',
    scope: 'vvp',
    at: null,
    outcome: 'silentDataCorruption',
    effective: true,
    injection: 'effective',
    injectedAt: 40,
    latency: null,
    deviation: 'line 1: "<a&b\u0001>" instead of "c"',
    status: 0,
    start: 'resident',
    startReason: '',
    elapsedMs: 1500,
    finishedAt: '2026-01-01T00:00:00.000Z',
  },
  {
    number: 1,
    model: 'reads',
    fault: 'call 2 of read: return -1',
    target: 'tb.x',
    scope: 'tb',
    at: 30,
    outcome: 'toolError',
    effective: null,
    injection: '',
    injectedAt: null,
    latency: null,
    deviation: 'two\nlines',
    status: null,
    start: 'disk',
    startReason: 'it has 2 processes',
    elapsedMs: 0.4,
    finishedAt: '2026-01-01T00:00:01.000Z',
  },
];

test('CSV quotes what has to be quoted', () => {
  assert.equal(
    reportText('c', runs, 'csv'),
    'number,model,fault,target,scope,at,outcome,effective,injection,injectedAt,latency,status,deviation,start,startReason,elapsedMs,finishedAt\r\n' +
      '0,reads,"call 1 of read: output {""argument"":2}",read,vvp,,silentDataCorruption,true,effective,40,,0,"line 1: ""<a&b\u0001>"" instead of ""c""",resident,,1500,2026-01-01T00:00:00.000Z\r\n' +
      '1,reads,call 2 of read: return -1,tb.x,tb,30,toolError,,,,,,"two\nlines",disk,it has 2 processes,0.4,2026-01-01T00:00:01.000Z\r\n',
  );
});

test('JUnit has a failure for silent corruption, an error for what could not be run, and only characters that XML can have', () => {
  const text = reportText('c', runs, 'junit');
  assert.match(text, /<testsuite name="c" tests="2" failures="1" errors="1">/);
  assert.match(
    text,
    /<failure message="line 1: &quot;&lt;a&amp;b\ufffd&gt;&quot; instead of &quot;c&quot;" type="silentDataCorruption"\/>/,
  );
  assert.match(text, /<error message="two\nlines" type="toolError"\/>/);
  assert.match(text, /time="1\.500"/);
});

test('JSON is as it was; another format is refused', () => {
  assert.deepEqual(JSON.parse(reportText('c', runs, 'json')), runs);
  assert.throws(() => reportText('c', runs, 'xls'), /--format xls/);
});

const status = {
  name: 'soc <1>',
  folder: '/store/campaigns/soc',
  runs: 3,
  planned: 4,
  population: 100,
  notEffective: 1,
  endedAfter: null,
  running: false,
  paused: false,
  runsPerSecond: 0,
  outcomes: {
    silentDataCorruption: { count: 1, rate: 0.5, low: 0.1, high: 0.9 },
    masked: { count: 1, rate: 0.5, low: 0.1, high: 0.9 },
    toolError: { count: 1, rate: 1 / 3, low: 1 / 3, high: 1 / 3 },
  },
  models: [
    { model: 'reads', outcome: 'silentDataCorruption' as const, count: 1 },
    { model: 'reads', outcome: 'toolError' as const, count: 1 },
  ],
};

const figures: CampaignFigures = {
  confidence: 0.95,
  scopes: [{ scope: 'tb.<core>', counts: { silentDataCorruption: 1, masked: 3 } }],
  allScopes: 7,
  times: { first: 10, width: 5, parts: 2 },
  cells: [{ scope: 'tb.<core>', part: 1, counts: { silentDataCorruption: 1, masked: 3 } }],
  steps: [
    { runs: 1, rates: { masked: { count: 1, rate: 1, low: 0.2, high: 1 } } },
    { runs: 4, rates: { masked: { count: 3, rate: 0.75, low: 0.3, high: 0.95 } } },
  ],
  targets: [{ target: 'tb.<core>.pc', scope: 'tb.<core>', runs: 4, failures: { count: 1, rate: 0.25, low: 0.05, high: 0.7 } }],
  avf: avfOf({ silentDataCorruption: 1, masked: 3 }, { confidence: 0.95, population: 100 }),
  safety: safetyOf({ silentDataCorruption: 1, masked: 3 }, { confidence: 0.95, population: 100 }),
};

function rowsOf(html: string): unknown[][] {
  const data = /<script type="application\/json" id="data">(.*?)<\/script>/.exec(html)?.[1] ?? '';
  return JSON.parse(data) as unknown[][];
}

test('the HTML report has all figures and runs, needs nothing beside it, and shows what is in it as text', () => {
  const facts = {
    status,
    madeAt: '2026-01-01',
    snapshot: 'roi',
    confidence: 0.95,
    repeat: 'cairn campaign repeat a.yaml RUN',
    figures,
  };
  const evil = { ...runs[0], fault: '</script><script>alert(1)</script>', model: '<b>' } as Run;
  const html = campaignHtml(facts, [evil, ...runs.slice(1)]);
  assert.match(html, /<title>Campaign soc &lt;1&gt;<\/title>/);
  assert.doesNotMatch(html, /(?:src|href)=/);
  assert.match(html, /default-src 'none'/);
  assert.match(html, /50\.00 %<\/td><td class="n">10\.00 % to 90\.00 %/);
  assert.match(html, /<th scope="row">tb\.&lt;core&gt;<\/th><td><\/td><td style="--share:25%" title="1 of 4">1\/4<\/td>/);
  assert.match(html, /tb\.&lt;core&gt;\.pc<\/th><td class="n">1 of 4<\/td><td class="n">25\.0 % \(5\.0 % to 70\.0 %\)/);
  assert.match(html, /Single-point fault metric \(SPFM\)<\/th><td class="n">75\.0 %/);
  assert.match(html, /Counted as single-point or residual: timing, silent data corruption, trap, hang, crash\./);
  assert.match(html, /3 of 4 runs, of 100 faults; in 1 the fault changed nothing/);
  assert.deepEqual(
    rowsOf(html).map(([number, model, fault, outcome]) => [number, model, fault, outcome]),
    [
      [0, '<b>', evil.fault, 'silentDataCorruption'],
      [1, 'reads', 'call 2 of read: return -1', 'toolError'],
    ],
  );
});

test('of very many runs the HTML report leaves out those that were masked, and says so', () => {
  const [first] = runs as [Run];
  const many = function* (): Generator<Run> {
    for (let number = 0; number < 200_010; number++) yield { ...first, number, outcome: number % 2 === 0 ? 'masked' : 'hang' };
  };
  const html = campaignHtml({ status, madeAt: '', snapshot: 'roi', confidence: 0.95, repeat: '', figures }, many());
  assert.match(html, /10 runs that were masked are left out/);
  assert.equal(rowsOf(html).length, 200_000);
});

test('of very many others it leaves out as many as there is no room for, too', () => {
  const [first] = runs as [Run];
  const many = function* (): Generator<Run> {
    for (let number = 0; number < 200_010; number++) yield { ...first, number, outcome: number < 3 ? 'masked' : 'hang' };
  };
  const html = campaignHtml({ status, madeAt: '', snapshot: 'roi', confidence: 0.95, repeat: '', figures }, many());
  assert.match(html, /3 runs that were masked and 7 others are left out/);
  const rows = rowsOf(html);
  assert.deepEqual([rows.length, rows[0]?.[0], rows.at(-1)?.[0]], [200_000, 3, 200_002]);
});

test('each outcome has a colour of its own: in the report, on paper too, and on the page', () => {
  const html = campaignHtml({ status, madeAt: '', snapshot: 'roi', confidence: 0.95, repeat: '', figures }, []);
  const page = readFileSync(inTree('webview-ui/src/campaign/campaign.css'), 'utf8');
  const printed = /@media print \{.*?([^}]*)\{ print-color-adjust/.exec(html)?.[1] ?? '';
  const colours = Outcome.options.map((outcome) => {
    assert.ok(html.includes(`.${outcome} { background: var(--${outcome}) }`), outcome);
    assert.ok(new RegExp(`\\.${outcome}[, ]`).test(printed), `${outcome} on paper`);
    const own = new RegExp(`^\\.${outcome} \\{\n  --own: (.*);`, 'm').exec(page)?.[1] ?? assert.fail(`${outcome} on the page`);
    const colour = new RegExp(`--${outcome}: (#\\w+);`).exec(html)?.[1] ?? assert.fail(outcome);
    return [own, colour] as const;
  });
  assert.equal(new Set(colours.map(([own]) => own)).size, Outcome.options.length);
  assert.equal(new Set(colours.map(([, colour]) => colour)).size, Outcome.options.length);
});
