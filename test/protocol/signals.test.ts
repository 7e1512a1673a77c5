/** Design signals on the wire: which process is asked, and what of its answers or refusals is told. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { type TestContext, test } from 'node:test';
import { ScopeParams, SignalsParams } from '../../debug-adapter/src/protocol/signals.js';
import { waitFor } from '../support/processes.js';
import type { AgentPeer, PeerOptions } from './agent-peer.js';
import { atEnd, type Fixture, launchParams, openCoordinator } from './fixture.js';

type Answers = NonNullable<PeerOptions['answers']>;

const all = SignalsParams.parse({});
const head = 'time\t1500\t-9\nsimulator\ticarus\n';
const none: Answers = () => ({ errorNumber: -95, error: 'this program is no simulation' });

/** A simulation that keeps what it is asked. */
function simulation(answer: string): { answers: Answers; asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    answers: (plugin, text) => {
      assert.equal(plugin, 'hdl');
      asked.push(text);
      return { text: text === 'look' ? 'simulator\ticarus\n' : answer };
    },
  };
}

function ready({ coordinator }: Pick<Fixture, 'coordinator'>, count: number): Promise<true> {
  return waitFor(`${count} processes`, () => coordinator.session.processes.filter((one) => one.isReady).length === count);
}

async function session(t: TestContext, ...processes: (Answers | undefined)[]): Promise<Fixture & { peers: AgentPeer[] }> {
  const fixture = await openCoordinator(t);
  await fixture.coordinator.launch(launchParams);
  const peers: AgentPeer[] = [];
  for (const answers of processes) {
    const child = spawn('sleep', ['60']);
    atEnd(t, () => void child.kill('SIGKILL'));
    peers.push(await fixture.join({ pid: child.pid ?? 0, ...(answers ? { answers } : {}) }));
  }
  await ready(fixture, peers.length);
  return { ...fixture, peers };
}

test('signals are told with what they are, and from where there are more', async (t) => {
  const { answers, asked } = simulation(
    `${head}signal\ttop.r\treg\t8\t7\t0\t0010101x\nsignal\ttop.m\tmemory\t4\t0\t15\t\nsignal\ttop.w\tnet\t1\t\t\tz\nmore\t3\n`,
  );
  const { coordinator, peers } = await session(t, answers);
  const found = await coordinator.signals({ ...all, pattern: 'top', limit: 3 });
  assert.deepEqual(asked, ['list\t0\t3\ttop']);
  assert.deepEqual(found, {
    virtualPid: peers[0]?.virtualPid,
    program: 'simulator',
    simulator: 'icarus',
    time: { ticks: '1500', unit: -9 },
    signals: [
      { name: 'top.r', kind: 'reg', width: 8, range: { left: 7, right: 0 }, value: "8'b0010101x" },
      { name: 'top.m', kind: 'memory', width: 4, range: { left: 0, right: 15 }, value: null },
      { name: 'top.w', kind: 'net', width: 1, range: null, value: "1'bz" },
    ],
    next: 3,
  });
});

test('what is written goes out in one request, and what became of each is told', async (t) => {
  const { answers, asked } = simulation(
    `${head}written\ttop.r\teffective\t00000000\t00000101\t\nwritten\ttop.x\timpossible\t\t\tno such signal\n`,
  );
  const { coordinator } = await session(t, answers);
  const { written } = await coordinator.writeSignals({
    writes: [
      { action: 'set', name: 'top.r', value: '5' },
      { action: 'release', name: 'top.x' },
    ],
  });
  assert.deepEqual(asked, ['write\nset\ttop.r\t0101\nrelease\ttop.x\t']);
  assert.deepEqual(written, [
    { name: 'top.r', outcome: 'effective', before: "8'h00", after: "8'h05", why: '' },
    { name: 'top.x', outcome: 'impossible', before: null, after: null, why: 'no such signal' },
  ]);
  for (const write of [
    { action: 'set', name: 'a\tb', value: '1' },
    { action: 'set', name: 'a', value: 'b' },
    { action: 'force', name: 'a' },
  ] as const)
    await assert.rejects(coordinator.writeSignals({ writes: [write] }), { code: 'usage' });
  assert.equal(asked.length, 1);
});

test('of several processes the one that is a simulation is asked; of several simulations none, unless it is named', async (t) => {
  const { answers, asked } = simulation(head);
  const { coordinator, peers, join } = await session(t, none, answers, undefined);
  await coordinator.signals(all);
  assert.deepEqual(asked, ['look', 'list\t0\t200\t']);
  const other = simulation(head);
  const child = spawn('sleep', ['60']);
  atEnd(t, () => void child.kill('SIGKILL'));
  const second = await join({ pid: child.pid ?? 0, answers: other.answers });
  await ready({ coordinator }, 4);
  await assert.rejects(coordinator.signals(all), {
    code: 'severalSimulations',
    message: new RegExp(`${peers[1]?.virtualPid}.*${second.virtualPid}`),
  });
  await coordinator.signals({ ...all, virtualPid: second.virtualPid });
  assert.deepEqual(other.asked, ['look', 'list\t0\t200\t']);
  await assert.rejects(coordinator.signals({ ...all, virtualPid: 1 }), { code: 'unknownProcess' });
});

test('why it cannot be is said: by the process, of an older agent, and where the simulation does not come', async (t) => {
  const why = 'this model was built without VPI';
  const { coordinator } = await session(t, none, () => ({ errorNumber: -95, error: why }));
  await assert.rejects(coordinator.signals(all), { code: 'noSignals', message: new RegExp(why) });
  const old = await session(t, undefined);
  await assert.rejects(old.coordinator.signals(all), { code: 'refused', message: /older version of Cairn/ });
  const away = await session(t, () => ({ errorNumber: -110, error: 'it stands at a prompt' }));
  await assert.rejects(away.coordinator.signals(all), { code: 'simulationAway', message: /prompt/ });
});

test('a held computation answers as well: what it holds, a scope of the design, and what is watched', async (t) => {
  const scope = `${head}total\t1\t1\nscope\ttop.in\t0\t2\tpart\nsignal\ttop.w\tnet\t1\t\t\tz\n`;
  const { answers, asked } = simulation(scope);
  const { coordinator } = await session(t, answers);
  await coordinator.hold();
  const found = await coordinator.scope(ScopeParams.parse({ scope: 'top' }));
  assert.deepEqual(found.total, { scopes: 1, signals: 1 });
  assert.deepEqual(found.scopes, [{ name: 'top.in', scopes: 0, signals: 2, module: 'part' }]);
  assert.deepEqual([found.signals[0]?.value, found.next], ["1'bz", null]);
  await coordinator.watchSignals({ watches: [{ name: 'top.w' }, { name: 'top.r', condition: ">= 4'ha" }] });
  assert.deepEqual(asked, ['scope\t0\t200\ttop', 'watch\ntop.w\tany\t\ntop.r\t>=\t01010']);
  await assert.rejects(coordinator.watchSignals({ watches: [{ name: 'top.w', condition: '> much' }] }), { code: 'usage' });
});

test('a name that the design does not have', async (t) => {
  const { answers } = simulation(`${head}missing\ttop.none\n`);
  const { coordinator } = await session(t, answers);
  await assert.rejects(coordinator.scope(ScopeParams.parse({ scope: 'top.none' })), { code: 'noSuchSignal' });
  assert.deepEqual((await coordinator.readSignals({ names: ['top.none'] })).missing, ['top.none']);
});
