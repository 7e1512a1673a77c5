/**
 * Design signals of a computation that is held: read from a copy, written at the end of the time step, watched, and noted with snapshots.
 */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import type { SessionStatus } from '../../debug-adapter/src/protocol/control.js';
import type { ScopeResult, WatchSignalsResult } from '../../debug-adapter/src/protocol/signals.js';
import type { SnapshotSummary } from '../../debug-adapter/src/protocol/snapshot.js';
import { waitFor } from '../support/processes.js';
import type { Scratch } from '../support/scratch.js';
import { buildDesign, Design, number, running, simulators, within } from './design.js';
import { build } from './simulation.js';

before(async () => {
  await build();
  await buildDesign();
});

async function json<T>(scratch: Scratch, ...args: string[]): Promise<T> {
  const { stdout, stderr } = await scratch.cairn([...args, '--session', 'design', '--json']);
  assert.notEqual(stdout, '', stderr);
  return JSON.parse(stdout) as T;
}

async function does(scratch: Scratch, ...args: string[]): Promise<void> {
  const { status, stderr } = await scratch.cairn([...args, '--session', 'design']);
  assert.equal(status, 0, stderr);
}

const status = (scratch: Scratch): Promise<SessionStatus> => json(scratch, 'status');

function held(scratch: Scratch): Promise<SessionStatus> {
  return waitFor(
    'the hold',
    async () => {
      const one = await status(scratch);
      return one.state === 'held' && one.operation?.finished === true ? one : undefined;
    },
    60,
  );
}

const edgesAt = (ticks: string): number => Number(((BigInt(ticks) / 1000n + 5n) / 10n) % 65536n);

const all = { Icarus: simulators.Icarus, Verilator: simulators.Verilator };
for (const [name, simulator] of Object.entries(all)) {
  const watched = `${simulator.scope}.count`;

  test(`${name}: what is held can be looked at, again and again, and does not move`, async () => {
    await within(async (scratch) => {
      const design = await Design.start(scratch, simulator);
      await does(scratch, 'hold');
      const first = await design.list(`${simulator.scope}.`);
      for (let look = 0; look < 5; look++) assert.deepEqual(await design.list(`${simulator.scope}.`), first);
      const top = await json<ScopeResult>(scratch, 'signals', 'tree');
      assert.equal(top.total.scopes, top.scopes.length);
      const own = await json<ScopeResult>(scratch, 'signals', 'tree', simulator.scope, '--limit', '4');
      // Scopes within it, of generate blocks and functions, come first.
      assert.deepEqual([own.scopes.length + own.signals.length, own.next], [4, 4]);
      assert.deepEqual(own.time, first.time);
      const rest = await json<ScopeResult>(scratch, 'signals', 'tree', simulator.scope, '--offset', '4');
      assert.equal(own.total.signals, own.signals.length + rest.signals.length);
      const words = await json<ScopeResult>(scratch, 'signals', 'tree', `${simulator.scope}.memory`, '--offset', '14');
      assert.deepEqual(
        [words.total.signals, words.signals.map(({ name: word }) => word.slice(simulator.scope.length))],
        [16, ['.memory[14]', '.memory[15]']],
      );
      assert.deepEqual(
        top.scopes.map(({ name: scope, module }) => [scope, module]),
        [[simulator.scope, name === 'Icarus' ? 'signals' : '']],
      );
      await does(scratch, 'resume');
      assert.ok(BigInt((await design.list(`${watched}`)).time.ticks) >= BigInt(first.time.ticks));
    });
  });

  test(`${name}: what is written while it is held is there, and it is still held, 10 times of 10`, async () => {
    await within(async (scratch) => {
      const design = await Design.start(scratch, simulator);
      await does(scratch, 'hold');
      let ticks = BigInt((await design.list(watched)).time.ticks);
      for (let round = 1; round <= 10; round++) {
        const { written, time } = await design.write('set', `kept=${round * 1001}`);
        assert.deepEqual(
          [written[0]?.outcome, written[0]?.after],
          ['effective', `32'h${(round * 1001).toString(16).padStart(8, '0')}`],
        );
        assert.equal((await status(scratch)).state, 'held');
        const seen = await design.list(`${simulator.scope}.kept`);
        assert.equal(number(seen.signals[0] ?? assert.fail()), round * 1001);
        // It stands where it was written, at most a time step on.
        assert.equal(seen.time.ticks, time.ticks);
        assert.ok(BigInt(time.ticks) - ticks <= 10_000n, `${time.ticks} after ${ticks}`);
        ticks = BigInt(time.ticks);
      }
      await does(scratch, 'resume');
      assert.equal(number(await design.read('kept')), 10_010);
    });
  });

  test(`${name}: a signal's change and its value hold the computation at that time step`, async () => {
    await within(async (scratch) => {
      const design = await Design.start(scratch, simulator);
      await design.set('kept=1');
      await does(scratch, 'signals', 'watch', watched);
      const changed = await held(scratch);
      assert.equal(changed.heldBy?.what, watched);
      const here = await design.list(watched);
      const now = number(here.signals[0] ?? assert.fail());
      assert.equal(now, edgesAt(here.time.ticks));
      assert.equal(changed.heldBy?.why, `16'h${hex(now - 1)} → 16'h${hex(now)}`);
      // The next change, exactly one edge later.
      await does(scratch, 'resume');
      await waitFor(
        'the next change',
        async () => (await held(scratch)).heldBy?.why === `16'h${hex(now)} → 16'h${hex(now + 1)}`,
        60,
      );
      const target = (now + 500) % 65536;
      await does(scratch, 'signals', 'watch', `${watched}==${target}`);
      await does(scratch, 'resume');
      await held(scratch);
      const there = await design.list(watched);
      assert.equal(number(there.signals[0] ?? assert.fail()), target);
      assert.equal(edgesAt(there.time.ticks), target);
      // From here on nothing is watched: it runs.
      await does(scratch, 'signals', 'watch');
      await does(scratch, 'resume');
      assert.equal((await status(scratch)).heldBy, null);
      await waitFor(
        'some edges',
        async () => BigInt((await design.list(watched)).time.ticks) > BigInt(there.time.ticks) + 1_000_000n,
        60,
      );
      assert.equal((await status(scratch)).state, 'running');
    });
  });

  test(`${name}: where a watched signal has held it a checkpoint is made, which restarts and goes on with nothing watched`, async () => {
    await within(async (scratch) => {
      const design = await Design.start(scratch, simulator);
      await does(scratch, 'signals', 'choose', watched, `${simulator.scope}.kept`, `${simulator.scope}.none`);
      await does(scratch, 'signals', 'watch', `${watched}==4321`);
      await held(scratch);
      const { time } = await design.list(watched);
      await does(scratch, 'checkpoint', '--name', 'there');
      assert.equal((await status(scratch)).state, 'held');
      const made = await scratch.cairn(['ls', '--json']);
      const [snapshot] = JSON.parse(made.stdout) as SnapshotSummary[];
      assert.deepEqual(snapshot?.simulatedTime, time);
      assert.deepEqual(snapshot?.signals, [
        { name: watched, value: "16'h10e1" },
        { name: `${simulator.scope}.kept`, value: "32'h12345678" },
      ]);
      assert.match((await scratch.cairn(['show', 'there'])).stdout, /signal +\S+\.count = 16'h10e1/);
      await does(scratch, 'stop');
      const program = scratch.cairnProgram(['restart', 'there', '--session', 'again']);
      const again = new Design(scratch, program, simulator.scope, 'again');
      await running(again);
      await again.set('stop=1');
      assert.equal(await program.exit(60), 0, program.transcript());
      assert.match(program.stdout, /^stopped: kept 12345678/m);
    });
  });
}

const hex = (value: number): string => (value % 65536).toString(16).padStart(4, '0');

test('Icarus: a written signal that is watched holds it once; a condition that does not fit is said', async () => {
  await within(async (scratch) => {
    const design = await Design.start(scratch, simulators.Icarus);
    await does(scratch, 'hold');
    const watch = await json<WatchSignalsResult>(
      scratch,
      'signals',
      'watch',
      'signals.kept',
      'signals.level==1',
      'signals.none',
      'signals.count==65536',
    );
    assert.deepEqual(
      watch.watched.map(({ why }) => why.slice(0, 17)),
      ['', 'it is a real: com', 'the design has no', 'the value does no'],
    );
    await design.write('set', 'kept=77');
    const one = await held(scratch);
    assert.deepEqual(one.heldBy, { what: 'signals.kept', why: "32'h12345678 → 32'h0000004d" });
    await does(scratch, 'resume');
    const { time } = await design.list('signals.count');
    await waitFor(
      'some edges',
      async () => BigInt((await design.list('signals.count')).time.ticks) > BigInt(time.ticks) + 100_000n,
      60,
    );
    assert.equal((await status(scratch)).state, 'running');
  });
});

for (const [name, simulator] of Object.entries(all))
  test(`${name}: a bit of a vector that is too wide to be watched as a whole holds it`, async () => {
    await within(async (scratch) => {
      const design = await Design.start(scratch, simulator);
      await does(scratch, 'hold');
      const broad = `${simulator.scope}.broad`;
      const watch = await json<WatchSignalsResult>(scratch, 'signals', 'watch', broad, `${broad}[0]`);
      assert.deepEqual(
        watch.watched.map(({ why }) => why.slice(0, 26)),
        ['it has more than 1,024 bit', ''],
      );
      await does(scratch, 'resume');
      const { heldBy } = await held(scratch);
      assert.equal(heldBy?.what, `${broad}[0]`);
      assert.match(heldBy.why, /^1'b[01] → 1'b[01]$/);
      await does(scratch, 'signals', 'watch');
      await does(scratch, 'resume');
      assert.ok((await design.list(broad)).signals.length > 0);
    });
  });

test('Icarus: a signal that changes where another holds it is known by its value of then', async () => {
  await within(async (scratch) => {
    const design = await Design.start(scratch, simulators.Icarus);
    await does(scratch, 'hold');
    const here = number((await design.list('signals.count')).signals[0] ?? assert.fail());
    const count = (here + 2000) % 65536;
    await does(scratch, 'signals', 'watch', `signals.count==${count}`, `signals.twice==${(2 * count + 2) % 65536}`);
    await does(scratch, 'resume');
    await waitFor('the first', async () => (await held(scratch)).heldBy?.what === 'signals.count', 60);
    await does(scratch, 'resume');
    const next = await waitFor(
      'the second',
      async () => {
        const { heldBy } = await held(scratch);
        return heldBy?.what === 'signals.twice' ? heldBy : undefined;
      },
      60,
    );
    assert.equal(next.why, `16'h${hex(2 * count)} → 16'h${hex(2 * count + 2)}`);
  });
});

test('A program that is no simulation says so, held as well', async () => {
  await within(async (scratch) => {
    await Design.start(scratch, { command: ['sleep', '1000'], scope: '' });
    await does(scratch, 'hold');
    const { status: failed, stderr } = await scratch.cairn(['signals', 'tree', '--session', 'design']);
    assert.equal(failed, 1);
    assert.match(stderr, /stripped|neither VPI/);
  });
});
