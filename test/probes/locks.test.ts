/**
 * The example of native-agent/examples/locks: a vendor's lock type with the kernel's ids of owners, which its plugin sets right after a
 * restart; held and waited for over a checkpoint by threads of several processes.
 */
import assert from 'node:assert/strict';
import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { waitFor } from '../support/processes.js';
import type { Program } from '../support/program.js';
import { type Scratch, withScratch } from '../support/scratch.js';
import { inTree } from '../support/tree.js';
import { compile, probeOutput } from './catalogue.js';

const PROCESSES = 3;
const numbers = Array.from({ length: PROCESSES }, (_, number) => number);

async function build(): Promise<{ workers: string; plugin: string }> {
  const folder = join(probeOutput, 'locks');
  mkdirSync(folder, { recursive: true });
  const source = (name: string): string => inTree(`native-agent/examples/locks/${name}`);
  const library = join(folder, 'libbuslock.so.1');
  await compile(source('buslock.c'), library, ['-shared', '-fPIC', '-Wl,-soname,libbuslock.so.1']);
  await compile(source('workers.c'), join(folder, 'workers'), [library, '-Wl,-rpath,$ORIGIN', '-pthread']);
  await compile(source('plugin.c'), join(folder, 'bus_locks.so'), ['-shared', '-fPIC', '-fvisibility=hidden']);
  return { workers: join(folder, 'workers'), plugin: join(folder, 'bus_locks.so') };
}

const held = (process: number): string => `process ${process} took its lock: well; released it: well`;
const passed = (process: number, how = 'well'): string =>
  `process ${process} got lock ${1 + ((process + 1) % PROCESSES)}: ${how}; released it: well`;

/** What all say at the end, beside `ready`. */
const said = (program: Program): string[] => program.lines.filter((line) => line !== 'ready').toSorted();

interface Status {
  state: string;
  processes: { virtualPid: number; realPid: number }[];
}

/** The workers of a session that runs, in the order in which they were forked. */
function workersOf(scratch: Scratch, session: string): Promise<number[]> {
  return waitFor(`the workers of ${session}`, async () => {
    const { status, stdout } = await scratch.cairn(['status', '--session', session, '--json']);
    if (status !== 0) return undefined;
    const { state, processes } = JSON.parse(stdout) as Status;
    const [, ...workers] = processes.toSorted((one, other) => one.virtualPid - other.virtualPid);
    return state === 'running' && workers.length === PROCESSES ? workers.map(({ realPid }) => realPid) : undefined;
  });
}

test('locks that threads of several processes hold over a checkpoint are theirs after a restart', async () => {
  const { workers, plugin } = await build();
  await withScratch(async (scratch) => {
    const end = join(scratch.folder, 'end');
    const command = [workers, 'locks', end, String(PROCESSES), '4'];
    const one = scratch.cairnProgram(['run', '--session', 'one', '--plugin', plugin, '--', ...command]);
    await one.line(/^ready$/);
    // The owner of lock 31 has ended, and its id is somebody else's by now.
    const locks = openSync(join(scratch.work, 'locks'), 'r+');
    writeSync(locks, Uint32Array.of(process.pid), 0, 4, 31 * 4);
    closeSync(locks);
    const restart = (snapshot: string, session: string, ...more: string[]): Program =>
      scratch.cairnProgram(['restart', snapshot, '--session', session, ...more]);

    // The old owners live on meanwhile: who takes a lock for theirs finds somebody there.
    const { snapshot } = await scratch.checkpoint('one');
    const two = restart(snapshot, 'two');
    await workersOf(scratch, 'two');
    const again = await scratch.checkpoint('two');
    const three = restart(again.snapshot, 'three');
    const killed = restart(snapshot, 'killed');
    const [, victim] = await workersOf(scratch, 'killed');
    await workersOf(scratch, 'three');
    assert.ok(victim);
    process.kill(victim, 'SIGKILL');
    await killed.line(/^process 0 got lock 2/);

    writeFileSync(end, '');
    const without = restart(snapshot, 'without', '--without', 'bus-locks');
    await without.line(/^process 0 took its lock: well; released it: not the caller's$/);
    await scratch.json(['stop', '--session', 'without']);

    const all = [...numbers.map(held), ...numbers.map((number) => passed(number)), 'lock 30: its owner had ended'];
    for (const program of [one, two, three, killed]) assert.equal(await program.exit(), 0, program.transcript());
    assert.deepEqual(said(one), [...all, 'lock 31: busy'].toSorted());
    for (const program of [two, three]) assert.deepEqual(said(program), [...all, 'lock 31: its owner had ended'].toSorted());
    const ofTheOthers = [held(0), held(2), passed(0, 'its owner had ended'), passed(2)];
    assert.deepEqual(said(killed), [...ofTheOthers, 'lock 30: its owner had ended', 'lock 31: its owner had ended'].toSorted());
  });
});
