/**
 * Monotonic clocks over a restart: they go on with the machine's or continue, by setting; they never go back; waits for a moment, in
 * progress and later ones, end then; programs that are started later have the same clock.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { waitFor } from '../support/processes.js';
import { Scratch } from '../support/scratch.js';
import { cairnCommand } from '../support/tree.js';
import { tool } from './tools.js';

/** Between checkpoint and restart; more than a busy machine delays a thread. */
const AWAY_MS = 5000;
/** What the program waits for, each time. */
const WAIT_MS = 2000;

/** Lines `word [word] number`, by what stands before the number. */
function numbers(lines: readonly string[]): Map<string, number> {
  return new Map(
    lines.map((line) => /^(.*) (-?\d+)$/.exec(line)).flatMap((match) => (match ? [[match[1] ?? '', Number(match[2])]] : [])),
  );
}

async function goAway(): Promise<void> {
  const since = Date.now();
  await waitFor('time to pass', () => Date.now() - since >= AWAY_MS, AWAY_MS / 1000 + 10);
}

async function story(
  scratch: Scratch,
  options: { run?: string[]; restart?: string[]; under?: string[]; then?: string; away: boolean },
): Promise<Map<string, number>> {
  const go = join(scratch.folder, 'go');
  const command = [await tool('clocks', '-pthread'), go, ...(options.then === undefined ? [] : [options.then])];
  const first = scratch.start([
    ...(options.under ?? []),
    cairnCommand,
    'run',
    '--session',
    'first',
    ...(options.run ?? []),
    '--',
    ...command,
  ]);
  await first.line(/^waiting$/);
  const { snapshot } = await scratch.checkpoint('first', '--then', 'kill');
  await first.exit();
  if (options.away) await goAway();
  writeFileSync(go, '');
  const again = scratch.cairnProgram(['restart', snapshot, '--session', 'again', ...(options.restart ?? [])]);
  assert.equal(await again.exit(60), 0, again.transcript());
  assert.doesNotMatch(again.transcript(), /changed/, 'the program’s own time was written to');
  return numbers(again.lines);
}

function checkContinued(found: Map<string, number>, rounds: readonly string[], ways: number): void {
  for (const round of rounds) {
    const took = [...found].filter(([name]) => name.startsWith(`${round} `));
    assert.ok(took.length >= ways, `round ${round}: ${took.length} waits`);
    for (const [name, ms] of took) assert.ok(ms >= WAIT_MS - 5 && ms < WAIT_MS + AWAY_MS - 1000, `${name} took ${ms} ms`);
  }
}

test('clocks that continue: no time has passed, for waits in progress and for later ones', async () => {
  const scratch = new Scratch();
  try {
    const found = await story(scratch, { restart: ['--clock', 'continue'], away: true });
    checkContinued(found, ['first'], 8);
    checkContinued(found, ['second'], 9);
    for (const clock of [1, 4, 6, 7]) {
      const behind = (found.get('real') ?? 0) - (found.get(`clock ${clock}`) ?? 0);
      assert.ok(behind >= AWAY_MS - 100, `clock ${clock} is ${behind} ms behind CLOCK_REALTIME`);
    }
    assert.ok(Math.abs(found.get('raw') ?? 9999) < 1000, 'clock_gettime by syscall(2)');
  } finally {
    await scratch.close();
  }
});

test('the setting of the run counts at its restarts, and for programs that are executed then', async () => {
  const scratch = new Scratch();
  try {
    const script = 'printf "executed %d\\n", clock_gettime(CLOCK_MONOTONIC) * 1000;';
    const before = Number(process.hrtime.bigint() / 1_000_000n);
    const found = await story(scratch, { run: ['--clock', 'continue'], then: script, away: true });
    checkContinued(found, ['first'], 8);
    const now = Number(process.hrtime.bigint() / 1_000_000n);
    const executed = found.get('executed') ?? 0;
    assert.ok(executed > before && executed < now - AWAY_MS + 1000, `${executed} ms, here from ${before} to ${now}`);
  } finally {
    await scratch.close();
  }
});

test('clocks that go on: they are the machine’s', async () => {
  const scratch = new Scratch();
  try {
    const found = await story(scratch, { run: ['--clock', 'continue'], restart: ['--clock', 'go-on'], away: true });
    for (const clock of [1, 4, 6, 7]) {
      const behind = (found.get('real') ?? 0) - (found.get(`clock ${clock}`) ?? 0);
      assert.ok(Math.abs(behind) < 1000, `clock ${clock} is ${behind} ms behind CLOCK_REALTIME`);
    }
    assert.ok((found.get('first sleep') ?? 0) >= AWAY_MS);
    checkContinued(found, ['second'], 9);
  } finally {
    await scratch.close();
  }
});

const ahead = ['unshare', '--time', '--monotonic', '100000', '--boottime', '100000', '--fork'];
const skip = spawnSync(ahead[0] ?? '', [...ahead.slice(1), 'true']).status === 0 ? false : 'unshare --time is not allowed here';

test('on a machine whose clock is behind the snapshot’s, clocks do not go back', { skip }, async () => {
  const scratch = new Scratch();
  try {
    const found = await story(scratch, { under: ahead, away: false });
    checkContinued(found, ['first'], 8);
    checkContinued(found, ['second'], 9);
    for (const clock of [1, 4, 6, 7]) assert.ok((found.get(`clock ${clock}`) ?? -1) >= WAIT_MS - 5);
  } finally {
    await scratch.close();
  }
});
