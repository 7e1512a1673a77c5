/** Settings of plugins while the computation runs: told to all processes, or taken back from all; refused before anything is told. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { PluginSetting } from '../../debug-adapter/src/protocol/control.js';
import { SettingKind } from '../../debug-adapter/src/protocol/generated/agent_pb.js';
import type { AgentPeer, PeerOptions } from './agent-peer.js';
import { atEnd, type Fixture, launchParams, openCoordinator } from './fixture.js';

const schema = { type: 'object', properties: { level: { type: 'integer', 'x-cairn-live': true }, name: { type: 'string' } } };
const set = (key: string, value: string): PluginSetting[] => [{ plugin: 'vendor', key, value }];

interface Two extends Fixture {
  library: string;
  first: AgentPeer;
  /** A further process, which lives to the end of the test. */
  another: (options?: Partial<PeerOptions>) => Promise<AgentPeer>;
}

async function two(t: TestContext, options: Partial<PeerOptions>): Promise<Two> {
  const folder = mkdtempSync(join(tmpdir(), 'cairn-'));
  atEnd(t, () => rmSync(folder, { recursive: true }));
  const library = join(folder, 'vendor.so');
  writeFileSync(join(folder, 'vendor.schema.json'), JSON.stringify(schema));
  const fixture = await openCoordinator(t);
  const plugins = [{ name: 'vendor', layer: 1, library }];
  await fixture.coordinator.launch({ ...launchParams, plugins: [{ library, settings: '{"level":1}' }] });
  const first = await fixture.join({ plugins, ...options });
  await fixture.coordinator.started(5000);
  const another = (more?: Partial<PeerOptions>): Promise<AgentPeer> => {
    const child = spawn('sleep', ['60']);
    atEnd(t, () => void child.kill('SIGKILL'));
    return fixture.join({ pid: child.pid ?? 0, plugins, ...options, ...more });
  };
  return { ...fixture, library, first, another };
}

const told = (peer: AgentPeer): string[] =>
  peer.settings.filter(({ kind }) => kind === SettingKind.SETTING_PLUGIN).map(({ value }) => value);

test('all processes are told, and those that begin later', async (t) => {
  const { coordinator, library, first, another } = await two(t, { takesSettings: () => '' });
  const second = await another();
  const plugins = await coordinator.changeSettings(set('level', '2'));
  assert.deepEqual(plugins, [{ library, settings: '{"level":2}', name: 'vendor' }]);
  for (const peer of [first, second]) assert.deepEqual(peer.changed, [[library, '{"level":2}']]);
  assert.deepEqual(told(await another()), ['{"level":2}']);
});

test('where one process refuses, all have those of before, and so has who begins later', async (t) => {
  const { coordinator, library, first, another } = await two(t, { takesSettings: () => '' });
  const second = await another({ takesSettings: (text) => (text.includes('3') ? 'not three' : '') });
  await assert.rejects(coordinator.changeSettings(set('level', '3')), { code: 'refused', message: /not three/ });
  for (const peer of [first, second])
    assert.deepEqual(peer.changed, [
      [library, '{"level":3}'],
      [library, '{"level":1}'],
    ]);
  assert.deepEqual(told(await another()), ['{"level":1}']);
});

test('what the schema does not allow is told to nobody', async (t) => {
  const { coordinator, first } = await two(t, { takesSettings: () => '' });
  await assert.rejects(coordinator.changeSettings(set('level', 'x')), { code: 'badPluginSettings' });
  await assert.rejects(coordinator.changeSettings(set('name', 'x')), { code: 'settingNotLive' });
  await assert.rejects(coordinator.changeSettings([{ plugin: 'other', key: 'level', value: '1' }]), { code: 'unknownPlugin' });
  // Also where another change of the same call is right.
  await assert.rejects(coordinator.changeSettings([...set('level', '2'), ...set('name', 'x')]), { code: 'settingNotLive' });
  assert.deepEqual(first.changed, []);
});

test('an agent of an older version refuses the request, and the reason is said', async (t) => {
  const { coordinator } = await two(t, {});
  await assert.rejects(coordinator.changeSettings(set('level', '2')), { code: 'refused', message: /older version of Cairn/ });
});

test('a process that ends meanwhile keeps nobody from it', async (t) => {
  const { coordinator, first, another } = await two(t, { takesSettings: () => '' });
  const leaving = await another({
    takesSettings: () => {
      leaving.close();
      return '';
    },
  });
  await coordinator.changeSettings(set('level', '2'));
  assert.equal(first.changed.length, 1);
});
