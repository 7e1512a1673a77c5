/**
 * Real simulations, checkpointed at random moments: the run that goes on, and a restart from every snapshot, print what an
 * uninterrupted run prints, end with its status and write its waveform. CAIRN_TEST_SEED=n repeats the moments of a run.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { before, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { chooseSeed, randomNumbers } from '../support/moments.js';
import type { Program } from '../support/program.js';
import { Scratch, type User } from '../support/scratch.js';
import { cairnCommand, root } from '../support/tree.js';
import { build, icarus, icarusFst, type Reference, type Simulation, uninterrupted, verilator } from './simulation.js';

type Moment = { snapshot: string; run: number; seconds: number; printedBefore: number; printedAfter: number };

const SLOW = 180;

/** Both may be megabytes: a difference is told by its place, not by a dump. */
function assertSameBytes(actual: Buffer, expected: Buffer, what: string): void {
  if (actual.equals(expected)) return;
  let at = 0;
  while (at < actual.length && at < expected.length && actual[at] === expected[at]) at++;
  const excerpt = (bytes: Buffer): string => JSON.stringify(bytes.subarray(Math.max(0, at - 40), at + 60).toString('latin1'));
  assert.fail(
    `${what} differs at byte ${at} of ${expected.length} (it has ${actual.length}): ${excerpt(actual)} instead of ${excerpt(expected)}`,
  );
}

class Campaign {
  readonly moments: Moment[] = [];
  #runs = 0;

  constructor(
    readonly simulation: Simulation,
    readonly scratch: Scratch,
    readonly reference: Reference,
    readonly random: () => number,
  ) {}

  /** One run under Cairn with checkpoints at random moments, until `count` are there or it ends. */
  async run(count: number): Promise<void> {
    const number = ++this.#runs;
    const cwd = this.scratch.makeFolder(join(this.scratch.work, `run${number}`));
    const session = `run${number}`;
    const seconds = Array.from({ length: count }, () => (0.02 + 0.9 * this.random()) * this.reference.seconds).sort(
      (a, b) => a - b,
    );
    const program = this.scratch.cairnProgram(['run', '--session', session, '--', ...this.simulation.command], {
      cwd,
      env: this.simulation.env,
    });
    await program.line(/^RISC-V SoC/, 60);
    const started = performance.now();
    for (const moment of seconds) {
      await sleep(Math.max(0, started + moment * 1000 - performance.now()));
      const printedBefore = program.stdout.length;
      const { status, stdout, stderr } = await this.scratch.cairn(['checkpoint', '--session', session, '--json']);
      if (status !== 0) {
        // The simulation may have just ended; anything else is an error.
        assert.ok(
          (await this.#endsSoon(program)) && program.status === this.reference.status,
          `checkpoint: ${stderr}\n${this.scratch.logs()}\n${program.transcript()}`,
        );
        break;
      }
      const { snapshot } = JSON.parse(stdout) as { snapshot: string };
      await sleep(5);
      this.moments.push({ snapshot, run: number, seconds: moment, printedBefore, printedAfter: program.stdout.length });
    }
    assert.equal(await program.exit(SLOW), this.reference.status, program.transcript());
    assert.equal(program.stdout, this.reference.console, 'what the run that went on printed');
    assertSameBytes(
      this.simulation.read(join(cwd, this.simulation.waveform)),
      this.reference.waveform,
      'the waveform of the run that went on',
    );
  }

  async #endsSoon(program: Program): Promise<boolean> {
    for (let waited = 0; program.status === undefined && waited < 100; waited++) await sleep(20);
    return program.status !== undefined;
  }

  async collect(count: number): Promise<void> {
    for (let attempt = 0; this.moments.length < count; attempt++) {
      assert.ok(attempt < 6, `only ${this.moments.length} of ${count} checkpoints in ${attempt} runs`);
      await this.run(count - this.moments.length);
    }
  }

  async restart(moment: Moment, name: string, inPlace: boolean): Promise<void> {
    const { console: whole, waveform, status } = this.reference;
    const args = ['restart', moment.snapshot, '--session', name, ...(inPlace ? ['--in-place'] : [])];
    const program = this.scratch.cairnProgram(args, { cwd: this.scratch.folder });
    assert.equal(await program.exit(SLOW), status, program.transcript());
    assert.ok(whole.endsWith(program.stdout), `the restart printed something else\n${program.transcript()}`);
    const printed = whole.length - program.stdout.length;
    assert.ok(
      printed >= moment.printedBefore && printed <= moment.printedAfter,
      `it went on after ${printed} characters, the snapshot is from between ${moment.printedBefore} and ${moment.printedAfter}`,
    );
    const file = inPlace
      ? join(this.scratch.work, `run${moment.run}`, this.simulation.waveform)
      : this.scratch.runFile(program, this.simulation.waveform);
    assertSameBytes(this.simulation.read(file), waveform, `the waveform ${file}`);
  }
}

async function campaign(context: TestContext, simulation: Simulation, count: number, user?: User): Promise<void> {
  const seed = chooseSeed();
  context.diagnostic(`CAIRN_TEST_SEED=${seed}`);
  const scratch = new Scratch(user);
  try {
    const reference = await uninterrupted(simulation, scratch);
    const runs = new Campaign(simulation, scratch, reference, randomNumbers(seed));
    await context.test(`${count} checkpoints, and the run goes on to its right end`, { timeout: 600_000 }, () =>
      runs.collect(count),
    );
    for (const [index, moment] of runs.moments.entries()) {
      const earlier = join(scratch.work, `run${moment.run}`, simulation.waveform);
      const stamp = statSync(earlier).mtimeMs;
      await context.test(
        `restart from ${moment.seconds.toFixed(3)} s of ${reference.seconds.toFixed(1)} s (seed ${seed})`,
        { timeout: 300_000 },
        async () => {
          await runs.restart(moment, `r${index}`, false);
          assert.equal(statSync(earlier).mtimeMs, stamp, 'the waveform of the earlier run was touched');
        },
      );
    }
    const chosen = runs.moments[Math.floor(runs.random() * runs.moments.length)];
    assert.ok(chosen);
    await context.test(`restart in place from ${chosen.seconds.toFixed(3)} s`, { timeout: 300_000 }, () =>
      runs.restart(chosen, 'inplace', true),
    );
  } finally {
    await scratch.close();
  }
}

/** Somebody without privileges, where this test may become that. */
function ordinaryUser(): User | string {
  if (process.getuid?.() !== 0) return 'only root can become another user';
  const id = (flag: string): number => Number(spawnSync('id', [flag, 'nobody'], { encoding: 'utf8' }).stdout);
  const readable = spawnSync('runuser', ['-u', 'nobody', '--', 'test', '-x', cairnCommand]);
  if (readable.error) return 'there is no runuser';
  if (readable.status !== 0) return `the user nobody may not read ${root}`;
  return { name: 'nobody', uid: id('-u'), gid: id('-g') };
}

before(async () => {
  assert.ok(existsSync(cairnCommand), 'npm run build first');
  await build();
});

test(icarus.name, { timeout: 900_000 }, (context) => campaign(context, icarus, 10));
test(verilator.name, { timeout: 900_000 }, (context) => campaign(context, verilator, 10));
test(icarusFst.name, { timeout: 900_000 }, (context) => campaign(context, icarusFst, 3));
test(`${icarus.name}, as an ordinary user`, { timeout: 900_000 }, async (context) => {
  const user = ordinaryUser();
  if (typeof user === 'string') context.skip(user);
  else await campaign(context, icarus, 3, user);
});
test(`${verilator.name}, as an ordinary user`, { timeout: 900_000 }, async (context) => {
  const user = ordinaryUser();
  if (typeof user === 'string') context.skip(user);
  else await campaign(context, verilator, 2, user);
});
