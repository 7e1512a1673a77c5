/**
 * What a user does with a simulation in the workbench, from F5 on: the sample SoC on Icarus. The tests are one story, in order.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { assertAccessible } from './harness/axe.js';
import { type Suite, suite } from './harness/suite.js';
import { until } from './harness/until.js';
import {
  icarus,
  newTerminal,
  readWaveform,
  sampleFolder,
  snapshotAppears,
  snapshotRows,
  type Uninterrupted,
  uninterrupted,
} from './sample.js';

const story = suite({ name: 'icarus', folder: sampleFolder, timeoutMs: 180_000 });

/** Longest time from the click to the row, seen in the browser on a loaded machine; a second is what users are promised. */
const promptMs = 3_000;
const runMs = 150_000;

let reference: Uninterrupted;
let firstRun = '';

const digest = (file: string) => createHash('sha256').update(readFileSync(file)).digest('hex');

/** The one waveform in the newest run folder. */
function runWaveform(suite: Suite): string {
  const runs = join(suite.folder, '.cairn/runs');
  const newest = existsSync(runs) ? readdirSync(runs).sort().at(-1) : undefined;
  assert.ok(newest, 'the restart made no run folder');
  return join(runs, newest, icarus.waveform);
}

story('an uninterrupted run gives the signature and the waveform to compare with', async () => {
  reference = await uninterrupted(icarus);
});

story('the workbench opens with Cairn: no snapshots yet, and what to do', async (window) => {
  await window.open();
  await window.showContainer('Cairn');
  await window.page.getByText('No snapshots yet.').waitFor();
});

story('F5 starts the simulation in a terminal', async (window) => {
  await window.launch(icarus.configuration);
  await window.terminalHas(/init \d+%/, 60_000);
});

story('a click on the status bar makes a snapshot within a second, with time, size and pause', async (window, { options }) => {
  await window.showContainer('Cairn');
  const ms = await snapshotAppears(window, () => window.status('cairn.cairn.cairn.status').click());
  process.stdout.write(`${options.name}: a snapshot was in the tree after ${ms.toFixed(0)} ms\n`);
  assert.ok(ms < promptMs, `it took ${ms.toFixed(0)} ms`);
  const label = (await snapshotRows(window).first().getAttribute('aria-label')) ?? '';
  assert.match(label, /\d\d:\d\d:\d\d/, 'time');
  assert.match(label, /at [\d.]+ \S+/, 'simulated time');
  assert.match(label, /[\d.]+ [kMG]i?B/, 'size');
});

story('the view title, the debug toolbar, the palette and the keyboard do the same', async (window) => {
  await snapshotAppears(window, () => window.viewAction('Snapshots', /^Checkpoint/));
  await snapshotAppears(window, () => window.debugButton(/Checkpoint/).click());
  await snapshotAppears(window, () => window.command('Cairn: Checkpoint As…').then(() => window.answer('palette')));
  await snapshotAppears(window, () => window.press('Control+Alt+C'));
});

story('the command line sees the same session and the same snapshots', async (window, suite) => {
  const status = JSON.parse(await suite.cairn('status', '--json')) as { state: string };
  assert.equal(status.state, 'running');
  await snapshotAppears(window, async () => void (await suite.cairn('checkpoint', '--name', 'from the shell', '--json')));
  await window.row(/^from the shell/).waitFor();
});

story('pause holds all threads, and Run and Debug shows processes, threads and tables', async (window, suite) => {
  await window.debugButton(/Pause/).click();
  await until('the session is held', async () =>
    /held/i.test((await window.status('cairn.cairn.cairn.status').textContent()) ?? ''),
  );
  const before = await window.terminalText();
  await window.showContainer(/Run and Debug/);
  await window.callStack().filter({ hasText: 'vvp' }).last().click();
  const expected: [scope: string, row: RegExp][] = [
    ['File descriptors', /icarus\.vcd/],
    ['Environment', /^PWD, value|^HOME, value|^SHELL, value/],
    ['Paths', /\/vvp\b/],
    ['Virtual ids', /^process, value \d+/],
  ];
  for (const [scope, row] of expected) {
    await window.expandVariable(`Scope ${scope}`);
    await window.variable(row).first().waitFor();
    // Rows beyond the view's height do not exist.
    if (scope !== 'Virtual ids') await window.collapseVariable(`Scope ${scope}`);
  }
  await suite.picture('run-and-debug');
  assert.equal(await window.terminalText(), before, 'it printed while it was held');
  await window.debugButton(/Continue/).click();
  await until('the simulation goes on', async () => (await window.terminalText()).length > before.length, { deadlineMs: 60_000 });
});

story('the barriers panel shows the phases of the last checkpoint, and is accessible', async (window) => {
  await window.showContainer('Cairn');
  await snapshotAppears(window, () => window.press('Control+Alt+C'));
  await window.command('Cairn: Show Barriers');
  const panel = await window.webview('table.phases');
  const phases = panel.locator('table.phases tbody');
  for (const phase of [/suspend/i, /save/i, /resume/i]) await phases.getByText(phase).first().waitFor();
  await assertAccessible(panel, 'the barriers panel');
});

story('the virtual names panel shows each table, and is accessible', async (window) => {
  await window.command('Cairn: Show Virtual Names');
  const panel = await window.webview('table.names');
  for (const tab of ['Ids', 'Paths', 'Environment', 'File Descriptors']) {
    await panel.getByRole('tab', { name: tab }).click();
    await until(`${tab} has rows`, async () => (await panel.locator('table.names tbody tr').count()) > 0);
    await assertAccessible(panel, `the table ${tab}`);
  }
});

story('the window is reloaded: the simulation, its terminal and the tree are still there', async (window) => {
  const before = await window.terminalText().then((text) => text || 'init');
  const count = await snapshotRows(window).count();
  await window.open();
  await window.showContainer('Cairn');
  await until('the tree is back', async () => (await snapshotRows(window).count()) === count);
  await window.terminalHas(/init \d+%/, 60_000);
  assert.ok(before.length > 0);
});

story('the simulation goes on to its right end, as if nothing had happened', async (window, suite) => {
  const text = await window.terminalHas(/^signature: \w+/m, runMs);
  assert.ok(text.includes(reference.signature), `${reference.signature} expected:\n${text}`);
  await until('the waveform is closed', async () => (await suite.cairn('ls', '--json')).length > 0);
  const waveform = join(suite.folder, icarus.waveform);
  assert.ok(readWaveform(waveform).equals(reference.waveform), 'the waveform is not that of an uninterrupted run');
  firstRun = digest(waveform);
});

story('a click restarts a snapshot: the rest is printed, with the same signature and waveform', async (window, suite) => {
  await window.rowAction(/^palette/, /^Restart/);
  await newTerminal(window);
  await window.showContainer('Cairn');
  await until(
    'the snapshot has a branch',
    async () =>
      (await window
        .row(/^palette/)
        .first()
        .getAttribute('aria-expanded')) !== null,
  );
  await window.expandRow(/^palette/);
  await window
    .tree(/^Snapshots/)
    .getByRole('treeitem', { name: /restarted/ })
    .first()
    .waitFor();
  await suite.picture('snapshots');
  const text = await window.terminalHas(/^signature: \w+/m, runMs);
  assert.ok(text.includes(reference.signature), `${reference.signature} expected:\n${text}`);
  const printed = text
    .slice(0, text.indexOf(reference.signature) + reference.signature.length)
    .replaceAll('\r', '')
    .trim();
  assert.ok(reference.console.replaceAll('\r', '').includes(printed), `it printed something else:\n${printed}`);
  assert.ok(readWaveform(runWaveform(suite)).equals(reference.waveform), 'the waveform is not that of an uninterrupted run');
  assert.equal(digest(join(suite.folder, icarus.waveform)), firstRun, 'what the first run wrote was changed');
});

story('a snapshot is renamed, annotated, pinned, unpinned and deleted', async (window) => {
  await window.rowMenu(/^from the shell/, 'Rename…');
  await window.answer('region of interest');
  await window.row(/^region of interest/).waitFor();
  await window.rowMenu(/^region of interest/, 'Edit Note…');
  await window.answer('before the table is filled');
  await window.row(/region of interest.*before the table is filled/).waitFor();
  await window.rowMenu(/^region of interest/, 'Pin');
  await window.row(/^region of interest.*pinned/).waitFor();
  await window.rowMenu(/^region of interest/, 'Unpin');
  await until('it is unpinned', async () => (await window.row(/^region of interest.*pinned/).count()) === 0);
  await window.rowMenu(/^region of interest/, 'Delete…');
  await window.dialog().getByRole('button', { name: 'Delete' }).click();
  await until('it is gone', async () => (await window.row(/^region of interest/).count()) === 0);
});

story('stop ends a restarted simulation', async (window, suite) => {
  await window.rowAction(/^palette/, /^Restart/);
  await newTerminal(window);
  await window.terminalHas(/(init|work) \d+%/, 60_000);
  await window.command('Cairn: Stop');
  await until('no session is left', async () => (await window.status('cairn.cairn.cairn.status').count()) === 0);
  await until('its process is gone', async () => !/running|held/.test(await suite.cairn('status', '--json').catch(() => '')));
});
