/**
 * What a user does with a simulation in the workbench, from F5 on: the sample SoC on Icarus. The tests are one story, in order.
 * The simulation is held for whatever only looks at it, so that it cannot end meanwhile on a fast machine.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import {
  becomes,
  checkpointAs,
  computationView,
  newTerminal,
  snapshotAppears,
  snapshotRows,
  snapshotsView,
  statusItem,
  statusOf,
  tip,
} from './cairn.js';
import { assertAccessible } from './harness/axe.js';
import { suite } from './harness/suite.js';
import { until } from './harness/until.js';
import type { Window } from './harness/window.js';
import { icarus, printedToTheEnd, readWaveform, runWaveform, sampleFolder, type Uninterrupted, uninterrupted } from './sample.js';

const story = suite({ name: 'icarus', folder: sampleFolder, timeoutMs: 180_000 });
const runMs = 150_000;

let reference: Uninterrupted;
let firstRun = '';
let heldAtBytes = 0;

const digest = (file: string) => createHash('sha256').update(readFileSync(file)).digest('hex');

async function assertVariables(window: Window, expected: readonly [scope: string, row: RegExp][]): Promise<void> {
  for (const [scope, row] of expected) {
    await window.expandVariable(`Scope ${scope}`);
    await window.reachVariable(row);
    await window.closeVariables();
  }
}

story('an uninterrupted run gives the output, signature and waveform to compare with', async () => {
  reference = await uninterrupted(icarus);
});

story('the workbench opens with Cairn: no snapshots yet, and what to do', async (window) => {
  await window.open();
  await window.showContainer('Cairn');
  await window.page.getByText('No snapshots yet.').waitFor();
  await window.widenSideBar(470);
});

story('F5 starts the simulation in a terminal', async (window) => {
  await window.f5(icarus.configuration);
  await window.terminalHas(/init \d+%/, 60_000);
});

story('a click on the status bar makes a snapshot, with time, simulated time, size and hold time', async (window) => {
  await window.showContainer('Cairn');
  const ms = await snapshotAppears(window, () => statusItem(window).click());
  process.stdout.write(`a snapshot was in the tree ${ms.toFixed(0)} ms after the click\n`);
  const label = (await snapshotRows(window).first().getAttribute('aria-label')) ?? '';
  assert.match(label, /^\d\d:\d\d:\d\d, at [\d.]+ [mµn]s · [\d.]+ [kMG]i?B · held [\d.]+ m?s$/);
});

story('the view title, the debug toolbar, the palette and the keyboard do the same', async (window) => {
  await snapshotAppears(window, () => window.viewAction('Snapshots', /^Checkpoint/));
  await snapshotAppears(window, () => window.debugButton(/Checkpoint/).click());
  await checkpointAs(window, 'palette');
  await snapshotAppears(window, () => window.press('Control+Alt+C'));
});

story('the command line sees the same session and the same snapshots', async (window, suite) => {
  assert.equal((await statusOf(suite, 'vvp')).state, 'running');
  await snapshotAppears(window, async () => void (await suite.cairn('checkpoint', '--name', 'from the shell', '--json')));
  await window.row(/^from the shell/).waitFor();
  const listed = JSON.parse(await suite.cairn('ls', '--json')) as unknown[];
  assert.equal(listed.length, await snapshotRows(window).count());
});

story('pause holds all threads', async (window, suite) => {
  await window.debugButton(/Pause/).click();
  await until('the status bar says that it is held', async () => /held/.test((await statusItem(window).textContent()) ?? ''));
  await computationView(window)
    .getByRole('treeitem', { name: /^Hold done in/ })
    .waitFor();
  heldAtBytes = statSync(join(suite.folder, icarus.waveform)).size;
});

story('Run and Debug shows the held process with its ids, paths, environment and descriptors', async (window, suite) => {
  const { processes } = await statusOf(suite, 'vvp');
  const pid = processes[0]?.virtualPid;
  await window.showContainer(/Run and Debug/);
  await window
    .callStack()
    .filter({ hasText: `vvp · ${pid}` })
    .last()
    .click();
  await window.variable(new RegExp(`^process, value ${pid}`)).waitFor();
  await suite.picture('run-and-debug');
  await window.closeVariables();
  await assertVariables(window, [
    ['Virtual ids', /^parent, value \d+/],
    ['Paths', /\/vvp\b/],
    ['Environment', /^HOME, value \/\S+/],
    ['File descriptors', /icarus\.vcd/],
  ]);
});

story('the barriers panel shows the phases of a checkpoint, and is accessible', async (window, suite) => {
  await window.showContainer('Cairn');
  await snapshotAppears(window, () => window.press('Control+Alt+C'));
  await computationView(window)
    .getByRole('treeitem', { name: /^Checkpoint done in/ })
    .waitFor();
  assert.equal((await statusOf(suite, 'vvp')).state, 'held');
  await window.command('Cairn: Show Barriers');
  const panel = await window.webview('table.phases');
  await panel.getByText(/^Checkpoint done in/).waitFor();
  for (const phase of ['save', 'write']) await panel.getByRole('rowheader', { name: phase }).waitFor();
  await assertAccessible(panel, 'the barriers panel');
});

story('the virtual names panel shows each table, and is accessible', async (window) => {
  await window.command('Cairn: Show Virtual Names');
  const panel = await window.webview('table.names');
  const expected: [tab: string, row: RegExp][] = [
    ['Ids', /process/],
    ['Paths', /\/vvp\b/],
    ['Environment', /^HOME/],
    ['File Descriptors', /icarus\.vcd/],
  ];
  for (const [tab, row] of expected) {
    await panel.getByRole('tab', { name: tab }).click();
    await panel.getByRole('row', { name: row }).first().waitFor();
    await assertAccessible(panel, `the table ${tab}`);
  }
});

story('continue lets it go on from where it was held', async (window, suite) => {
  const waveform = join(suite.folder, icarus.waveform);
  assert.equal(statSync(waveform).size, heldAtBytes, 'it wrote while it was held');
  await window.debugButton(/Continue/).click();
  await becomes(suite, 'vvp', 'running');
  await until('it writes again', () => statSync(waveform).size > heldAtBytes);
});

story('the window is reloaded: the simulation, its terminal and the tree are still there', async (window, suite) => {
  const { processes } = await statusOf(suite, 'vvp');
  const count = await snapshotRows(window).count();
  // Held: on a machine with a slow browser it would be over before the window is back.
  await suite.cairn('hold', '--session', 'vvp');
  await window.open();
  await window.showContainer('Cairn');
  await until('the tree is back', async () => (await snapshotRows(window).count()) === count);
  await window.terminalHas(/init \d+%/, 60_000);
  await window.debugButton(/Continue/).click();
  await window.debugButton(/Pause/).waitFor();
  assert.deepEqual((await statusOf(suite, 'vvp')).processes, processes);
});

story('it goes on to its right end, as if nothing had happened', async (window, suite) => {
  assert.equal(await printedToTheEnd(window, runMs), reference.console);
  const waveform = join(suite.folder, icarus.waveform);
  assert.ok(readWaveform(waveform).equals(reference.waveform), 'the waveform is not that of an uninterrupted run');
  firstRun = digest(waveform);
});

story('a click restarts a snapshot: a branch, and the same process under another real id', async (window, suite) => {
  await window.showContainer('Cairn');
  await window.rowAction(/^palette/, /^Restart/);
  await newTerminal(window);
  await snapshotsView(window)
    .getByRole('treeitem', { name: /^vvp-2, restarted/ })
    .waitFor();
  await tip(window, 'vvp-2', 'running').waitFor();
  await suite.picture('snapshots');
  await tip(window, 'vvp-2').hover();
  await tip(window, 'vvp-2').getByRole('button', { name: 'Hold' }).click();
  await becomes(suite, 'vvp-2', 'held');
  await window.showContainer(/Run and Debug/);
  await window.callStack().filter({ hasText: 'vvp · ' }).last().click();
  await assertVariables(window, [
    ['Virtual ids', /^process, value \d+ → real \d+/],
    ['Paths', /icarus\.vcd, value .* → real .*\/\.cairn\/runs\//],
  ]);
  await window.debugButton(/Continue/).click();
  await becomes(suite, 'vvp-2', 'running');
});

story(
  'the rest is printed; signature and waveform are the same, and what the first run wrote is whole',
  async (window, suite) => {
    const printed = await printedToTheEnd(window, runMs);
    assert.ok(printed.includes(reference.signature), `${reference.signature} expected:\n${printed}`);
    assert.ok(reference.console.endsWith(printed), `it printed something else:\n${printed}`);
    const waveform = readWaveform(runWaveform(suite.folder, icarus));
    assert.ok(waveform.equals(reference.waveform), 'the waveform is not that of an uninterrupted run');
    assert.equal(digest(join(suite.folder, icarus.waveform)), firstRun, 'what the first run wrote was changed');
  },
);

story('a snapshot is renamed, annotated, pinned, unpinned and deleted', async (window) => {
  await window.showContainer('Cairn');
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
  await window.press('Control+Alt+R');
  await newTerminal(window);
  await window.terminalHas(/(init|work) \d+%/, 60_000);
  await window.debugButton(/^Stop/).last().click();
  await until('no session is left', async () => (await statusItem(window).count()) === 0);
  await until('its process is gone', async () => !/running|held/.test(await suite.cairn('status', '--json').catch(() => '')));
});
