/**
 * A coordinator with ten thousand processes: how long a barrier takes, and how much memory the coordinator has. One real process, and
 * the rest simulated by test/bench/crowd.ts over the real protocol.
 */
import { readProc, waitFor } from '../support/processes.js';
import { Scratch } from '../support/scratch.js';
import { inTree } from '../support/tree.js';
import type { Row } from './row.js';

interface Status {
  coordinator: number;
  computation: string;
  processes: unknown[];
  operation: { phases: { phase: string; barrier: string; startedMs: number; endedMs: number | null }[] } | null;
}

const AIM_MS = 1000;
const AIM_MB = 200;

export async function measureAgents(count: number, rounds: number): Promise<Row[]> {
  const scratch = new Scratch();
  try {
    const program = scratch.cairnProgram(['run', '--session', 'crowd', '--', 'sleep', '600']);
    const status = (): Promise<Status> => scratch.json<Status>(['status', '--session', 'crowd']);
    const first = await waitFor('the first process', async () => {
      const now = await status().catch(() => undefined);
      return now?.processes.length === 1 ? now : undefined;
    });
    const loader = inTree('scripts/lib/typescript.mjs');
    const socket = `${scratch.runtime}/cairn/crowd/agent.sock`;
    const crowd = scratch.start(
      [process.execPath, '--import', loader, inTree('test/bench/crowd.ts'), socket, first.computation, String(count)],
      { input: true },
    );
    await crowd.line(/^joined$/, 300);
    const { processes } = await status();
    if (processes.length !== count + 1) throw new Error(`${processes.length - 1} of ${count} have joined`);
    const times: number[] = [];
    for (let round = 0; round < rounds; round++) {
      await scratch.json(['hold', '--session', 'crowd'], { seconds: 300 });
      const { operation } = await status();
      // Each phase is a barrier for all.
      for (const { startedMs, endedMs } of operation?.phases ?? []) if (endedMs !== null) times.push(endedMs - startedMs);
      await scratch.json(['resume', '--session', 'crowd'], { seconds: 300 });
    }
    const kilobytes = Number(/^VmHWM:\s+(\d+)/m.exec(readProc(first.coordinator, 'status'))?.[1]);
    crowd.closeInput();
    await crowd.exit();
    await scratch.json(['stop', '--session', 'crowd'], { seconds: 120 });
    await program.exit(60);
    const worst = Math.max(...times);
    const megabytes = kilobytes / 1024;
    return [
      {
        question: `A barrier with ${count} processes, the slowest of ${times.length}`,
        measured: `${worst.toFixed(0)} ms`,
        compared: `${AIM_MS} ms`,
        ratio: worst / AIM_MS,
        aim: 1,
      },
      {
        question: `The coordinator's memory with ${count} processes, at most`,
        measured: `${megabytes.toFixed(0)} MB`,
        compared: `${AIM_MB} MB`,
        ratio: megabytes / AIM_MB,
        aim: 1,
      },
    ];
  } finally {
    await scratch.close();
  }
}
