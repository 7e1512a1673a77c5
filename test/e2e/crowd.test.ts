/**
 * A computation of 200 processes in the views: all of them are there, and none of the views has to draw all of them to show one.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { computationView, snapshotAppears, statusOf } from './cairn.js';
import { assertAccessible } from './harness/axe.js';
import { suite } from './harness/suite.js';
import { until } from './harness/until.js';
import { tickerFolder } from './ticker.js';

const PROCESSES = 200;

const story = suite({
  name: 'crowd',
  folder: tickerFolder,
  prepare: (folder) => {
    const shell = `for i in $(seq ${PROCESSES - 1}); do sleep 1000 & done; echo all; wait`;
    const configuration = {
      name: 'Crowd',
      type: 'cairn',
      request: 'launch',
      program: 'sh',
      args: ['-c', shell],
      session: 'crowd',
    };
    writeFileSync(join(folder, '.vscode/launch.json'), JSON.stringify({ version: '0.2.0', configurations: [configuration] }));
  },
});

story('the Computation view has all of them, and the last one opens', async (window, suite) => {
  await window.open();
  await window.launch('Crowd');
  await window.terminalHas(/^all/m, 60_000);
  await until(
    'all are there',
    async () => (await statusOf(suite, 'crowd').catch(() => undefined))?.processes.length === PROCESSES,
  );
  await window.showContainer('Cairn');
  const tree = computationView(window);
  const [first] = (await statusOf(suite, 'crowd')).processes;
  await tree.getByRole('treeitem', { name: new RegExp(` · ${first?.virtualPid}\\b`) }).click();
  const last = (await statusOf(suite, 'crowd')).processes.at(-1)?.virtualPid;
  await window.press('End');
  await tree.getByRole('treeitem', { name: new RegExp(` · ${last}\\b`) }).waitFor();
  await window.press('ArrowRight');
  await until('its thread', async () => {
    // Below the rows that are seen.
    await window.press('ArrowDown');
    return (await tree.getByRole('treeitem', { name: new RegExp(`^thread ${last}\\b`) }).count()) > 0;
  });
});

story('a checkpoint is followed in the Barriers view, and its time line is drawn in parts', async (window) => {
  await snapshotAppears(window, () => window.command('Cairn: Checkpoint'));
  await window.command('Cairn: Show Barriers');
  const panel = await window.webview('table.timeline');
  const rows = panel.locator('table.timeline tbody tr');
  const part = await rows.count();
  assert.ok(part < PROCESSES, `${part} rows`);
  await panel
    .getByText(`and ${PROCESSES - 12} more`)
    .first()
    .waitFor();
  await assertAccessible(panel, 'the barriers of many processes');
  const more = panel.getByRole('button', { name: /^Show \d+ more$/ });
  while ((await more.count()) > 0) await more.click();
  await until('all rows', async () => (await rows.count()) === PROCESSES);
});

story('held, each process has its frame and its names', async (window, suite) => {
  await window.command('Cairn: Hold');
  await until('it is held', async () => (await statusOf(suite, 'crowd')).state === 'held');
  await window.showContainer(/Run and Debug/);
  await window.callStack().first().waitFor();
  await until('scopes', async () => (await window.variable(/Virtual ids/).count()) > 0);
  await window.showContainer('Cairn');
  await window.command('Cairn: Show Virtual Names');
  const names = await window.webview('table.names');
  const source = names.getByRole('combobox', { name: 'Process or snapshot' });
  const last = await source.locator('optgroup[label="Live"] option').last().getAttribute('value');
  await source.selectOption(last);
  const pid = last?.split('/').at(-1) ?? '';
  await names.getByRole('rowheader', { name: pid, exact: true }).first().waitFor();
  await suite.cairn('stop', '--session', 'crowd', '--grace', '0');
});
