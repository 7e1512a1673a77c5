/**
 * The Computation, Barriers and Virtual Names views around one small program, without a simulator. One story, in order.
 */
import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { becomes, checkpointAs, computationView, snapshotAppears, snapshotNamed, statusItem, statusOf, tip } from './cairn.js';
import { assertAccessible } from './harness/axe.js';
import { type Suite, suite } from './harness/suite.js';
import { until } from './harness/until.js';
import { buildPlugins, launchTicker, tickerFolder, ticks } from './ticker.js';

const story = suite({ name: 'views', folder: tickerFolder, prepare: buildPlugins });

const gate = (suite: Suite) => join(suite.folder, 'gate.closed');

story('empty views say what to do', async (window) => {
  await window.open();
  await window.showContainer('Cairn');
  await window.page.getByText('No snapshots yet.').waitFor();
  await window.page.getByText('No simulation is running.').first().waitFor();
  const barriers = await window.webview('#panel p');
  await barriers.getByText(/^No simulation is running\. When one is/).waitFor();
  await assertAccessible(barriers, 'the empty barriers panel');
  assert.equal(await statusItem(window).count(), 0);
});

story('a launch configuration that cannot work is refused where it can be corrected', async (window) => {
  await window.launch('Missing program');
  await window
    .dialog()
    .getByText(/not-built does not exist/)
    .waitFor();
  await window.dialog().getByRole('button', { name: 'Cancel' }).click();
});

story('what is typed in the terminal reaches the program', async (window) => {
  await launchTicker(window);
  await window.terminalType('hello\r');
  await window.terminalHas(/^read hello/m);
});

story('the tip of the branch is the live session, and holds and resumes it', async (window, suite) => {
  await window.showContainer('Cairn');
  await tip(window, 'perl').hover();
  await tip(window, 'perl').getByRole('button', { name: 'Hold' }).click();
  await becomes(suite, 'perl', 'held');
  await window.debugButton(/Continue/).waitFor();
  await tip(window, 'perl', 'held').hover();
  await tip(window, 'perl').getByRole('button', { name: 'Resume' }).click();
  await becomes(suite, 'perl', 'running');
  await window.debugButton(/Pause/).waitFor();
});

story('the Computation view has processes, threads, and plugins by layer', async (window) => {
  const tree = computationView(window);
  await tree.getByRole('treeitem', { name: /^perl · \d+/ }).click();
  await window.page.keyboard.press('ArrowRight');
  await tree.getByRole('treeitem', { name: /^thread \d+/ }).waitFor();
  await tree.getByRole('treeitem', { name: /^Plugins/ }).click();
  await window.page.keyboard.press('ArrowRight');
  await tree
    .getByRole('treeitem', { name: /^\w+, layer \d+/ })
    .first()
    .waitFor();
  await window.page.keyboard.press('End');
  await tree.getByRole('treeitem', { name: /^pid, layer 0/ }).waitFor();
});

story('checkpoint and hold, then a name of its own', async (window, suite) => {
  await snapshotAppears(window, () => window.command('Cairn: Checkpoint and Hold'));
  await becomes(suite, 'perl', 'held');
  await checkpointAs(window, 'first');
  assert.equal((await statusOf(suite, 'perl')).state, 'held');
  await window.command('Cairn: Resume');
  await becomes(suite, 'perl', 'running');
});

story('virtual names follow the selection: of a snapshot, filtered', async (window, suite) => {
  await window.command('Cairn: Show Virtual Names');
  const panel = await window.webview('table.names');
  await snapshotNamed(window, 'first').first().click();
  const source = panel.getByRole('combobox', { name: 'Process or snapshot' });
  await until('the snapshot is shown', async () => (await source.locator('option:checked').textContent())?.startsWith('first'));
  await panel.getByRole('tab', { name: 'Ids' }).press('End');
  await panel.getByRole('tab', { name: 'Of Plugins', selected: true }).press('ArrowLeft');
  await panel.getByRole('tab', { name: 'Connections', selected: true }).press('ArrowLeft');
  await panel.getByRole('tab', { name: 'File Descriptors', selected: true }).waitFor();
  await panel.getByRole('cell', { name: join(suite.folder, 'ticks.txt'), exact: true }).waitFor();
  await panel.getByRole('searchbox').fill('ticks nowhere');
  await panel.getByText(/None of \d+ rows fits/).waitFor();
  await panel.getByRole('searchbox').fill('ticks');
  await until('one row is left', async () => (await panel.locator('tbody tr').count()) === 1);
  const column = panel.getByRole('combobox', { name: 'Column to filter by' });
  await column.selectOption('Owner');
  await panel.getByText(/None of \d+ rows fits/).waitFor();
  await column.selectOption('Real now');
  await until('it is there', async () => (await panel.locator('tbody tr').count()) === 1);
  await column.selectOption('All columns');
  await panel.getByRole('button', { name: /^Copy the row of \d+$/ }).waitFor();
  const history = panel.getByRole('button', { name: /^History of \d+/ });
  await history.press('Enter');
  const runs = panel.getByRole('list', { name: /^History of \d+$/ });
  await runs.getByText(join(suite.folder, 'ticks.txt')).first().waitFor();
  assert.equal(await history.getAttribute('aria-expanded'), 'true');
  await assertAccessible(panel, 'the filtered table');
  await history.press('Enter');
  await until('the history is gone', async () => (await runs.count()) === 0);
});

story('what was chosen in the panel is there again after it was hidden', async (window) => {
  const hidden = await window.webview('table.names');
  await window.command('Terminal: Focus Terminal');
  await until(
    'the panel is gone',
    async () =>
      (await hidden
        .locator('table.names')
        .count()
        .catch(() => 0)) === 0,
  );
  await window.command('Cairn: Show Virtual Names');
  const panel = await window.webview('table.names');
  assert.equal(await panel.getByRole('searchbox').inputValue(), 'ticks');
  assert.equal(await panel.getByRole('tab', { name: 'File Descriptors' }).getAttribute('aria-selected'), 'true');
  await panel.getByRole('searchbox').fill('');
});

story('a checkpoint that waits at a barrier is seen to wait, and can be cancelled', async (window, suite) => {
  await suite.cairn('stop', '--session', 'perl');
  await until('it has ended', async () => (await statusItem(window).count()) === 0);
  await launchTicker(window, 'Gated');
  writeFileSync(gate(suite), '');
  await window.showContainer('Cairn');
  await window.press('Control+Alt+C');
  const line = computationView(window).getByRole('treeitem', { name: /^Checkpoint · gate\.open · 0 of 1 arrived/ });
  await line.waitFor();
  await statusItem(window).getByText('gated: checkpointing…').waitFor();
  await window.command('Cairn: Show Barriers');
  const panel = await window.webview('table.phases');
  const [{ virtualPid } = { virtualPid: 0 }] = (await statusOf(suite, 'gated')).processes;
  await panel.getByRole('row', { name: `gate.open now none ${virtualPid}` }).waitFor();
  await assertAccessible(panel, 'the barriers of a checkpoint in progress');
  await suite.picture('barrier');
  await panel.getByRole('button', { name: 'Cancel' }).click();
  await panel.getByText('The checkpoint was cancelled').first().waitFor();
  rmSync(gate(suite));
  await computationView(window)
    .getByRole('treeitem', { name: /^Checkpoint failed: The checkpoint was cancelled/ })
    .waitFor();
  await becomes(suite, 'gated', 'running');
  const before = ticks(await window.terminalText()).at(-1) ?? 0;
  await until('it runs on', async () => (ticks(await window.terminalText()).at(-1) ?? 0) > before);
  await until('nothing more is said about it', async () => (await window.toast(/Checkpoint/).count()) === 0);
});

story('when the barrier opens, the checkpoint goes on by itself', async (window, suite) => {
  writeFileSync(gate(suite), '');
  await snapshotAppears(window, async () => {
    await window.viewAction('Snapshots', /^Checkpoint/);
    await computationView(window)
      .getByRole('treeitem', { name: /^Checkpoint · gate\.open/ })
      .waitFor();
    rmSync(gate(suite));
  });
  await computationView(window)
    .getByRole('treeitem', { name: /^Checkpoint done in/ })
    .waitFor();
});

story(
  'hold here holds the next checkpoint before a barrier, where all can be looked at, until it goes on',
  async (window, suite) => {
    await window.command('Cairn: Show Barriers');
    const panel = await window.webview('table.phases');
    const hold = panel.getByRole('button', { name: 'Hold before gate.open' });
    await hold.click();
    await until('there is a breakpoint', async () => (await hold.getAttribute('aria-pressed')) === 'true');
    await assertAccessible(panel, 'the barriers with a breakpoint');
    await window.viewAction('Snapshots', /^Checkpoint/);
    await panel.getByText('Checkpoint: held before gate.open').waitFor();
    await window.showContainer(/Run and Debug/);
    await window
      .callStack()
      .filter({ hasText: /^held · / })
      .first()
      .waitFor();
    await until('its names', async () => (await window.variable(/Virtual ids/).count()) > 0);
    await window.showContainer('Cairn');
    // A panel that was hidden is drawn anew.
    const shown = await window.webview('table.phases');
    await suite.picture('held-at-barrier');
    await snapshotAppears(window, () => shown.getByRole('button', { name: 'Continue' }).click());
    await becomes(suite, 'gated', 'running');
    const held = shown.getByRole('button', { name: 'Hold before gate.open' });
    await held.click();
    await until('there is no breakpoint', async () => (await held.getAttribute('aria-pressed')) === 'false');
    await snapshotAppears(window, () => window.viewAction('Snapshots', /^Checkpoint/));
  },
);

const themes = [
  ['Dark Modern', 'vscode-dark'],
  ['Dark High Contrast', 'vscode-high-contrast'],
  ['Light High Contrast', 'vscode-high-contrast-light'],
] as const;
for (const [theme, kind] of themes) {
  story(`in the theme ${theme} the panels are accessible, too`, async (window, suite) => {
    await window.command('Preferences: Color Theme');
    await window.pick(theme);
    for (const [command, selector] of [
      ['Cairn: Show Virtual Names', 'table.names'],
      ['Cairn: Show Barriers', 'table.phases'],
    ] as const) {
      await window.command(command);
      const panel = await window.webview(`body.${kind} ${selector}`);
      await assertAccessible(panel, `${selector} in ${theme}`);
    }
    await suite.picture(`theme-${kind}`);
  });
}
