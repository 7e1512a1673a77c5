/**
 * The Plugins view: a profile is made, its plugins are added, ordered and set up in forms, and a simulation is started with them. One
 * story, in order.
 */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Frame, Locator } from 'playwright-core';
import { becomes, checkpointAs, listsChanges, snapshotNamed, snapshotsView } from './cairn.js';
import { assertAccessible } from './harness/axe.js';
import { type Suite, suite } from './harness/suite.js';
import { until } from './harness/until.js';
import type { Window } from './harness/window.js';
import { buildPlugins, tickerFolder } from './ticker.js';

const story = suite({ name: 'plugins', folder: tickerFolder, prepare: buildPlugins });

interface Plugin {
  library: string;
  settings?: Record<string, unknown>;
  disabled?: boolean;
}

const file = (suite: Suite): string => join(suite.folder, '.vscode/cairn-plugins.json');

function profile(suite: Suite, name: string): Plugin[] | undefined {
  const text = existsSync(file(suite)) ? readFileSync(file(suite), 'utf8') : '';
  // The workbench writes a file by making it empty first.
  if (text === '') return undefined;
  return (JSON.parse(text.replace(/\/\/.*$/gm, '')) as { profiles?: Record<string, Plugin[]> }).profiles?.[name];
}

const panel = (window: Window): Promise<Frame> => window.webview('.tools button:has-text("Add Plugin…")');
const plugin = (frame: Frame, name: string): Locator => frame.getByRole('listitem', { name: new RegExp(`^${name}\\b`) });
const profileChoice = (frame: Frame): Locator => frame.getByRole('combobox', { name: 'Profile', exact: true });
const names = (frame: Frame): Promise<string[]> => frame.locator('.plugin h3').allInnerTexts();

async function hasSettings(suite: Suite, index: number, settings: object): Promise<void> {
  await until(
    `the profile has ${JSON.stringify(settings)}`,
    () => JSON.stringify(profile(suite, 'emulator')?.[index]?.settings ?? {}) === JSON.stringify(settings),
    { state: () => JSON.stringify(profile(suite, 'emulator')) },
  );
}

story('a profile is made, and plugins are added to it by their libraries', async (window, suite) => {
  await window.open();
  await window.showContainer('Cairn');
  await window.page.getByText('No snapshots yet.').waitFor();
  await window.command('Cairn: Show Plugins');
  await window.command('Cairn: Show Plugins');
  const frame = await panel(window);
  await frame.getByText('No profile yet.').waitFor();
  await frame.getByRole('button', { name: 'New Profile…' }).click();
  await window.answer('emulator');
  await frame.getByText('This profile has no plugin.').waitFor();
  for (const name of ['gate', 'greet']) {
    await frame.getByRole('button', { name: 'Add Plugin…' }).click();
    await window.chooseFile(join(suite.folder, `${name}.so`));
    await plugin(frame, name).waitFor();
  }
  assert.deepEqual(profile(suite, 'emulator'), [{ library: 'gate.so' }, { library: 'greet.so' }]);
  await plugin(frame, 'greet').getByText('by test, greet.so').waitFor();
  await assertAccessible(frame, 'the plugins panel');
  await suite.picture('plugins');
});

story('a form takes settings, and says beside the field what is wrong', async (window, suite) => {
  const frame = await panel(window);
  const greet = plugin(frame, 'greet');
  const greeting = greet.getByLabel('Greeting');
  await greet.getByText('is required').waitFor();
  await greeting.fill('good day');
  await greeting.press('Enter');
  await hasSettings(suite, 1, { greeting: 'good day' });
  await greet.getByText('is required').waitFor({ state: 'detached' });
  const times = greet.getByLabel('Times');
  assert.equal(await times.getAttribute('placeholder'), 'default: 1');
  await times.fill('none');
  await times.press('Tab');
  await greet.getByText('must be integer').waitFor();
  assert.equal(await times.getAttribute('aria-invalid'), 'true');
  await assertAccessible(frame, 'a form with a mistake');
  await times.fill('0');
  await times.press('Enter');
  await greet.getByText('must be >= 1').waitFor();
  await times.fill('3');
  await times.press('Enter');
  await greet.getByText('1 to 9').waitFor();
  await greet.getByLabel('Language').selectOption('de');
  await greet.getByLabel('Loud').check();
  await hasSettings(suite, 1, { greeting: 'good day', times: 3, language: 'de', loud: true });
  await greet.getByText('must be').waitFor({ state: 'detached' });
});

story('a list grows and shrinks, each of its elements with fields of its own', async (window, suite) => {
  const frame = await panel(window);
  const greet = plugin(frame, 'greet');
  const before = { greeting: 'good day', times: 3, language: 'de', loud: true };
  await greet.getByRole('button', { name: 'Add to Guests' }).click();
  const first = greet.getByRole('group', { name: 'Guests 1' });
  await first.getByText('is required').waitFor();
  await first.getByLabel('Name').fill('Ada');
  await first.getByLabel('Name').press('Enter');
  await hasSettings(suite, 1, { ...before, guests: [{ name: 'Ada' }] });
  await first.getByLabel('Seats').fill('3\n0');
  await first.getByLabel('Seats').press('Tab');
  await hasSettings(suite, 1, { ...before, guests: [{ name: 'Ada', seats: [3, 0] }] });
  await first.getByText('1 must be >= 1').waitFor();
  await greet.getByRole('button', { name: 'Add to Guests' }).click();
  await greet.getByRole('group', { name: 'Guests 2' }).getByText('is required').waitFor();
  await assertAccessible(frame, 'a form with a list');
  await greet.getByRole('button', { name: 'Remove Guests 1' }).click();
  await hasSettings(suite, 1, { ...before, guests: [{}] });
  await greet.getByRole('button', { name: 'Remove Guests 1' }).click();
  await hasSettings(suite, 1, before);
});

story('plugins are ordered by the keyboard, and the focus goes with them', async (window, suite) => {
  const frame = await panel(window);
  await plugin(frame, 'greet')
    .getByRole('button', { name: /^Place of greet/ })
    .focus();
  await window.press('Alt+ArrowUp');
  await until('greet is the first', async () => (await names(frame))[0]?.startsWith('greet'));
  assert.deepEqual(
    profile(suite, 'emulator')?.map(({ library }) => library),
    ['greet.so', 'gate.so'],
  );
  await until('the focus is on it', () =>
    frame.evaluate(() => document.activeElement?.getAttribute('aria-label')?.startsWith('Place of greet') ?? false),
  );
  await plugin(frame, 'greet').getByRole('button', { name: 'Move greet down' }).click();
  await until('greet is the second', async () => (await names(frame))[1]?.startsWith('greet'));
});

story('plugins are ordered by the mouse, too', async (window, suite) => {
  const frame = await panel(window);
  await plugin(frame, 'greet')
    .getByRole('button', { name: /^Place of greet/ })
    .dragTo(plugin(frame, 'gate'));
  await until('greet is the first', async () => (await names(frame))[0]?.startsWith('greet'));
  assert.equal(profile(suite, 'emulator')?.[0]?.library, 'greet.so');
  await plugin(frame, 'greet').getByRole('button', { name: 'Move greet down' }).click();
  await until('greet is the second', async () => (await names(frame))[1]?.startsWith('greet'));
});

story('a simulation starts with the plugins of the profile, their settings and order', async (window, suite) => {
  const frame = await panel(window);
  await frame.getByRole('button', { name: 'Start…' }).click();
  await window.pick('Ticker');
  await window.terminalHas(/^tick \d+/m, 60_000);
  await becomes(suite, 'perl', 'running');
  const text = await suite.cairn('plugins', '--session', 'perl', '--json');
  const order = [...text.matchAll(/"name": ?"(gate|greet)"/g)].map(([, name]) => name);
  assert.deepEqual(new Set(order), new Set(['gate', 'greet']), text);
  const log = readFileSync(join(suite.runtime, 'cairn/perl/coordinator.log'), 'utf8');
  assert.match(log, /greet has \{.*good day.*\}/);
});

story('the profile is compared with what runs, where a setting that may change at any time is changed', async (window, suite) => {
  await window.command('Cairn: Show Plugins');
  const frame = await panel(window);
  const greet = plugin(frame, 'greet');
  await frame.getByLabel('Compare with').selectOption({ label: 'perl (runs)' });
  assert.equal(await frame.locator('.differs').count(), 0);
  await greet.getByLabel('Times').fill('4');
  await greet.getByLabel('Times').press('Enter');
  await greet.getByText('in perl: 3').waitFor();
  await greet.getByLabel('Loud').uncheck();
  await greet.getByText('in perl: true').waitFor();
  await assertAccessible(frame, 'a profile beside what runs');
  await suite.picture('plugins-compared');
  const apply = greet.getByRole('button', { name: /^Apply / });
  assert.deepEqual(await apply.evaluateAll((all) => all.map((one) => one.getAttribute('aria-label'))), ['Apply Loud to perl']);
  await apply.click();
  await greet.getByText('in perl: true').waitFor({ state: 'detached' });
  const log = readFileSync(join(suite.runtime, 'cairn/perl/coordinator.log'), 'utf8');
  assert.match(log, /greet has \{.*\\"times\\":3.*\\"loud\\":false/);
  await greet.getByLabel('Times').fill('3');
  await greet.getByLabel('Times').press('Enter');
  await greet.getByText('in perl: 3').waitFor({ state: 'detached' });
});

story('Restart As takes a plugin out, changes a setting, and chooses where it writes', async (window, suite) => {
  await window.showContainer('Cairn');
  await checkpointAs(window, 'plugged');
  const slot = join(suite.folder, 'slot');
  await window.rowMenu(/^plugged/, 'Restart As…');
  await window.pick('Plugins');
  await window.pick('gate');
  await window.pick('Take it out');
  await window.pick('greet');
  await window.pick('Change a setting');
  await window.answer('times=none');
  await window.pick('Back');
  await window.pick('Run slot');
  await window.answer(slot);
  await window.pick('Restart', 'Restart');
  // A mistake costs nothing of what was chosen.
  await window
    .dialog()
    .getByText(/"times" must be integer/)
    .waitFor();
  await window.press('Enter');
  await window.pick('Plugins');
  await window.pick('greet');
  await window.pick('Change a setting');
  await window.answer('times=2');
  await window.pick('Back');
  await window.pick('Restart', 'Restart');
  const changes = ['plugin gate: in use → taken out', 'greet.times: 3 → 2', `run slot: ${slot}`];
  await listsChanges(window, changes);
  await window.pick('Start');
  await becomes(suite, 'perl-2', 'running');
  await snapshotsView(window)
    .getByRole('treeitem', { name: /^perl-2, restarted · .*gate/ })
    .waitFor();
  const text = await suite.cairn('plugins', '--session', 'perl-2', '--json');
  assert.doesNotMatch(text, /"name": ?"gate"/);
  assert.match(text, /"name": ?"greet"/);
  const log = readFileSync(join(suite.runtime, 'cairn/perl-2/coordinator.log'), 'utf8');
  assert.match(log, /greet has \{.*\\"times\\":2/);
  await until(
    'it writes in the slot',
    () => existsSync(slot) && readdirSync(slot, { recursive: true }).some((name) => String(name).endsWith('ticks.txt')),
  );
  for (const session of ['perl', 'perl-2']) await suite.cairn('stop', '--session', session);
});

story('Restart As takes the plugins of a profile, and shows them beside those of the snapshot', async (window, suite) => {
  const own = JSON.parse(readFileSync(file(suite), 'utf8').replace(/\/\/.*$/gm, '')) as { profiles: object };
  const night = [{ library: 'greet.so', settings: { times: 5, greeting: 'good night' } }];
  writeFileSync(file(suite), JSON.stringify({ profiles: { ...own.profiles, night } }));
  await window.showContainer('Cairn');
  await window.rowMenu(/^plugged/, 'Restart As…');
  await window.pick('Plugins');
  await window.pick('Those of a profile');
  await window.pick('night');
  await window.pick('Back');
  await window.pick('Restart', 'Restart');
  const changes = ['plugin gate: in use → taken out', 'greet.times: 3 → 5', 'good night'];
  await listsChanges(window, changes);
  await window.pick('Start');
  await becomes(suite, 'perl-2', 'running');
  const log = readFileSync(join(suite.runtime, 'cairn/perl-2/coordinator.log'), 'utf8');
  assert.match(log, /greet has \{.*\\"times\\":5/);
  await suite.cairn('stop', '--session', 'perl-2');
});

story('a plugin of the profile is given to a simulation that is held', async (window, suite) => {
  await suite.cairn('run', '--detach', '--session', 'bare', '--', 'perl', 'ticker.pl');
  await becomes(suite, 'bare', 'running');
  await window.command('Cairn: Show Plugins');
  const frame = await panel(window);
  await frame.getByLabel('Compare with').selectOption({ label: 'bare (runs)' });
  const greet = plugin(frame, 'greet');
  const add = greet.getByRole('button', { name: 'Add greet to bare' });
  await add.click();
  await window.toast(/adding plugins is not possible/).waitFor();
  await window.command('Notifications: Clear All Notifications');
  await suite.cairn('hold', '--session', 'bare');
  await add.click();
  await greet.getByText('not in bare').waitFor({ state: 'detached' });
  await plugin(frame, 'gate').getByText('not in bare').waitFor();
  await suite.cairn('resume', '--session', 'bare');
  const log = readFileSync(join(suite.runtime, 'cairn/bare/coordinator.log'), 'utf8');
  assert.match(log, /greet has \{.*good day/);
  await suite.cairn('stop', '--session', 'bare');
});

story('a profile is compared with the snapshot that is selected', async (window) => {
  await window.showContainer('Cairn');
  await snapshotNamed(window, 'plugged').click();
  await window.command('Cairn: Show Plugins');
  const frame = await panel(window);
  await profileChoice(frame).selectOption('night');
  await frame.getByLabel('Compare with').selectOption({ label: 'plugged (snapshot)' });
  await plugin(frame, 'greet').getByText('in plugged: 3').waitFor();
  await frame.getByText('plugged also has gate.').waitFor();
  assert.equal(
    await plugin(frame, 'greet')
      .getByRole('button', { name: /^Apply / })
      .count(),
    0,
  );
  await frame.getByLabel('Compare with').selectOption({ label: 'Compare with…' });
  await frame.getByText('in plugged: 3').waitFor({ state: 'detached' });
  await profileChoice(frame).selectOption('emulator');
  await plugin(frame, 'gate').waitFor();
});

story('what is disabled is kept and not loaded; what is wrong is refused where it can be corrected', async (window, suite) => {
  await window.command('Cairn: Show Plugins');
  const frame = await panel(window);
  await plugin(frame, 'gate').getByLabel('Load gate').uncheck();
  await until('gate is disabled', () => profile(suite, 'emulator')?.[0]?.disabled === true);
  const times = plugin(frame, 'greet').getByLabel('Times');
  await times.fill('-1');
  await times.press('Enter');
  await plugin(frame, 'greet').getByText('must be >= 1').waitFor();
  await frame.getByRole('button', { name: 'Start…' }).click();
  await window.pick('Ticker');
  await window
    .dialog()
    .getByText(/Settings of the plugin greet: "times" must be >= 1/)
    .waitFor();
  await window.dialog().getByRole('button', { name: 'Cancel' }).click();
});

story('what is edited in the file is shown, mistakes in it, too', async (window, suite) => {
  const frame = await panel(window);
  writeFileSync(file(suite), '{\n  // by hand\n  "profiles": { "emulator": [{ "library": "missing.so" }] }\n}\n');
  await frame.getByText(/It cannot be loaded: .*missing\.so/).waitFor();
  await plugin(frame, 'missing.so').getByRole('button', { name: 'Remove missing.so' }).click();
  await until('the profile is empty', () => profile(suite, 'emulator')?.length === 0);
  assert.match(readFileSync(file(suite), 'utf8'), /\/\/ by hand/);
  writeFileSync(file(suite), '{ "profiles": { "emulator": [');
  await frame
    .getByRole('alert')
    .getByText(/cairn-plugins\.json, line 1/)
    .waitFor();
  writeFileSync(file(suite), '{ "profiles": {} }');
  await frame.getByText('No profile yet.').waitFor();
});
