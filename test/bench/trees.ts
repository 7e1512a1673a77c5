/**
 * How a checkpoint and a restart grow with the number of processes: time for each process, against that in a tree of ten; and what
 * of it the coordinator's processor time is.
 */
import { compile } from '../probes/catalogue.js';
import { readProc } from '../support/processes.js';
import type { Program } from '../support/program.js';
import { Scratch } from '../support/scratch.js';
import { inTree } from '../support/tree.js';
import { median, type Row } from './row.js';

const helper = inTree('build/test/bench/tree');
const TICK_MS = 10;

/** User and system time of a process so far, in milliseconds. */
function processorMs(pid: number): number {
  const fields = readProc(pid, 'stat')
    .replace(/^.*\) /, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

interface TreeTimes {
  count: number;
  checkpointMs: number;
  heldMs: number;
  restartMs: number;
  /** The coordinator's processor time within a checkpoint. */
  coordinatorMs: number;
}

async function ended(scratch: Scratch, program: Program, session: string): Promise<void> {
  await scratch.json(['stop', '--session', session]);
  await program.exit(60);
}

async function measureTree(count: number, rounds: number): Promise<TreeTimes> {
  const scratch = new Scratch();
  try {
    const program = scratch.cairnProgram(['run', '--session', 'tree', '--', helper, String(count)]);
    await program.line(/^beat$/, 120);
    const { coordinator } = await scratch.json<{ coordinator: number }>(['status', '--session', 'tree']);
    const whole: number[] = [];
    const held: number[] = [];
    const own: number[] = [];
    let snapshot = '';
    for (let round = 0; round < rounds; round++) {
      if (snapshot !== '') await scratch.json(['rm', snapshot], { seconds: 120 });
      const before = processorMs(coordinator);
      const made = await scratch.json<{ snapshot: string; pauseMs: number; totalMs: number }>(
        ['checkpoint', '--session', 'tree'],
        {
          seconds: 300,
        },
      );
      own.push(processorMs(coordinator) - before);
      whole.push(made.totalMs);
      held.push(made.pauseMs);
      snapshot = made.snapshot;
    }
    await ended(scratch, program, 'tree');
    const restarts: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const start = performance.now();
      const again = scratch.cairnProgram(['restart', snapshot, '--session', `again${round}`]);
      await again.line(/^beat$/, 300);
      restarts.push(performance.now() - start);
      await ended(scratch, again, `again${round}`);
    }
    return {
      count,
      checkpointMs: median(whole),
      heldMs: median(held),
      restartMs: median(restarts),
      coordinatorMs: median(own),
    };
  } finally {
    await scratch.close();
  }
}

export async function measureTrees(counts: readonly number[], rounds: number, say: (text: string) => void): Promise<Row[]> {
  await compile(inTree('test/bench/tree.c'), helper, ['-O2']);
  const all: TreeTimes[] = [];
  for (const count of counts) {
    say(`a tree of ${count} processes …`);
    all.push(await measureTree(count, rounds));
  }
  const base = all.find(({ count }) => count === 10) ?? all[0];
  if (base === undefined) return [];
  const ms = (time: number): string => `${time.toFixed(time < 10 ? 1 : 0)} ms`;
  const rows: Row[] = [];
  for (const one of all) {
    const each = (what: string, time: number, compared: number, more: string): Row => ({
      question: `${what} of a tree of ${one.count} process${one.count === 1 ? '' : 'es'}, for each process`,
      measured: `${ms(time / one.count)} (all: ${ms(time)}${more})`,
      compared: `${base.count} processes: ${ms(compared / base.count)}`,
      ratio: time / one.count / (compared / base.count),
      // Fewer have the fixed cost to themselves.
      aim: one.count > base.count ? 1 : null,
    });
    const share = `, held ${ms(one.heldMs)}, coordinator's processor time ${ms(one.coordinatorMs)}`;
    rows.push(each('Checkpoint', one.checkpointMs, base.checkpointMs, share));
    rows.push(each('Restart', one.restartMs, base.restartMs, ''));
  }
  return rows;
}
