/**
 * The views, menus, keys and the terminal around one small program, without a simulator: what the two stories of the simulators
 * do not come to. One story, in order.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { inTree } from '../../scripts/lib/tree.mjs';
import { assertAccessible } from './harness/axe.js';
import { type Suite, suite } from './harness/suite.js';
import { until } from './harness/until.js';
import type { Window } from './harness/window.js';
import { newTerminal, snapshotAppears, snapshotRows } from './sample.js';

const story = suite({ name: 'views', folder: inTree('test/e2e/ticker'), timeoutMs: 120_000 });

interface Status {
  session: string;
  state: string;
  coordinator: number;
  exitStatus: number | null;
  processes: { virtualPid: number; realPid: number }[];
}

const statusItem = (window: Window) => window.status('cairn.cairn.cairn.status');
const statusOf = async (suite: Suite, session: string) =>
  JSON.parse(await suite.cairn('status', '--session', session, '--json')) as Status;
/** Waits for a state of a session that may only come to be. */
const becomes = (suite: Suite, session: string, state: string) =>
  until(`${session} is ${state}`, async () => (await statusOf(suite, session).catch(() => undefined))?.state === state);
const snapshotNamed = (window: Window, name: string) =>
  window.tree(/^Snapshots/).getByRole('treeitem', { name: new RegExp(`^${name}\\b`) });
const ticks = (text: string) => [...text.matchAll(/^tick (\d+)\s*$/gm)].map(([, number]) => Number(number));

/** Puts the keyboard's focus on a snapshot, as the arrow keys do: without selecting it. */
async function focusSnapshot(window: Window, name: string): Promise<void> {
  await snapshotNamed(window, name).first().click();
  await window.page.keyboard.press('ArrowUp');
  await window.page.keyboard.press('ArrowDown');
}

story('empty views say what to do', async (window) => {
  await window.open();
  await window.showContainer('Cairn');
  await window.page.getByText('No snapshots yet.').waitFor();
  await window.page.getByText('No simulation is running.').first().waitFor();
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
  await window.launch('Ticker');
  await window.terminalHas(/tick \d+/, 60_000);
  await window.terminalType('hello\r');
  await window.terminalHas(/^read hello/m);
});

story('the tip of the branch is the live session, and holds and resumes it', async (window, suite) => {
  await window.showContainer('Cairn');
  const tip = window.tree(/^Snapshots/).getByRole('treeitem', { name: /^(running|held), perl/ });
  await tip.hover();
  await tip.getByRole('button', { name: 'Hold' }).click();
  await becomes(suite, 'perl', 'held');
  await window.debugButton(/Continue/).waitFor();
  await tip.hover();
  await tip.getByRole('button', { name: 'Resume' }).click();
  await becomes(suite, 'perl', 'running');
  await window.debugButton(/Pause/).waitFor();
});

story('the Computation view has processes, threads, and plugins by layer', async (window) => {
  const tree = window.tree(/^Computation/);
  const process = tree.getByRole('treeitem', { name: /^perl · \d+/ });
  await process.click();
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
  await snapshotAppears(window, () => window.command('Cairn: Checkpoint As…').then(() => window.answer('first')));
  assert.equal((await statusOf(suite, 'perl')).state, 'held');
  await window.command('Cairn: Resume');
  await becomes(suite, 'perl', 'running');
});

story('the keys F2 and Delete mean the focused snapshot', async (window) => {
  await snapshotAppears(window, () => window.press('Control+Alt+C'));
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
  await window
    .row(/^renamed/)
    .first()
    .click();
  await window.page.keyboard.press('Delete');
  await window.toast(/renamed is pinned/).waitFor();
  await window.page.keyboard.press('Escape');
  await window.rowMenu(/^renamed/, 'Unpin');
  await until('it is unpinned', async () => (await window.row(/^renamed.*pinned/).count()) === 0);
});

story('a damaged snapshot says so, is not restarted, and can be deleted', async (window, suite) => {
  await snapshotAppears(window, () => window.command('Cairn: Checkpoint As…').then(() => window.answer('torn')));
  const [torn] = (JSON.parse(await suite.cairn('ls', 'torn', '--json')) as { path: string }[]).map(({ path }) => path);
  assert.ok(torn);
  for (const file of readdirSync(torn).filter((name) => /\.pages/.test(name))) rmSync(join(torn, file));
  await window.viewAction('Snapshots', /^Refresh/);
  const row = window.tree(/^Snapshots/).getByRole('treeitem', { name: /^torn.*damaged/ });
  await row.hover();
  assert.equal(await row.getByRole('button', { name: /^Restart/ }).count(), 0);
  await row.click();
  await window.page.keyboard.press('Enter');
  await window.toast(/torn cannot be restarted/).waitFor();
  await window.rowMenu(/^torn/, 'Delete…');
  await window.dialog().getByRole('button', { name: 'Delete' }).click();
  await until('it is gone', async () => (await snapshotNamed(window, 'torn').count()) === 0);
});

story('virtual names follow the selection: of a snapshot, filtered, copied', async (window, suite) => {
  await window.command('Cairn: Show Virtual Names');
  const panel = await window.webview('table.names');
  await window
    .row(/^renamed/)
    .first()
    .click();
  await until('the snapshot is shown', async () =>
    (await panel.locator('select option:checked').textContent())?.startsWith('renamed'),
  );
  await panel.getByRole('tab', { name: 'File Descriptors' }).click();
  await panel.getByRole('cell', { name: join(suite.folder, 'ticks.txt'), exact: true }).waitFor();
  await panel.getByRole('searchbox').fill('ticks nowhere');
  await panel.getByText(/None of \d+ rows fits/).waitFor();
  await panel.getByRole('searchbox').fill('ticks');
  await until('one row is left', async () => (await panel.locator('tbody tr').count()) === 1);
  await assertAccessible(panel, 'the filtered table');
});

story('what was chosen in the panel is there again after it was hidden', async (window) => {
  const hidden = await window.webview('table.names');
  await window.command('Terminal: Focus Terminal');
  await until(
    'the panel is gone',
    async () =>
      !(await hidden
        .locator('table.names')
        .count()
        .catch(() => 0)),
  );
  await window.command('Cairn: Show Virtual Names');
  const panel = await window.webview('table.names');
  assert.equal(await panel.getByRole('searchbox').inputValue(), 'ticks');
  assert.equal(await panel.getByRole('tab', { name: 'File Descriptors' }).getAttribute('aria-selected'), 'true');
  await panel.getByRole('searchbox').fill('');
});

story('after a reload the program, its terminal, the tree and the debug session are there', async (window, suite) => {
  const { processes } = await statusOf(suite, 'perl');
  const count = await snapshotRows(window).count();
  await window.open();
  await window.terminalHas(/^tick \d+/m, 60_000);
  const before = ticks(await window.terminalText());
  assert.equal(before[0], 1, 'the scrollback is not whole');
  await until('it goes on', async () => (ticks(await window.terminalText()).at(-1) ?? 0) > (before.at(-1) ?? 0));
  await window.terminalType('again\r');
  await window.terminalHas(/^read again/m);
  await window.showContainer('Cairn');
  await until('the tree is back', async () => (await snapshotRows(window).count()) === count);
  // VS Code can pause as soon as it has asked for the threads.
  await window.showContainer(/Run and Debug/);
  await window.page.getByText('Running', { exact: true }).first().waitFor();
  await window.debugButton(/Pause/).click();
  await becomes(suite, 'perl', 'held');
  await window.debugButton(/Continue/).click();
  await becomes(suite, 'perl', 'running');
  assert.deepEqual(
    (await statusOf(suite, 'perl')).processes.map(({ realPid }) => realPid),
    processes.map(({ realPid }) => realPid),
  );
});

story('whoever disconnects is left alone, and can join again', async (window, suite) => {
  await window
    .debugButton(/Disconnect/)
    .first()
    .click();
  await until(
    'the debug session is over',
    async () =>
      (await window.page.locator('.debug-toolbar').count()) === 0 || !(await window.page.locator('.debug-toolbar').isVisible()),
  );
  assert.equal((await statusOf(suite, 'perl')).state, 'running');
  await window.showContainer('Cairn');
  await window.rowMenu(/^running, perl/, 'Show in Run and Debug');
  await window.debugButton(/Pause/).waitFor();
});

story('a session that the command started appears, and stops', async (window, suite) => {
  await suite.cairn('run', '--detach', '--session', 'shell', '--', 'perl', 'ticker.pl');
  await window.showContainer('Cairn');
  const row = window.tree(/^Snapshots/).getByRole('treeitem', { name: /^running, shell/ });
  await row.waitFor();
  await row.click();
  await window.terminalHas(/^tick \d+/m);
  await window.rowMenu(/^running, shell/, /^Stop\b/);
  await until('it is gone', async () => (await row.count()) === 0);
  await window.terminalHas(/shell ended with status \d+/);
});

story('the command works in a terminal of the workbench', async (window) => {
  await window.command('Terminal: Create New Terminal');
  await until('a shell', async () => /[$#] ?$/.test(await window.terminalText()));
  await window.terminalType('cairn ls; echo done=$?\r');
  const text = await window.terminalHas(/done=0/);
  assert.match(text, /renamed/);
});

story('Enter restarts the focused snapshot: a branch, a terminal, a run folder of its own', async (window, suite) => {
  await window.command('Cairn: Stop');
  await until('it has ended', async () => (await statusItem(window).count()) === 0);
  const written = readFileSync(join(suite.folder, 'ticks.txt'), 'utf8');
  await window.command('Cairn: Show Snapshots');
  await focusSnapshot(window, 'renamed');
  await window.page.keyboard.press('Enter');
  await window
    .tree(/^Snapshots/)
    .getByRole('treeitem', { name: /^perl-2, restarted/ })
    .waitFor();
  await newTerminal(window);
  const [first] = ticks(await window.terminalHas(/^tick \d+\s+tick \d+/m));
  assert.ok(first !== undefined && first > 1, `it began with tick ${first}`);
  const runs = join(suite.folder, '.cairn/runs');
  const [run] = readdirSync(runs);
  await until('its file goes on', () => ticks(readFileSync(join(runs, run ?? '', 'ticks.txt'), 'utf8')).at(-1) ?? 0 > first);
  const copy = ticks(readFileSync(join(runs, run ?? '', 'ticks.txt'), 'utf8'));
  assert.deepEqual(
    copy,
    copy.map((_, index) => index + 1),
    'the file of the restarted run has a gap',
  );
  assert.equal(readFileSync(join(suite.folder, 'ticks.txt'), 'utf8'), written, 'what the first run wrote was changed');
});

story('the barriers panel shows the restart', async (window) => {
  await window.command('Cairn: Show Barriers');
  const panel = await window.webview('table.phases');
  await panel.getByText(/^Restart done in/).waitFor();
  await assertAccessible(panel, 'the barriers of a restart');
});

story('Restart As changes the environment and the name', async (window, suite) => {
  await window.rowMenu(/^renamed/, 'Restart As…');
  await window.pick('Environment');
  await window.answer('CAIRN_TEST=changed');
  await window.pick('Session name');
  await window.answer('second');
  await window.pick('Restart');
  await becomes(suite, 'second', 'running');
  const rows = JSON.parse(await suite.cairn('tables', 'env', '--session', 'second', '--json')) as {
    virtual: string;
    real: string;
  }[];
  assert.equal(rows.find(({ virtual }) => virtual === 'CAIRN_TEST')?.real, 'changed');
});

story('with two sessions, a command means the one that Run and Debug shows, or asks', async (window, suite) => {
  await window.command('Cairn: Hold');
  // VS Code keeps to the session that it showed before another one was started.
  await becomes(suite, 'perl-2', 'held');
  assert.equal((await statusOf(suite, 'second')).state, 'running');
  for (const session of ['perl-2', 'second']) await suite.cairn('stop', '--session', session);
  for (const session of ['one', 'two']) {
    await suite.cairn('run', '--detach', '--session', session, '--', 'perl', 'ticker.pl');
    await window
      .tree(/^Snapshots/)
      .getByRole('treeitem', { name: new RegExp(`^running, ${session}`) })
      .waitFor();
  }
  await window.command('Cairn: Hold');
  assert.equal((await window.choices()).length, 2);
  await window.pick('one');
  await becomes(suite, 'one', 'held');
  assert.equal((await statusOf(suite, 'two')).state, 'running');
});

story('in a theme of high contrast the panels are accessible, too', async (window, suite) => {
  await suite.cairn('checkpoint', '--session', 'two');
  await window.command('Preferences: Color Theme');
  await window.pick('Dark High Contrast');
  await window.page.locator('.monaco-workbench.hc-black').waitFor();
  await window.command('Cairn: Show Virtual Names');
  await assertAccessible(await window.webview('table.names'), 'virtual names in high contrast');
  await window.command('Cairn: Show Barriers');
  await assertAccessible(await window.webview('table.phases'), 'barriers in high contrast');
});
