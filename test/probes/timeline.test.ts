/**
 * How operations went, process by process and callback by callback: what the processes measured themselves, what a session and a
 * snapshot keep of it, and what the command line says.
 */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TracedCall } from '../../debug-adapter/src/cli/commands/plugin-trace.js';
import type { SessionStatus } from '../../debug-adapter/src/protocol/control.js';
import type { OperationTimeline } from '../../debug-adapter/src/protocol/timeline.js';
import { waitFor } from '../support/processes.js';
import { type Scratch, withScratch } from '../support/scratch.js';
import { compile, probeSources } from './catalogue.js';

async function bothThere(scratch: Scratch, session: string): Promise<void> {
  await waitFor('both processes', async () => {
    const { status, stdout } = await scratch.cairn(['status', '--session', session, '--json']);
    if (status !== 0) return false;
    const { state, processes } = JSON.parse(stdout) as SessionStatus;
    return state === 'running' && processes.length === 2;
  });
}

/** A shell and a sleeper, in which the plugin takes its time. Gives the sleeper's virtual pid. */
async function twoProcesses(scratch: Scratch, session: string): Promise<number> {
  const library = join(scratch.folder, 'slow.so');
  await compile(join(probeSources, 'tools/slow_plugin.c'), library, ['-shared', '-fPIC']);
  const script = 'SLOW=1 sleep 600 & echo started $!; wait';
  const program = scratch.cairnProgram(['run', '--session', session, '--plugin', library, '--', 'sh', '-c', script]);
  const line = await program.line(/^started \d+$/);
  await bothThere(scratch, session);
  return Number(line.split(' ')[1]);
}

const trace = (scratch: Scratch, ...args: string[]): Promise<TracedCall[]> => scratch.json(['plugin', 'trace', ...args]);

test('each process says how long each callback took, and who came last is known', () =>
  withScratch(async (scratch) => {
    const sleeper = await twoProcesses(scratch, 'slow');
    await scratch.checkpoint('slow');
    const calls = await trace(scratch, '--session', 'slow');
    const of = (callback: string): TracedCall[] =>
      calls.filter((call) => call.plugin === 'slow' && call.callback === callback).sort((a, b) => b.ms - a.ms);
    for (const [callback, least] of [
      ['barrier pass', 80],
      ['event precheckpoint', 40],
    ] as const) {
      const [most, other] = of(callback);
      assert.ok(most && other, `${callback}: ${JSON.stringify(of(callback))}`);
      assert.deepEqual([most.virtualPid, most.program, most.count], [sleeper, 'sleep', 1]);
      assert.ok(most.ms >= least && most.ms < 10 * least, `${callback} took ${most.ms} ms`);
      assert.ok(other.ms < least / 2, `${callback} took ${other.ms} ms where nobody slept`);
    }
    // Ours are there, too, and in the order of their layers' calls.
    assert.ok(calls.some(({ plugin, callback }) => plugin === 'file' && callback === 'event precheckpoint'));
    assert.ok(calls.every((call, index) => index === 0 || call.atMs >= (calls[index - 1]?.atMs ?? 0)));

    const { stdout } = await scratch.cairn(['barriers', '--session', 'slow']);
    assert.match(stdout, new RegExp(`^slow\\.pass .* last: ${sleeper} \\(sleep\\); slow, barrier pass: \\d+ ms$`, 'm'));
    assert.match(
      stdout,
      new RegExp(`^slowest: plugin slow, barrier pass, in process ${sleeper} \\(sleep\\) at slow.pass: \\d+ ms$`, 'm'),
    );
    const one = await trace(scratch, '--session', 'slow', '--plugin', 'slow', '--pid', String(sleeper));
    assert.ok(one.length > 0 && one.every(({ plugin, virtualPid }) => plugin === 'slow' && virtualPid === sleeper));
    await scratch.json(['stop', '--session', 'slow']);
  }));

test('a snapshot keeps how it was made and the last restarts from it, ten in all; they go with it', () =>
  withScratch(async (scratch) => {
    await twoProcesses(scratch, 'kept');
    const { snapshot } = await scratch.checkpoint('kept', '--then', 'kill');
    const kept = (): Promise<OperationTimeline[]> => scratch.json(['barriers', '--snapshot', snapshot]);
    const [made, ...others] = await kept();
    assert.deepEqual([made?.kind, made?.snapshot, made?.finished, others.length], ['checkpoint', snapshot, true, 0]);
    for (let time = 1; time <= 10; time++) {
      const again = scratch.cairnProgram(['restart', snapshot, '--session', `again${time}`]);
      await bothThere(scratch, `again${time}`);
      await scratch.json(['stop', '--session', `again${time}`]);
      await again.exit();
    }
    const all = await kept();
    assert.deepEqual(
      all.map(({ kind, session, error }) => [kind, session, error]),
      Array.from({ length: 10 }, (_, index) => ['restart', `again${index + 1}`, '']),
    );
    const last = all.at(-1);
    const restart = last?.phases.find(({ phase }) => phase === 'restart');
    assert.deepEqual([restart?.arrivals.length, restart?.missing.length], [2, 0]);
    assert.ok(restart?.arrivals.every(({ calls }) => calls.some(({ callback }) => callback === 'event restart')));
    // Also by its folder, from where the store is not the one in the working directory.
    const elsewhere = await scratch.json<OperationTimeline[]>(
      ['barriers', '--snapshot', join(scratch.store, 'snapshots', snapshot)],
      {
        env: { CAIRN_STORE: join(scratch.folder, 'another') },
      },
    );
    assert.deepEqual(elsewhere, all);
    await scratch.cairn(['rm', snapshot]);
    assert.equal(existsSync(join(scratch.store, 'timelines', snapshot)), false);
  }));
