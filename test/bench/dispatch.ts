/**
 * What plugins from outside cost a checkpoint of a large computation: all events to twenty of them, and fifty barriers of theirs, none of which
 * does anything; as a share of the time for which the computation is held, against the same tree without them, in turns.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { compile } from '../probes/catalogue.js';
import { waitFor } from '../support/processes.js';
import { Scratch } from '../support/scratch.js';
import { inTree } from '../support/tree.js';
import { median, type Row } from './row.js';

const PLUGINS = 20;
const BARRIERS = 50;

const folder = inTree('build/test/bench/dispatch');

/** Libraries of plugins that have those barriers together. */
async function plugins(): Promise<string[]> {
  mkdirSync(folder, { recursive: true });
  const each = Math.floor(BARRIERS / PLUGINS);
  return Promise.all(
    Array.from({ length: PLUGINS }, async (_, index) => {
      const library = join(folder, `plugin${index}.so`);
      const barriers = each + Number(index < BARRIERS - each * PLUGINS);
      const flags = ['-O2', '-shared', '-fPIC', '-fvisibility=hidden', `-DNAME="plugin${index}"`, `-DBARRIERS=${barriers}`];
      await compile(inTree('test/bench/dispatch.c'), library, flags);
      return library;
    }),
  );
}

export async function measureDispatch(processes: number, rounds: number): Promise<Row[]> {
  const helper = inTree('build/test/bench/tree');
  await compile(inTree('test/bench/tree.c'), helper, ['-O2']);
  const given = (await plugins()).flatMap((library) => ['--plugin', library]);
  const scratch = new Scratch();
  try {
    const kinds = [
      { session: 'plain', plugins: [] as string[], held: [] as number[] },
      { session: 'plugins', plugins: given, held: [] as number[] },
    ] as const;
    for (const { session, plugins } of kinds) {
      const program = scratch.cairnProgram(['run', '--session', session, ...plugins, '--', helper, String(processes)]);
      await program.line(/^beat$/, 120);
      await waitFor('all processes', async () => {
        const status = await scratch.json<{ processes: unknown[] }>(['status', '--session', session]);
        return status.processes.length >= processes;
      });
    }
    for (let round = 0; round < rounds; round++) {
      for (const { session, held } of kinds) {
        const { snapshot, pauseMs } = await scratch.json<{ snapshot: string; pauseMs: number }>(
          ['checkpoint', '--session', session],
          { seconds: 300 },
        );
        held.push(pauseMs);
        await scratch.json(['rm', snapshot], { seconds: 120 });
      }
    }
    for (const { session } of kinds) await scratch.json(['stop', '--session', session]);
    const [plain, loaded] = [median([...kinds[0].held]), median([...kinds[1].held])];
    const cost = Math.max(0, loaded - plain);
    return [
      {
        question: `Dispatch of all events of a checkpoint to ${PLUGINS} plugins, and ${BARRIERS} barriers of theirs, in ${processes} processes: share of the time held`,
        measured: `${cost.toFixed(1)} ms`,
        compared: `held ${loaded.toFixed(0)} ms, without the plugins ${plain.toFixed(0)} ms`,
        ratio: cost / loaded,
        aim: null,
      },
    ];
  } finally {
    await scratch.close();
  }
}
