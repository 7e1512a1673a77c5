/**
 * Design signals in the workbench: the sample SoC on Icarus, looked at and changed by its signals. One story, in order.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SignalsResult } from '../../debug-adapter/src/protocol/signals.js';
import { becomes, checkpointAs, snapshotNamed, statusOf } from './cairn.js';
import { type Suite, suite } from './harness/suite.js';
import { until } from './harness/until.js';
import type { Window } from './harness/window.js';
import { icarus, sampleFolder, uninterrupted } from './sample.js';

const story = suite({
  name: 'signals',
  folder: sampleFolder,
  timeoutMs: 180_000,
  // A key that is pressed on a row goes to another one where rows of the scopes around stand above it.
  settings: { 'workbench.tree.enableStickyScroll': false },
});
const CORE = 'tb.board.soc.core';

async function signal(run: Suite, name: string): Promise<string | null> {
  const { signals } = JSON.parse(await run.cairn('signals', name, '--json')) as Pick<SignalsResult, 'signals'>;
  return signals.find((one) => one.name === name)?.value ?? null;
}

async function openCore(window: Window, run: Suite): Promise<void> {
  await window.showContainer(/Run and Debug/);
  const { processes } = await statusOf(run, 'vvp');
  await window
    .callStack()
    .filter({ hasText: `vvp · ${processes[0]?.virtualPid}` })
    .last()
    .click();
  await window.variable(/^process, value \d+/).waitFor();
  await expandCore(window);
}

async function expandCore(window: Window): Promise<void> {
  await window.closeVariables();
  await window.expandVariable('Scope Signals');
  await window.variable(/^simulated time, value [\d.]+ [mµn]s/).waitFor();
  for (const scope of ['tb', 'board', 'soc', 'core']) await window.expandVariable(new RegExp(`^${scope}, value `));
}

/** Chosen by one click, where it can be seen and the tree does not scroll any more: else the click comes to another row. */
async function select(window: Window, name: RegExp): Promise<void> {
  const row = await window.reachVariable(name);
  let before = -1;
  await until(`${name} can be seen`, async () => {
    const box = await row.boundingBox();
    const view = await window.tree('Debug Variables').boundingBox();
    if (!box || !view) return false;
    const above = box.y - view.y;
    const below = view.y + view.height - box.y - box.height;
    const stands = box.y === before;
    before = box.y;
    if (above < box.height || below < box.height)
      await window.page.mouse.wheel(0, above < below ? -2 * box.height : 2 * box.height);
    else return stands;
    return false;
  });
  await row.click();
  await until(`${name} is selected`, async () => (await row.getAttribute('aria-selected')) === 'true');
}

story('the simulation is held, and the status bar has its simulated time', async (window, run) => {
  await uninterrupted(icarus);
  await window.open();
  await window.showContainer('Cairn');
  await window.page.getByText('No snapshots yet.').waitFor();
  await window.widenSideBar(470);
  await window.f5(icarus.configuration);
  await window.terminalHas(/init \d+%/, 60_000);
  await window.debugButton(/Pause/).click();
  await becomes(run, 'vvp', 'held');
  const time = window.status('cairn.cairn.cairn.time');
  await until('the simulated time is shown', async () => /[\d.]+ [mµn]s/.test((await time.textContent()) ?? ''));
});

story('the variables have the hierarchy with its values', async (window, run) => {
  await openCore(window, run);
  const pc = await window.reachVariable(/^pc, value /);
  const label = (await pc.getAttribute('aria-label')) ?? '';
  assert.ok(label.includes((await signal(run, `${CORE}.pc`)) ?? '?'), label);
  await run.picture('signals');
});

story('a value is set from there, and is there', async (window, run) => {
  await select(window, /^mscratch, value /);
  await window.rowMenu(/^mscratch, value /, /^Set Value/);
  const box = window.page.locator('.debug-variables .monaco-inputbox input');
  await box.fill("'h5a5a");
  await window.press('Enter');
  await window.variable(/^mscratch, value 32'h00005a5a/).waitFor();
  assert.equal(await signal(run, `${CORE}.mscratch`), "32'h00005a5a");
  assert.equal((await statusOf(run, 'vvp')).state, 'held');
});

story('a signal is forced and released by its menu', async (window, run) => {
  await select(window, /^mscratch, value /);
  await window.rowMenu(/^mscratch, value /, /^Force Signal/);
  await window.answer('77');
  await window.variable(/^mscratch, value 32'h0000004d/).waitFor();
  await window.rowMenu(/^mscratch, value /, /^Release Signal/);
  await until('it is released', async () => (await signal(run, `${CORE}.mscratch`)) === "32'h0000004d");
});

story(
  'F2 asks which signal, and opens no row: the editor itself would open the one whose menu was opened last',
  async (window) => {
    await select(window, /^pc, value /);
    await window.press('F2');
    const asks = window.page.locator('.quick-input-widget', { hasText: 'Set Signal' });
    await asks.waitFor();
    assert.equal(await window.page.locator('.debug-variables .monaco-inputbox input:visible').count(), 0);
    await window.press('Escape');
    await asks.waitFor({ state: 'hidden' });
  },
);

story('a signal is found by a pattern, and noted with each snapshot', async (window, run) => {
  await window.press('Control+Alt+S');
  await window.pick(`${CORE}.mscratch`, '*core.mscratch');
  await window.pick('Note with Each Snapshot', 'Note');
  await until('it is noted', async () => (await run.cairn('signals', 'choose')).includes(`${CORE}.mscratch`));
  await window.showContainer('Cairn');
  await checkpointAs(window, 'noted');
  assert.match((await snapshotNamed(window, 'noted').getAttribute('aria-label')) ?? '', /mscratch 32'h0000004d/);
  const shown = await run.cairn('show', 'noted');
  assert.match(shown, /signal +tb\.board\.soc\.core\.mscratch = 32'h0000004d/);
});

story('a hover over the source shows the value in the instance', async (window, run) => {
  const source = readFileSync(join(run.folder, 'rtl/rv32i_core.v'), 'utf8').split('\n');
  const line = source.findIndex((text) => /^\s*reg \[31:0\] pc;/.test(text));
  const column = (source[line]?.indexOf('pc') ?? 0) + 1;
  await window.press('Control+P');
  await window.pick('rv32i_core.v', `rv32i_core.v:${line + 1}:${column}`);
  await window.page.locator('.tab.active', { hasText: 'rv32i_core.v' }).waitFor();
  const hover = window.page.locator('.monaco-hover', { hasText: `${CORE}.pc = 32'h` });
  await until('the hover is there', async () => {
    await window.press('Control+K');
    await window.press('Control+I');
    return (await hover.count()) > 0;
  });
  await window.press('Escape');
});

story('a signal that changes holds the simulation, as a data breakpoint set in its menu', async (window, run) => {
  await window.showContainer(/Run and Debug/);
  await expandCore(window);
  await select(window, /^pc, value /);
  const before = await signal(run, `${CORE}.pc`);
  await window.rowMenu(/^pc, value /, /^Break on Value Change/);
  const breakpoint = window.page.locator('.debug-breakpoints .monaco-list-row', { hasText: `${CORE}.pc` });
  await breakpoint.waitFor();
  await window.debugButton(/^Continue/).click();
  await until('the change holds it', async () => {
    const { state, heldBy } = await statusOf(run, 'vvp');
    return state === 'held' && heldBy?.what === `${CORE}.pc`;
  });
  assert.notEqual(await signal(run, `${CORE}.pc`), before);
  await window.page.getByText(`Held by ${CORE}.pc: `).filter({ visible: true }).first().waitFor();
  await run.cairn('stop', '--session', 'vvp', '--grace', '0');
});
