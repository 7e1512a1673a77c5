/**
 * Faults in the workbench: from a snapshot of the sample SoC on Icarus a campaign is put together on the Faults page, one fault is tried, the campaign is
 * run, and what came of it leads to its runs, to the source, to a debug session that is held before the fault, and to the waveform. One story, in
 * order.
 */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Frame } from 'playwright-core';
import type { Run } from '../../debug-adapter/src/protocol/campaign.js';
import { type Status, snapshotNamed } from './cairn.js';
import { assertAccessible } from './harness/axe.js';
import { type Suite, suite } from './harness/suite.js';
import { until } from './harness/until.js';
import type { Window } from './harness/window.js';
import { icarus, sampleFolder, uninterrupted } from './sample.js';

const RUNS = 16;
const FILE = 'roi.campaign.yaml';
const CORE = 'tb.board.soc.core';

const story = suite({ name: 'faults', folder: sampleFolder, timeoutMs: 300_000 });

const text = (run: Suite): string => readFileSync(join(run.folder, FILE), 'utf8');
const page = (window: Window): Promise<Frame> => window.webview('#snapshot-title');
/** The run without a fault is made twice before there are any. */
const results = (window: Window): Promise<Frame> => window.webview('#runs-title', 200_000);
const failing = /silentDataCorruption|trap|crash|detected|hang/;

async function runsOf(run: Suite): Promise<Run[]> {
  return JSON.parse(await run.cairn('campaign', 'show', FILE, '--json')) as Run[];
}

async function says(run: Suite, pattern: RegExp): Promise<void> {
  await until(`the file has ${pattern}`, () => pattern.test(text(run)), { state: () => text(run) });
}

/** Types into a field, and leaves it. */
async function fill(frame: Frame, label: string, value: string): Promise<void> {
  await frame.getByLabel(label, { exact: true }).fill(value);
  await frame.getByLabel(label, { exact: true }).press('Tab');
}

/** In the tab that is shown: the page as themes with most and with least contrast have it. */
async function pictures(window: Window, run: Suite, name: string): Promise<void> {
  const settings = join(run.run, 'data/User/settings.json');
  const before = readFileSync(settings, 'utf8');
  for (const [theme, short] of [
    ['Light Modern', 'light'],
    ['Default High Contrast', 'contrast'],
    ['Dark Modern', 'dark'],
  ] as const) {
    writeFileSync(settings, JSON.stringify({ ...JSON.parse(before), 'workbench.colorTheme': theme }));
    const wanted = { light: /(^| )vs( |$)/, contrast: /hc-black/, dark: /vs-dark/ }[short];
    await until(`the theme is ${theme}`, async () =>
      wanted.test((await window.page.locator('.monaco-workbench').getAttribute('class')) ?? ''),
    );
    await run.picture(`${name}-${short}`);
  }
}

story('a snapshot of the region of interest', async (window, run) => {
  await uninterrupted(icarus);
  const [program, ...args] = icarus.command;
  await run.cairn('run', '--detach', '--session', 'soc', '--', program, ...args, `+vcd=${icarus.waveform}`, '+init=4', '+work=8');
  await until('it has come to its work', async () =>
    (await run.cairn('logs', '--output', '--session', 'soc')).includes('== region of interest =='),
  );
  await run.cairn('checkpoint', '--session', 'soc', '--name', 'roi', '--then', 'kill');
  await window.open();
});

story("from the snapshot's menu a campaign is begun, and the design's signals are read", async (window, run) => {
  await window.showContainer('Cairn');
  await snapshotNamed(window, 'roi').waitFor();
  await window.rowMenu(/^roi\b/, /^Choose Faults/);
  // The sample's own campaign begins at a snapshot of that name, too.
  await window.pick('New Campaign…', 'New');
  const frame = await page(window);
  await until('the file is there', () => existsSync(join(run.folder, FILE)));
  await frame.getByText(/^[\d,]+ bits in \d+ registers, \d+ nets and \d+ memor\w+; [\d,]+ faults$/).waitFor({ timeout: 90_000 });
  await frame.getByText(/^384 runs of [\d,]+ faults, each rate to ±5\.0 %/).waitFor();
  await frame.getByText(/How long it takes can be said after the first runs/).waitFor();
});

story('targets are chosen from the hierarchy, with what a pattern means beside it', async (window, run) => {
  const frame = await page(window);
  await frame.getByRole('button', { name: 'Remove * from Targets' }).click();
  await says(run, /targets: \[\s*\]/);
  await frame.getByText(/Too small: expected array to have >=1 items/).waitFor();
  await frame.getByRole('button', { name: 'Choose from the Design for Targets' }).click();
  for (const scope of ['tb', 'board', 'soc']) await frame.getByRole('button', { name: `Open ${scope}`, exact: true }).click();
  await frame.getByRole('button', { name: `Add all in ${CORE}`, exact: true }).waitFor();
  const search = frame.getByLabel('Pattern, or a part of a name');
  await search.fill('*.core.m*');
  await frame.getByText(/^“\*\.core\.m\*” means [\d,]+ bits in \d+ registers/).waitFor();
  await search.fill(`${CORE}.regs`);
  await frame.getByText('means 1,024 bits in 1 memory').waitFor();
  await frame.getByRole('button', { name: 'Add the Pattern', exact: true }).click();
  await says(run, new RegExp(`${CORE}\\.regs`));
  await frame.getByText('1,024 bits in 1 memory; 1,024 faults').waitFor();
  await assertAccessible(frame, 'the Faults page');
});

story('what is wrong stands beside the field, in the words of the check', async (window, run) => {
  const frame = await page(window);
  await fill(frame, 'Seed', '-1');
  await says(run, /^seed: -1$/m);
  await frame.locator('#seed-help .error').waitFor();
  assert.equal(await frame.getByLabel('Seed', { exact: true }).getAttribute('aria-invalid'), 'true');
  assert.ok(await frame.getByRole('button', { name: 'Start Campaign' }).isDisabled());
  await fill(frame, 'Seed', '3');
  await says(run, /^seed: 3$/m);
  await frame.locator('#seed-help .error').waitFor({ state: 'detached' });
});

story('times and the sample are chosen, and all else of the file stays', async (window, run) => {
  const frame = await page(window);
  // By another editor: the page follows.
  writeFileSync(join(run.folder, FILE), `${text(run).replace(/^seed: 3/m, '# Drawn from it.\nseed: 5')}# The end.\n`);
  await until(
    'the page has what was written',
    async () => (await frame.getByLabel('Seed', { exact: true }).inputValue()) === '5',
  );
  await frame.getByLabel('Times', { exact: true }).selectOption('range');
  await says(run, /times: \{ from: 0, to: \d+, step: 1 \}/);
  await fill(frame, 'To', '30000');
  await says(run, /to: 30000/);
  await fill(frame, 'Step', '10');
  await frame.getByText(/; 3,073,024 faults$/).waitFor();
  await frame.getByLabel('Faults tried').selectOption('number');
  await fill(frame, 'Runs', String(RUNS));
  await frame.getByText(/^16 runs of 3,073,024 faults, each rate to ±2\d\.\d %/).waitFor();
  await frame.getByText('Observation, detection, limits and runs').click();
  await frame.getByLabel('signals', { exact: true }).first().fill(`${CORE}.regs`);
  await frame.getByLabel('signals', { exact: true }).first().press('Tab');
  await says(run, /observe:\s+signals:/);
  assert.match(text(run), /# Drawn from it\.\nseed: 5/);
  assert.match(text(run), /# The end\./);
  await pictures(window, run, 'faults');
});

story('one fault is tried in a terminal', async (window) => {
  const frame = await page(window);
  await frame.getByRole('button', { name: 'Try One Fault Now' }).click();
  const shown = await window.terminalHas(/the fault was \w+.*ended with status \d+/, 90_000);
  assert.match(shown, /fault \d+ of 16: upset of tb\.board\.soc\.core\.regs\[\d+\] bit \d+ after \d+/);
});

story('the campaign is started from there, and its page has the figures', async (window, run) => {
  const frame = await page(window);
  await frame.getByRole('button', { name: 'Start Campaign' }).click();
  const shown = await results(window);
  await shown.getByText(`${RUNS} of ${RUNS} runs`).first().waitFor({ timeout: 200_000 });
  await shown.getByRole('button', { name: 'Go On' }).waitFor();
  await shown.getByRole('row', { name: new RegExp(`^${CORE} ${RUNS} \\d+`) }).waitFor();
  await shown.getByRole('heading', { name: 'Convergence' }).waitFor();
  await shown.getByRole('row', { name: /^SPFM \d+\.\d % \d+\.\d % to \d+\.\d %/ }).waitFor();
  await assertAccessible(shown, 'the page of a campaign on signals');
  await pictures(window, run, 'results');
  await shown.getByRole('heading', { name: 'Module by time' }).scrollIntoViewIfNeeded();
  await pictures(window, run, 'results-figures');
});

story('assumptions change the metrics', async (window) => {
  const shown = await results(window);
  const coverage = shown.getByRole('row', { name: /^DC / });
  const before = await coverage.textContent();
  await shown.getByText('What is assumed').click();
  for (const outcome of ['Trap', 'Hang', 'Crash', 'Timing'])
    await shown.getByLabel(`${outcome} counts as`).selectOption({ label: 'detected' });
  await shown.getByText(/^Counted as detected: timing, detected, trap, hang, crash\.$/).waitFor();
  await until('the coverage is another one', async () => (await coverage.textContent()) !== before);
});

story('a cell of the heat map leads to its runs, by the keyboard too', async (window) => {
  const shown = await results(window);
  const cells = shown.locator('button.cell');
  await cells.first().focus();
  await window.press('ArrowRight');
  assert.equal(await shown.evaluate(() => (document.activeElement as HTMLElement | null)?.dataset['cell']), '0 1');
  const filled = shown.locator('button.cell:not(.none)').first();
  const [, had = '', all = ''] = /: (\d+) of (\d+) runs/.exec((await filled.getAttribute('aria-label')) ?? '') ?? [];
  await filled.focus();
  await window.press('Enter');
  await shown.locator('table.runs', { hasText: `${all} runs` }).waitFor();
  assert.ok(Number(had) <= Number(all));
  await shown.getByRole('button', { name: /^Only faults in .*: show all$/ }).click();
  await shown.locator('table.runs', { hasText: `${RUNS} runs` }).waitFor();
});

story('a register is opened where the source declares it', async (window) => {
  const shown = await results(window);
  await shown.getByRole('button', { name: /^Details of run 0$/ }).click();
  await shown.getByRole('button', { name: 'Open in the Source' }).click();
  await window.page.locator('.tab.active', { hasText: 'rv32i_core.v' }).waitFor();
  await window.page
    .locator('.view-line', { hasText: /reg\s+\[31:0\]\s+regs/ })
    .first()
    .waitFor();
  await window.press('Control+F4');
});

story('the difference of its waveform is opened', async (window, run) => {
  const shown = await results(window);
  const folder = join(run.folder, '.cairn/campaigns/roi/waveforms');
  // One that differs in what it prints does so in the waveform, too.
  const all = await runsOf(run);
  const one = all.find(({ outcome }) => outcome === 'silentDataCorruption') ?? all.find(({ outcome }) => failing.test(outcome));
  await shown.getByRole('button', { name: `Details of run ${one?.number}`, exact: true }).click();
  await shown.getByRole('button', { name: 'Waveform Difference' }).click();
  await until(
    'the difference is there',
    () => existsSync(folder) && readdirSync(folder, { recursive: true }).some((name) => String(name).endsWith('-difference.vcd')),
    { deadlineMs: 120_000 },
  );
  await window.page.locator('.tab.active', { hasText: /run-\d+-difference\.vcd/ }).waitFor();
  await window.press('Control+F4');
});

story('a run is debugged: it is held just before its fault, and goes on with it', async (window, run) => {
  const shown = await results(window);
  const [first] = await runsOf(run);
  await shown.getByRole('button', { name: 'Debug run 0', exact: true }).click();
  const status = async (): Promise<Status | undefined> => {
    const text = await run.cairn('status', '--json').catch(() => undefined);
    return text === undefined ? undefined : (JSON.parse(text) as Status);
  };
  await until('it is held', async () => (await status())?.state === 'held', { deadlineMs: 60_000 });
  assert.match(JSON.stringify(await status()), /a fault is put there when it goes on/);
  const { signals } = JSON.parse(await run.cairn('signals', first?.target ?? '', '--json')) as { signals: { value: string }[] };
  assert.match(signals[0]?.value ?? '', /^32'h/);
  await window.debugButton(/Continue/).click();
  await until('it has ended', async () => ((await status())?.state ?? 'exited') === 'exited', { deadlineMs: 90_000 });
});
