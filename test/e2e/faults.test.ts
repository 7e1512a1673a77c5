/**
 * Faults in the workbench: from a snapshot of the sample SoC on Icarus a campaign is put together on the Faults page. One story, in order.
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Frame } from 'playwright-core';
import { snapshotNamed } from './cairn.js';
import { assertAccessible } from './harness/axe.js';
import { type Suite, suite } from './harness/suite.js';
import { until } from './harness/until.js';
import type { Window } from './harness/window.js';
import { icarus, sampleFolder, uninterrupted } from './sample.js';

const FILE = 'roi.campaign.yaml';
const CORE = 'tb.board.soc.core';

const story = suite({ name: 'faults', folder: sampleFolder, timeoutMs: 300_000 });

const text = (run: Suite): string => readFileSync(join(run.folder, FILE), 'utf8');
const page = (window: Window): Promise<Frame> => window.webview('#snapshot-title');
async function says(run: Suite, pattern: RegExp): Promise<void> {
  await until(`the file has ${pattern}`, () => pattern.test(text(run)), { state: () => text(run) });
}

/** Types into a field, and leaves it. */
async function fill(frame: Frame, label: string, value: string): Promise<void> {
  await frame.getByLabel(label, { exact: true }).fill(value);
  await frame.getByLabel(label, { exact: true }).press('Tab');
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
