/**
 * Sessions outlive the window, and belong to the command as much as to the editor. One story, in order.
 */
import assert from 'node:assert/strict';
import { becomes, checkpointAs, snapshotRows, statusOf, tip } from './cairn.js';
import { suite } from './harness/suite.js';
import { until } from './harness/until.js';
import { launchTicker, tickerFolder, ticks } from './ticker.js';

const story = suite({ name: 'sessions', folder: tickerFolder });

story('a program is started, and a snapshot is made', async (window) => {
  await window.open();
  await window.showContainer('Cairn');
  await launchTicker(window);
  await window.showContainer('Cairn');
  await checkpointAs(window, 'first');
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
  await window.debugButton(/Pause/).waitFor();
  // VS Code's own Pause does nothing until it has asked for the threads, which cannot be seen.
  await window.command('Cairn: Hold');
  await becomes(suite, 'perl', 'held');
  await window.debugButton(/Continue/).click();
  await becomes(suite, 'perl', 'running');
  assert.deepEqual((await statusOf(suite, 'perl')).processes, processes);
});

story('whoever disconnects is left alone, and can join again', async (window, suite) => {
  await window
    .debugButton(/Disconnect/)
    .first()
    .click();
  await until('the debug session is over', async () => !(await window.page.locator('.debug-toolbar').isVisible()));
  assert.equal((await statusOf(suite, 'perl')).state, 'running');
  await window.showContainer('Cairn');
  await window.rowMenu(/^running, perl/, 'Show in Run and Debug');
  await window.debugButton(/Pause/).waitFor();
});

story('a session that the command started appears, and stops', async (window, suite) => {
  await suite.cairn('run', '--detach', '--session', 'shell', '--', 'perl', 'ticker.pl');
  await window.showContainer('Cairn');
  const row = tip(window, 'shell', 'running');
  await row.waitFor();
  await row.click();
  await window.terminalHas(/^tick \d+/m);
  await window.rowMenu(/^running, shell/, /^Stop\b/);
  await until('it is gone', async () => (await row.count()) === 0);
  await window.terminalHas(/shell ended with status \d+/);
});

story('the command works in a terminal of the workbench, and the window follows it', async (window, suite) => {
  await window.command('Terminal: Create New Terminal');
  await until('a shell', async () => /[$#] ?$/.test(await window.terminalText()));
  await window.terminalType('cairn ls; echo done=$?\r');
  assert.match(await window.terminalHas(/done=0/), /first/);
  await window.terminalType('cairn hold --session perl; echo held=$?\r');
  await window.terminalHas(/held=0/);
  await tip(window, 'perl', 'held').waitFor();
  await window.debugButton(/Continue/).click();
  await becomes(suite, 'perl', 'running');
});

story('with two sessions, a command means the one that Run and Debug shows, or asks', async (window, suite) => {
  for (const session of ['one', 'two']) {
    await suite.cairn('run', '--detach', '--session', session, '--', 'perl', 'ticker.pl');
    await tip(window, session, 'running').waitFor();
  }
  await window.command('Cairn: Hold');
  await becomes(suite, 'perl', 'held');
  assert.equal((await statusOf(suite, 'one')).state, 'running');
  await suite.cairn('stop', '--session', 'perl');
  await until('its debug session is over', async () => !(await window.page.locator('.debug-toolbar').isVisible()));
  await window.command('Cairn: Hold');
  assert.equal((await window.choices()).length, 2);
  await window.pick('one');
  await becomes(suite, 'one', 'held');
  assert.equal((await statusOf(suite, 'two')).state, 'running');
});
