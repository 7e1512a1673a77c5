/**
 * The sample SoC on Verilator, with two threads: snapshot by a click, restart by a click after everything was closed.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { becomes, newTerminal, snapshotAppears, snapshotsView } from './cairn.js';
import { suite } from './harness/suite.js';
import { until } from './harness/until.js';
import {
  printedToTheEnd,
  readWaveform,
  runWaveform,
  sampleFolder,
  shorten,
  type Uninterrupted,
  uninterrupted,
  verilator,
} from './sample.js';

const story = suite({
  name: 'verilator',
  folder: sampleFolder,
  timeoutMs: 300_000,
  prepare: (folder) => shorten(folder, verilator),
});
const runMs = 240_000;

let reference: Uninterrupted;

story('an uninterrupted run gives the output, signature and waveform to compare with', async () => {
  reference = await uninterrupted(verilator);
});

story('F5 starts it, and while it is held Run and Debug shows its threads', async (window, suite) => {
  await window.open();
  await window.showContainer('Cairn');
  await window.page.getByText('No snapshots yet.').waitFor();
  await window.f5(verilator.configuration);
  await window.terminalHas(/init \d+%/, 120_000);
  await until(
    'VS Code knows its threads',
    async () =>
      (await window
        .callStack()
        .filter({ hasText: /soc · \d+/ })
        .count()) > 0,
  );
  await window.debugButton(/Pause/).click();
  await becomes(suite, 'soc', 'held');
  await until(
    'both threads are listed',
    async () =>
      (await window
        .callStack()
        .filter({ hasText: /soc · \d+/ })
        .count()) >= 2,
  );
  await window
    .callStack()
    .filter({ hasText: /soc · \d+ · thread \d+/ })
    .first()
    .waitFor();
});

story('a click makes a snapshot of it, and it runs to its right end', async (window, suite) => {
  await window.showContainer('Cairn');
  await snapshotAppears(window, () => window.viewAction('Snapshots', /^Checkpoint/));
  await window.debugButton(/Continue/).click();
  assert.equal(await printedToTheEnd(window, runMs), reference.console);
  assert.ok(readWaveform(join(suite.folder, verilator.waveform)).equals(reference.waveform), 'the waveform differs');
});

story('after everything was closed, a click restarts it to the same signature and waveform', async (_, suite) => {
  const window = await suite.reopen();
  await window.open();
  await window.showContainer('Cairn');
  await window.rowAction(/\bheld [\d.]+ m?s/, /^Restart/);
  await newTerminal(window);
  await snapshotsView(window)
    .getByRole('treeitem', { name: /^soc-2, restarted/ })
    .waitFor();
  const printed = await printedToTheEnd(window, runMs);
  assert.ok(printed.includes(reference.signature), `${reference.signature} expected:\n${printed}`);
  assert.ok(reference.console.endsWith(printed), `it printed something else:\n${printed}`);
  assert.ok(readWaveform(runWaveform(suite.folder, verilator)).equals(reference.waveform), 'the waveform differs');
});
