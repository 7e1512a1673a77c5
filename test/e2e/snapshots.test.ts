/**
 * The Snapshots view: its keys, what cannot be deleted or restarted, and restarts of all kinds. One story, in order.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import {
  becomes,
  checkpointAs,
  newTerminal,
  snapshotAppears,
  snapshotNamed,
  snapshotRows,
  snapshotsView,
  statusItem,
  tip,
} from './cairn.js';
import { assertAccessible } from './harness/axe.js';
import { suite } from './harness/suite.js';
import { until } from './harness/until.js';
import type { Window } from './harness/window.js';
import { launchTicker, tickerFolder, ticks } from './ticker.js';

const story = suite({ name: 'snapshots', folder: tickerFolder });

/** Puts the keyboard's focus on a snapshot, as the arrow keys do: without selecting it. */
async function focusSnapshot(window: Window, name: string): Promise<void> {
  await snapshotNamed(window, name).first().click();
  await window.page.keyboard.press('ArrowUp');
  await window.page.keyboard.press('ArrowDown');
}

story('snapshots are made while a program runs', async (window) => {
  await window.open();
  await window.showContainer('Cairn');
  await launchTicker(window);
  await window.showContainer('Cairn');
  await snapshotAppears(window, () => window.press('Control+Alt+C'));
  await checkpointAs(window, 'first');
  await snapshotAppears(window, () => window.press('Control+Alt+C'));
});

story('the keys F2 and Delete mean the focused snapshot', async (window) => {
  await window.command('Cairn: Show Snapshots');
  const count = await snapshotRows(window).count();
  await focusSnapshot(window, 'first');
  await window.page.keyboard.press('F2');
  await window.answer('renamed');
  await snapshotNamed(window, 'renamed').waitFor();
  const newest = snapshotRows(window).last();
  await newest.click();
  await window.page.keyboard.press('Delete');
  await window.dialog().getByRole('button', { name: 'Delete' }).click();
  await until('it is gone', async () => (await snapshotRows(window).count()) === count - 1);
  await snapshotNamed(window, 'renamed').waitFor();
});

story('a pinned snapshot is not deleted', async (window) => {
  await window.rowMenu(/^renamed/, 'Pin');
  await window.row(/^renamed.*pinned/).waitFor();
  await snapshotNamed(window, 'renamed').first().click();
  await window.page.keyboard.press('Delete');
  await window.toast(/renamed is pinned/).waitFor();
  await window.page.keyboard.press('Escape');
  await window.rowMenu(/^renamed/, 'Unpin');
  await until('it is unpinned', async () => (await window.row(/^renamed.*pinned/).count()) === 0);
});

story('a damaged snapshot says so, is not restarted, and can be deleted', async (window, suite) => {
  await checkpointAs(window, 'torn');
  const [torn] = (JSON.parse(await suite.cairn('ls', 'torn', '--json')) as { path: string }[]).map(({ path }) => path);
  assert.ok(torn);
  for (const file of readdirSync(torn).filter((name) => /\.pages/.test(name))) rmSync(join(torn, file));
  await window.viewAction('Snapshots', /^Refresh/);
  const row = snapshotsView(window).getByRole('treeitem', { name: /^torn.*damaged/ });
  await row.hover();
  assert.equal(await row.getByRole('button', { name: /^Restart/ }).count(), 0);
  await row.click();
  await window.page.keyboard.press('Enter');
  await window.toast(/torn cannot be restarted/).waitFor();
  await window.rowMenu(/^torn/, 'Delete…');
  await window.dialog().getByRole('button', { name: 'Delete' }).click();
  await until('it is gone', async () => (await snapshotNamed(window, 'torn').count()) === 0);
});

story('Enter restarts the focused snapshot: a branch, a terminal, a run folder of its own', async (window, suite) => {
  await window.command('Cairn: Stop');
  await until('it has ended', async () => (await statusItem(window).count()) === 0);
  const written = readFileSync(join(suite.folder, 'ticks.txt'), 'utf8');
  await window.command('Cairn: Show Snapshots');
  await focusSnapshot(window, 'renamed');
  await window.page.keyboard.press('Enter');
  await snapshotsView(window)
    .getByRole('treeitem', { name: /^perl-2, restarted/ })
    .waitFor();
  await newTerminal(window);
  const [first = 0] = ticks(await window.terminalHas(/^tick \d+\s+tick \d+/m));
  assert.ok(first > 1, `it began with tick ${first}`);
  const runs = join(suite.folder, '.cairn/runs');
  const copy = () => ticks(readFileSync(join(runs, readdirSync(runs)[0] ?? '', 'ticks.txt'), 'utf8'));
  await until('its file goes on', () => (copy().at(-1) ?? 0) > first);
  const seen = copy();
  assert.deepEqual(
    seen,
    seen.map((_, index) => index + 1),
    'the file of the restarted run has a gap',
  );
  assert.equal(readFileSync(join(suite.folder, 'ticks.txt'), 'utf8'), written, 'what the first run wrote was changed');
});

story('the barriers panel shows the restart', async (window) => {
  await window.command('Cairn: Show Barriers');
  const panel = await window.webview('table.phases');
  await panel.getByText(/^Restart done in/).waitFor();
  // When each process arrived, and what took longest, also to be heard.
  const line = panel.getByRole('row', { name: /^perl \d+/ }).getByRole('img');
  await line.waitFor();
  assert.match((await line.getAttribute('aria-label')) ?? '', /^restart: arrived after .*; longest: \w+, event restart, /);
  await panel.getByText(/^Slowest: plugin \w+, /).waitFor();
  await assertAccessible(panel, 'the barriers of a restart');
});

story('the barriers panel shows how the selected snapshot was made', async (window) => {
  await snapshotNamed(window, 'renamed').first().click();
  await window.command('Cairn: Show Barriers');
  const panel = await window.webview('table.phases');
  const choice = panel.getByLabel('Operation');
  const label = await choice
    .getByRole('option', { name: /: checkpoint, / })
    .first()
    .textContent();
  await choice.selectOption({ label: label ?? '' });
  await panel.getByText(/^Checkpoint done in/).waitFor();
  await panel.getByRole('row', { name: /^write / }).waitFor();
  await choice.selectOption('');
  await panel.getByText(/^Restart done in/).waitFor();
});

story('a snapshot that a restarted run makes is on its branch', async (window) => {
  await checkpointAs(window, 'later');
  await snapshotsView(window)
    .getByRole('treeitem', { name: /^perl-2, restarted · 1 snapshot/ })
    .waitFor();
});

story('Restart As changes the environment and the name, while the other run goes on', async (window, suite) => {
  await window.rowMenu(/^renamed/, 'Restart As…');
  await window.pick('Environment');
  await window.answer('CAIRN_TEST=changed');
  await window.pick('Session name');
  await window.answer('second');
  await window.pick('Restart');
  // What is other than in the snapshot is shown first.
  await until('what differs is listed', async () =>
    (await window.choices()).some((line) => line.includes('variable CAIRN_TEST: changed')),
  );
  await window.pick('Start');
  await becomes(suite, 'second', 'running');
  await snapshotsView(window)
    .getByRole('treeitem', { name: /^second, restarted · variable CAIRN_TEST: changed/ })
    .waitFor();
  await tip(window, 'second').waitFor();
  const rows = JSON.parse(await suite.cairn('tables', 'env', '--session', 'second', '--json')) as {
    virtual: string;
    real: string;
  }[];
  assert.equal(rows.find(({ virtual }) => virtual === 'CAIRN_TEST')?.real, 'changed');
  await becomes(suite, 'perl-2', 'running');
});

story('a menu means the row that it was opened on, also while the tree changes again and again', async (window, suite) => {
  let over = false;
  let noted = 0;
  // No rows come or go: they would move others under the pointer.
  const busy = (async () => {
    while (!over) await suite.cairn('note', 'renamed', `${noted++}`);
  })();
  try {
    await until('the notes come', () => noted > 1);
    for (let round = 0; round < 8; round++) {
      await window.rowMenu(/^renamed/, 'Restart As…');
      await window.page.locator('.quick-input-title', { hasText: 'Restart renamed as…' }).waitFor();
      await window.press('Escape');
    }
  } finally {
    over = true;
    await busy;
  }
});

story('Restart in Place asks first, and puts the files back where they are', async (window, suite) => {
  for (const session of ['perl-2', 'second']) await suite.cairn('stop', '--session', session);
  await until('both have ended', async () => (await statusItem(window).count()) === 0);
  await window.rowMenu(/^renamed/, 'Restart in Place…');
  await window.dialog().getByRole('button', { name: 'Restart in Place' }).click();
  await newTerminal(window);
  const [first = 0] = ticks(await window.terminalHas(/^tick \d+\s+tick \d+/m));
  const file = () => ticks(readFileSync(join(suite.folder, 'ticks.txt'), 'utf8'));
  await until('its file goes on', () => (file().at(-1) ?? 0) > first);
  const seen = file();
  assert.deepEqual(
    seen,
    seen.map((_, index) => index + 1),
    'the file has a gap',
  );
});
