/** Which process is told of data breakpoints, and when again: with a coordinator whose answers are given here. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DebugProtocol } from '@vscode/debugprotocol';
import { DataBreakpoints, dataIdOf } from '../../debug-adapter/src/dap/data-breakpoints.js';
import type { Ask } from '../../debug-adapter/src/dap/design.js';
import type { ProcessStatus } from '../../debug-adapter/src/protocol/control.js';
import { failure } from '../../debug-adapter/src/protocol/errors.js';

interface Asked {
  virtualPid?: number;
  watches: { name: string }[];
}

const plugin = { name: 'hdl', version: '', author: '', library: '', layer: 0, barriers: [], restartBarriers: [], error: '' };

function running(virtualPid: number, program: string): ProcessStatus {
  const executable = `/bin/${program}`;
  const names = { realPid: virtualPid, virtualParent: 1, host: 'here', executable, argv: [program] };
  return { virtualPid, ...names, plugins: [plugin], problem: '' };
}

/** Processes called vvp are simulations; a name that begins with `no` is no signal of theirs. */
class Computation {
  processes: ProcessStatus[] | undefined;
  readonly asked: Asked[] = [];
  readonly changed: DebugProtocol.Breakpoint[] = [];
  readonly breakpoints = new DataBreakpoints(
    ((_method: string, params: Asked) => this.#answer(params)) as Ask,
    () => this.processes,
    (one) => this.changed.push(one),
  );

  async #answer(params: Asked): Promise<object> {
    await Promise.resolve();
    this.asked.push(params);
    const all = (this.processes ?? []).filter((one) => params.virtualPid === undefined || one.virtualPid === params.virtualPid);
    const simulations = all.filter(({ argv }) => argv[0] === 'vvp');
    const [one] = simulations;
    if (one === undefined) throw failure('noSignals', { pid: 1, program: 'sh', why: 'it is no simulation' });
    if (simulations.length > 1) throw failure('severalSimulations', { all: '' });
    const watched = params.watches.map(({ name }) => ({ name, why: name.startsWith('no') ? 'there is no such signal' : '' }));
    return { virtualPid: one.virtualPid, watched };
  }

  async set(...dataIds: string[]): Promise<boolean[]> {
    const answer = await this.breakpoints.set({ breakpoints: dataIds.map((dataId) => ({ dataId })) });
    return (answer as { breakpoints: DebugProtocol.Breakpoint[] }).breakpoints.map(({ verified }) => verified);
  }

  async now(...processes: ProcessStatus[]): Promise<void> {
    this.processes = processes;
    await this.breakpoints.follow();
  }

  /** What was told since the last question: whom, and which signals. */
  told(): [number | undefined, string[]][] {
    return this.asked.splice(0).map(({ virtualPid, watches }) => [virtualPid, watches.map(({ name }) => name)]);
  }

  /** What the client was told of by events since the last question. */
  news(): [number | undefined, boolean][] {
    return this.changed.splice(0).map(({ id, verified }) => [id, verified]);
  }
}

test('a simulation that a script starts is told when it is there, and the next one, too', async () => {
  const computation = new Computation();
  assert.deepEqual(await computation.set('top.a'), [false]);
  assert.deepEqual(computation.told(), [], 'nobody is there');
  await computation.now(running(1, 'sh'));
  assert.equal(computation.told().length, 1);
  assert.match(computation.changed[0]?.message ?? '', /it is no simulation/);
  computation.news();
  await computation.now(running(1, 'sh'));
  assert.deepEqual([computation.told(), computation.news()], [[], []], 'nothing has changed');
  await computation.now(running(1, 'sh'), running(2, 'sh'));
  assert.deepEqual(computation.news(), [], 'the answer is the same');
  await computation.now(running(1, 'sh'), running(2, 'vvp'));
  assert.deepEqual(computation.news(), [[100_000, true]], 'it has executed the simulator');
  computation.told();
  await computation.now(running(1, 'sh'), running(2, 'vvp'), running(3, 'gtkwave'));
  await computation.now(running(1, 'sh'), running(2, 'vvp'));
  assert.deepEqual(computation.told(), [], 'who is told is there still');
  await computation.now(running(1, 'sh'));
  assert.deepEqual(computation.news(), [[100_000, false]]);
  await computation.now(running(1, 'sh'), running(4, 'vvp'));
  assert.deepEqual(computation.news(), [[100_000, true]]);
});

test('of several simulations each is told of its own breakpoints, all at once, and of none when they are taken away', async () => {
  const computation = new Computation();
  await computation.now(running(7, 'vvp'), running(8, 'vvp'));
  const ids = [dataIdOf('top.a', 7), dataIdOf('top.b', 8), dataIdOf('top.c', 7), dataIdOf('no.such', 8)];
  assert.deepEqual(await computation.set(...ids), [true, true, true, false]);
  assert.deepEqual(computation.told(), [
    [7, ['top.a', 'top.c']],
    [8, ['top.b', 'no.such']],
  ]);
  assert.deepEqual(computation.breakpoints.hit('top.b'), [100_001]);
  assert.deepEqual(await computation.set('top.a', dataIdOf('top.b', 8)), [false, true], 'one is of no particular process');
  assert.deepEqual(computation.told(), [
    [undefined, ['top.a']],
    [8, ['top.b']],
    [7, []],
  ]);
  await computation.now(running(8, 'vvp'));
  assert.deepEqual(await computation.set('top.a', dataIdOf('top.b', 8)), [true, true]);
  assert.deepEqual(computation.told().at(-1), [8, ['top.a', 'top.b']], 'in place of what it was told just before');
  await computation.set();
  assert.deepEqual(computation.told(), [[8, []]]);
});
