/**
 * A campaign in the workbench: its page, from nothing to all runs, the runs with filters, one in detail, the report; the Testing view; and what is wrong
 * with a file. One story, in order.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Locator } from 'playwright-core';
import { inTree } from '../../scripts/lib/tree.mjs';
import { assertAccessible } from './harness/axe.js';
import { suite } from './harness/suite.js';
import { until } from './harness/until.js';
import type { Window } from './harness/window.js';

/** Of the program: its outcomes are known (test/faults/campaign.test.ts). */
const CALLS = 12;
const RUNS = 2 * CALLS;
const FILE = 'reads.campaign.yaml';

const text = `# Faults in what the program reads.
snapshot: roi
models:
  - name: reads
    calls:
      function: read
      program: campaign_program
      calls: { last: ${CALLS} }
      effects:
        - { return: -1, errno: EIO }
        - { output: { argument: 2, flip: "04", withinResult: true } }
observe: { files: ["*.txt"] }
detect: { console: parity, status: [3] }
`;

const story = suite({
  name: 'campaign',
  folder: inTree('test/e2e/ticker'),
  timeoutMs: 300_000,
  prepare: (folder) => {
    execFileSync('gcc', ['-std=gnu11', '-O1', inTree('test/faults/campaign_program.c'), '-o', join(folder, 'campaign_program')]);
    writeFileSync(join(folder, 'data'), 'a'.repeat(200));
    writeFileSync(join(folder, 'hold'), '');
    writeFileSync(join(folder, FILE), text);
  },
});

const open = async (window: Window, name: string): Promise<void> => {
  await window.press('Control+P');
  await window.pick(name);
  await window.page.locator('.tab.active', { hasText: name }).waitFor();
};

story('a snapshot to begin from', async (window, run) => {
  await run.cairn('run', '--detach', '--session', 'roi', '--', './campaign_program');
  await until('it is ready', async () => (await run.cairn('logs', '--output', '--session', 'roi')).includes('ready'));
  await run.cairn('checkpoint', '--session', 'roi', '--name', 'roi', '--then', 'kill');
  rmSync(join(run.folder, 'hold'));
  await window.open();
});

story("a file's problems are at their lines", async (window, run) => {
  const wrong = join(run.folder, 'wrong.campaign.yaml');
  writeFileSync(wrong, text.replace('snapshot: roi', 'snapshot: roi\nseed: -1'));
  await open(window, 'wrong.campaign.yaml');
  await window.command('View: Toggle Problems');
  await window.page
    .getByRole('treeitem', { name: /seed: .* at line 3 and character/ })
    .first()
    .waitFor();
  await window.press('Control+Shift+M');
  rmSync(wrong);
  await window.press('Control+F4');
});

story('the page of a campaign runs it, and has its rates as they come', async (window) => {
  await open(window, FILE);
  await window.command('Cairn: Show Campaign Results');
  const page = await window.webview('h1');
  await page.getByText('Nothing has been run yet.').waitFor();
  await page.getByRole('button', { name: 'Run', exact: true }).click();
  await page.getByRole('button', { name: 'Pause' }).waitFor();
  await page.getByText(`${RUNS} of ${RUNS} runs`).waitFor({ timeout: 240_000 });
  await page.getByRole('button', { name: 'Go On' }).waitFor();
  const rates = page.locator('table.rates');
  await rates.getByRole('row', { name: /Hang 1 4\.2 %/ }).waitFor();
  await rates.getByRole('row', { name: /Crash 1 4\.2 %/ }).waitFor();
});

story('its runs are filtered, and one is looked at', async (window, run) => {
  const page = await window.webview('table.runs');
  await assertAccessible(page, 'the page of a campaign');
  await run.picture('campaign');
  await page.getByLabel('Outcome', { exact: true }).selectOption({ label: 'Crash' });
  await page.locator('table.runs', { hasText: '1 runs' }).waitFor();
  await page.getByRole('button', { name: /^Details of run/ }).click();
  await page.getByText('a signal ended it').first().waitFor();
  await page
    .getByLabel(/^Console of run/)
    .getByText('(it printed nothing)')
    .waitFor();
  await page.getByRole('button', { name: 'Close' }).click();
  await page.getByLabel('Outcome', { exact: true }).selectOption({ label: 'All outcomes' });
  await page.getByLabel('Part of the fault or deviation').fill('call 3 of');
  await page.locator('table.runs', { hasText: '2 runs' }).waitFor();
});

story('the report is one file', async (window, run) => {
  const page = await window.webview('table.runs');
  await page.getByRole('button', { name: /^Export as HTML/ }).click();
  const file = join(run.folder, 'reads.html');
  await window.chooseFile(file);
  await until('the report is there', () => existsSync(file));
  const browser = window.page.context();
  const report = await browser.newPage();
  try {
    await report.goto(`file://${file}`);
    await report.getByText(`${RUNS} of ${RUNS} runs`).first().waitFor();
    await report.getByLabel('Outcome').selectOption('crash');
    await report.getByText(`1 of ${RUNS} runs`).waitFor();
    assert.equal(await report.locator('#runs tbody tr').count(), 1);
    assert.match(readFileSync(file, 'utf8'), /<title>Campaign reads<\/title>/);
  } finally {
    await report.close();
  }
});

story('in the Testing view the campaign is a suite with its failures', async (window) => {
  await window.showContainer(/Testing/);
  const row = (text: RegExp): Locator => window.page.locator('.test-explorer .monaco-list-row', { hasText: text }).first();
  await row(/reads.*24 of 24 runs/).click();
  await window.press('ArrowRight');
  await row(/\d+: reads: call \d+ of read/).waitFor();
  await row(/call 3 of read: output/)
    .locator('.codicon-testing-failed-icon')
    .waitFor();
});
