/**
 * What calls and plain computing cost under Cairn, and after a restart, when ids, paths and times are translated: test/bench/loops.c
 * in three lives, in turns, so that what else the machine does falls on all of them.
 */
import { join } from 'node:path';
import { compile } from '../probes/catalogue.js';
import type { Program } from '../support/program.js';
import { Scratch } from '../support/scratch.js';
import { inTree } from '../support/tree.js';
import type { Row } from './row.js';

const helper = inTree('build/test/bench/loops');

/** In the order of the table; `aim` where there is one. */
const loops: readonly { name: string; what: string; aim: number | null }[] = [
  { name: 'compute', what: 'computing in registers', aim: 1.01 },
  { name: 'memory', what: 'reading and writing memory', aim: 1.01 },
  { name: 'malloc', what: 'malloc() and free()', aim: 1.01 },
  { name: 'getpid', what: 'getpid()', aim: 1.3 },
  { name: 'kill', what: 'kill(own pid, 0)', aim: 1.3 },
  { name: 'open', what: 'open() and close()', aim: 1.3 },
  { name: 'pipe', what: 'a byte written to a pipe and read', aim: 1.3 },
  { name: 'mutex', what: 'locking and unlocking a free mutex', aim: 1.3 },
  { name: 'clock', what: 'clock_gettime()', aim: null },
  { name: 'thread', what: 'pthread_create() and pthread_join()', aim: null },
  { name: 'fork', what: 'fork() and waitpid()', aim: null },
  { name: 'exec', what: 'posix_spawn() and waitpid()', aim: null },
];

type Times = Map<string, number>;

/** Asks the program to measure once more; nanoseconds of one iteration of each loop. */
async function measure(program: Program, pid: number): Promise<Times> {
  const from = program.lines.length;
  process.kill(pid, 'SIGUSR1');
  await program.line(/^done$/, 120, from);
  const times: Times = new Map();
  for (const line of program.lines.slice(from)) {
    const [name, time] = line.split(' ');
    if (name !== undefined && time !== undefined) times.set(name, Number(time));
  }
  return times;
}

const least = (all: readonly Times[], name: string): number => Math.min(...all.map((times) => times.get(name) ?? Number.NaN));

const nanoseconds = (time: number): string =>
  time < 1000 ? `${time.toFixed(1)} ns` : time < 1e6 ? `${(time / 1000).toFixed(1)} us` : `${(time / 1e6).toFixed(2)} ms`;

export async function measureCalls(rounds: number): Promise<Row[]> {
  await compile(inTree('test/bench/loops.c'), helper, ['-O2', '-pthread']);
  const scratch = new Scratch();
  try {
    const lives = { without: [] as Times[], under: [] as Times[], restarted: [] as Times[] };
    const plain = scratch.start([helper], { cwd: scratch.makeFolder(join(scratch.work, 'plain')) });
    await plain.line(/^ready$/);
    const first = scratch.cairnProgram(['run', '--session', 'calls', '--', helper]);
    await first.line(/^ready$/);
    const { snapshot } = await scratch.checkpoint('calls');
    const again = scratch.cairnProgram(['restart', snapshot, '--session', 'calls-again']);
    const pids = [plain.pid, await scratch.application(first), await scratch.application(again)] as const;
    for (let round = 0; round < rounds; round++) {
      lives.without.push(await measure(plain, pids[0]));
      lives.under.push(await measure(first, pids[1]));
      lives.restarted.push(await measure(again, pids[2]));
    }
    for (const session of ['calls', 'calls-again']) await scratch.json(['stop', '--session', session]);
    plain.end();
    return loops.flatMap(({ name, what, aim }) => {
      const base = least(lives.without, name);
      const row = (where: string, time: number, wanted: number | null): Row => ({
        question: `Cost under Cairn${where}: ${what}`,
        measured: nanoseconds(time),
        compared: `without: ${nanoseconds(base)}`,
        ratio: time / base,
        aim: wanted,
      });
      return [row('', least(lives.under, name), aim), row(', after a restart', least(lives.restarted, name), null)];
    });
  } finally {
    await scratch.close();
  }
}
