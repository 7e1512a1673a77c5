/**
 * The sample SoC on Verilator, with two threads: snapshot by a click, restart by a click after everything was closed.
 */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from './harness/suite.js';
import {
  newTerminal,
  readWaveform,
  sampleFolder,
  shorten,
  snapshotAppears,
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

story('an uninterrupted run gives the signature and the waveform to compare with', async () => {
  reference = await uninterrupted(verilator);
});

story('F5 starts it, a click makes a snapshot, and it runs to its right end', async (window, suite) => {
  await window.open();
  await window.launch(verilator.configuration);
  await window.terminalHas(/init \d+%/, 120_000);
  await window.showContainer('Cairn');
  await snapshotAppears(window, () => window.viewAction('Snapshots', /^Checkpoint/));
  const text = await window.terminalHas(/^signature: \w+/m, runMs);
  assert.ok(text.includes(reference.signature), `${reference.signature} expected:\n${text}`);
  assert.ok(readWaveform(join(suite.folder, verilator.waveform)).equals(reference.waveform), 'the waveform differs');
});

story('after the window was closed, a click restarts it to the same signature and waveform', async (window, suite) => {
  await window.page.goto('about:blank');
  await window.open();
  await window.showContainer('Cairn');
  await window.rowAction(/\bheld [\d.]+ m?s/, /^Restart/);
  await newTerminal(window);
  const text = await window.terminalHas(/^signature: \w+/m, runMs);
  assert.ok(text.includes(reference.signature), `${reference.signature} expected:\n${text}`);
  const runs = join(suite.folder, '.cairn/runs');
  const newest = readdirSync(runs).sort().at(-1) ?? '';
  assert.ok(readWaveform(join(runs, newest, verilator.waveform)).equals(reference.waveform), 'the waveform differs');
});
