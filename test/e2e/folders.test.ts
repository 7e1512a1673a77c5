/**
 * A window on several folders, each with profiles of plugins, simulations and a store of its own. One story, in order.
 */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { becomes, checkpointAs, listsChanges, statusOf } from './cairn.js';
import { assertAccessible } from './harness/axe.js';
import { type Suite, suite } from './harness/suite.js';
import { until } from './harness/until.js';
import { buildPlugins, tickerFolder } from './ticker.js';

const story = suite({
  name: 'folders',
  folder: tickerFolder,
  more: ['second'],
  prepare: (folder) => {
    buildPlugins(folder);
    const greeting = folder.endsWith('second') ? 'from the second' : 'from the first';
    const profile = (times: number) => [{ library: 'greet.so', settings: { greeting, times } }];
    mkdirSync(join(folder, '.vscode'), { recursive: true });
    // The same names in both folders, and one that only the second has.
    const profiles = folder.endsWith('second') ? { day: profile(3), night: profile(5) } : { day: profile(1) };
    writeFileSync(join(folder, '.vscode/cairn-plugins.json'), JSON.stringify({ profiles }));
  },
});

const second = (suite: Suite) => join(suite.run, 'second');
const logOf = (suite: Suite, session: string) => readFileSync(join(suite.runtime, `cairn/${session}/coordinator.log`), 'utf8');

story('the Plugins view shows the profiles of the folder that is chosen', async (window, suite) => {
  await window.open();
  await window.showContainer('Cairn');
  await window.page.getByText('No snapshots yet.').waitFor();
  await window.command('Cairn: Show Plugins');
  const panel = await window.webview('select[aria-label="Workspace folder"]');
  const greeting = panel.getByLabel('Greeting');
  await until('those of the first', async () => (await greeting.inputValue()) === 'from the first');
  const profiles = () => panel.getByLabel('Profile', { exact: true }).locator('option').allTextContents();
  assert.deepEqual(await profiles(), ['day']);
  await panel.getByLabel('Workspace folder').selectOption('second');
  await until('those of the second', async () => (await greeting.inputValue()) === 'from the second');
  assert.deepEqual(await profiles(), ['day', 'night']);
  await assertAccessible(panel, 'the plugins of several folders');
  await panel.getByLabel('Profile', { exact: true }).selectOption('night');
  await until('its profile', async () => (await panel.getByLabel('Times').inputValue()) === '5');
  await panel.getByLabel('Times').fill('7');
  await panel.getByLabel('Times').press('Enter');
  await until('the second has it', () => readFileSync(join(second(suite), '.vscode/cairn-plugins.json'), 'utf8').includes('7'));
  assert.doesNotMatch(readFileSync(join(suite.folder, '.vscode/cairn-plugins.json'), 'utf8'), /7/);
});

story(
  'a simulation starts in the folder whose profile it is, and its snapshots are in that folder’s store',
  async (window, suite) => {
    const panel = await window.webview('select[aria-label="Workspace folder"]');
    await panel.getByRole('button', { name: 'Start…' }).click();
    await window.pick('Ticker');
    await window.terminalHas(/^tick \d+/m, 60_000);
    await becomes(suite, 'perl', 'running');
    assert.match(logOf(suite, 'perl'), /greet has \{.*from the second.*7/);
    const { cwd, store } = (await statusOf(suite, 'perl')) as unknown as { cwd: string; store: string };
    assert.deepEqual([cwd, store], [second(suite), join(second(suite), '.cairn')]);
    await window.showContainer('Cairn');
    await checkpointAs(window, 'plugged');
  },
);

story('Restart As offers the profiles of the folder that the snapshot belongs to', async (window, suite) => {
  await window.rowMenu(/^plugged/, 'Restart As…');
  await window.pick('Plugins');
  await window.pick('Those of a profile');
  await window.pick('day');
  await window.pick('Back');
  await window.pick('Restart', 'Restart');
  await listsChanges(window, ['greet.times: 7 → 3']);
  await window.pick('Start');
  await becomes(suite, 'perl-2', 'running');
  assert.match(logOf(suite, 'perl-2'), /greet has \{.*\\"times\\":3/);
  for (const session of ['perl', 'perl-2']) await suite.cairn('stop', '--session', session);
});

story('a configuration of the workspace itself takes the profile of the folder that it is about', async (window, suite) => {
  const file = join(suite.run, 'all.code-workspace');
  const own = JSON.parse(readFileSync(file, 'utf8')) as object;
  const configuration = {
    name: 'By the workspace',
    type: 'cairn',
    request: 'launch',
    program: 'perl',
    args: ['ticker.pl'],
    cwd: '${workspaceFolder:second}',
    session: 'by-workspace',
    pluginProfile: 'day',
  };
  writeFileSync(file, JSON.stringify({ ...own, launch: { version: '0.2.0', configurations: [configuration] } }));
  await window.launch('By the workspace');
  await becomes(suite, 'by-workspace', 'running');
  assert.match(logOf(suite, 'by-workspace'), /greet has \{.*from the second.*3/);
  const { store } = (await statusOf(suite, 'by-workspace')) as unknown as { store: string };
  assert.equal(store, join(second(suite), '.cairn'));
  await suite.cairn('stop', '--session', 'by-workspace');
});
