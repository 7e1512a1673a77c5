/**
 * A real program, checkpointed at random moments: the run that goes on, and restarts from every snapshot (again, two at once, with
 * the working folder moved), print what an undisturbed run prints, end with its status and leave the same files.
 * CAIRN_TEST_SEED=n repeats the moments of a run; CAIRN_PROGRAM_ROUNDS=n gives each program n rounds (one: two moments).
 */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { chooseSeed, randomNumbers } from '../support/moments.js';
import { waitFor } from '../support/processes.js';
import type { Program } from '../support/program.js';
import { Scratch } from '../support/scratch.js';

/** Finds a file of the working folder as a run has left it. */
export type Find = (name: string) => string;

export type Subject = {
  name: string;
  command: readonly string[] | ((folder: string) => readonly string[]);
  env?: Record<string, string>;
  /** Programs and files without which the test is skipped. */
  needs?: readonly string[];
  /** Fills the working folder before the program starts. */
  prepare?: (folder: string) => void | Promise<void>;
  /** What is typed on standard input, a pipe, which is then closed. */
  input?: string;
  /** Printed when the program has begun: no moment is before. */
  begun: RegExp;
  /** It does not end before there is a file CHECKPOINTED in its working folder: however fast it is, no checkpoint comes too late. */
  waits?: boolean;
  /** No moment is after this share of its output or time. */
  latest?: number;
  /** What of its output is the same in each run, where the order of lines is not. */
  normal?: (stdout: string) => string;
  /** What is the same in each run of what it leaves in its working folder. */
  result?: (find: Find) => string | Promise<string>;
  /** A restart is checkpointed, too, and restarted from there. */
  later?: boolean;
  /** It opens files again that it wrote before: a restart has to come before the run that goes on changes them. */
  reopens?: boolean;
  status?: number;
  /** Seconds until the end, at most. */
  seconds?: number;
};

type Reference = { stdout: string; result: string; status: number; seconds: number; lines: number };
type Snapshot = {
  id: string;
  cwd: string;
  /** The folders of the runs before, from the last one on. */
  runFolders: readonly string[];
  /** What may have been printed by then: what was printed while the checkpoint was made may belong to either side. */
  printed: readonly string[];
};

/** The file that a program with `waits` looks for. */
const CHECKPOINTED = 'checkpointed';
/** The same for a shell: what it does when its work is done. */
export const untilCheckpointed = `until [ -e ${CHECKPOINTED} ]; do sleep 0.02; done`;

/** All texts from `before` to `after`, which begins with it; the longest first. */
function textsBetween(before: string, after: string): string[] {
  return Array.from({ length: after.length - before.length + 1 }, (_, less) => after.slice(0, after.length - less));
}

/** Lines in alphabetical order, for programs whose processes print beside each other. */
export const sorted = (stdout: string): string => stdout.split('\n').sort().join('\n');

/** Whether a program, or a file by its absolute path, is there. */
export function isThere(name: string): boolean {
  if (name.startsWith('/')) return existsSync(name);
  return (process.env['PATH'] ?? '').split(':').some((folder) => existsSync(join(folder, name)));
}

class Trial {
  #count = 0;

  constructor(
    readonly subject: Subject,
    readonly scratch: Scratch,
    readonly random: () => number,
  ) {}

  #normal(stdout: string): string {
    return (this.subject.normal ?? ((text: string) => text))(stdout);
  }

  get #seconds(): number {
    return this.subject.seconds ?? 60;
  }

  #feed(program: Program): void {
    if (this.subject.input === undefined) return;
    program.type(this.subject.input);
    program.closeInput();
  }

  /** All runs have the same working folder: each finds it as the first one did. */
  async #folder(name: string): Promise<string> {
    const folder = join(this.scratch.work, name, 'run');
    mkdirSync(folder, { recursive: true });
    await this.subject.prepare?.(folder);
    return folder;
  }

  #command(folder: string): readonly string[] {
    return typeof this.subject.command === 'function' ? this.subject.command(folder) : this.subject.command;
  }

  /** Shared memory has names outside of the test's folder, and who is killed leaves it behind. */
  removeSharedMemory(): void {
    const snapshots = join(this.scratch.store, 'snapshots');
    for (const id of existsSync(snapshots) ? readdirSync(snapshots) : []) {
      const { openFiles } = JSON.parse(readFileSync(join(snapshots, id, 'manifest.json'), 'utf8')) as {
        openFiles: { path: string }[];
      };
      const named = openFiles.filter(({ path }) => dirname(path) === '/dev/shm').map(({ path }) => basename(path));
      for (const name of named.length === 0 ? [] : readdirSync('/dev/shm')) {
        // A restart puts what has its name taken beside it.
        if (named.includes(name.replace(/\.cairn-\d+$/, ''))) rmSync(join('/dev/shm', name), { force: true });
      }
    }
  }

  letEnd(folder: string): void {
    if (this.subject.waits) writeFileSync(join(folder, CHECKPOINTED), '');
  }

  async reference(): Promise<Reference> {
    const cwd = await this.#folder('reference');
    const { subject } = this;
    this.letEnd(cwd);
    const start = performance.now();
    const program = this.scratch.start(this.#command(cwd), {
      cwd,
      env: { ...subject.env },
      input: subject.input !== undefined,
    });
    this.#feed(program);
    const status = await program.exit(this.#seconds);
    const seconds = (performance.now() - start) / 1000;
    assert.equal(status, subject.status ?? 0, `without Cairn\n${program.transcript()}`);
    assert.ok(
      program.lines.some((line) => subject.begun.test(line)),
      program.transcript(),
    );
    const result = (await subject.result?.((name) => join(cwd, name))) ?? '';
    return { stdout: program.stdout, result, status, seconds, lines: program.lines.length };
  }

  /** Waits for a random moment: a line of the output and a bit more, or a time where it prints little. */
  async #moment(program: Program, reference: Reference, latest: number, printed = 0): Promise<string> {
    if (printed === 0) await program.line(this.subject.begun, this.#seconds);
    const share = this.random() * latest;
    const first = printed + program.lines.length;
    const over = (): boolean => program.status !== undefined;
    if (reference.lines - first >= 8) {
      const lines = first + Math.floor(share * (reference.lines - first));
      await waitFor(`line ${lines}`, () => over() || printed + program.lines.length >= lines, this.#seconds).catch(
        (error: Error) => {
          throw new Error(`${error.message}\n${program.transcript()}`);
        },
      );
      await sleep(this.random() * Math.min(50, (1000 * reference.seconds) / reference.lines));
      return `after line ${lines} of ${reference.lines}`;
    }
    await sleep(1000 * share * reference.seconds);
    return `${(share * reference.seconds).toFixed(3)} s of ${reference.seconds.toFixed(1)} s after its beginning`;
  }

  /** Runs the program up to a checkpoint at a random moment; nearer to its beginning when it was over before. */
  async checkpoint(
    reference: Reference,
    then: 'resume' | 'kill',
    tell: (moment: string) => void,
    share?: number,
  ): Promise<{ program: Program; snapshot: Snapshot }> {
    let latest = share ?? this.subject.latest ?? 0.9;
    for (;;) {
      const number = ++this.#count;
      const session = `run${number}`;
      const cwd = await this.#folder(session);
      const program = this.scratch.cairnProgram(['run', '--session', session, '--', ...this.#command(cwd)], {
        cwd,
        env: { ...this.subject.env },
        input: this.subject.input !== undefined,
      });
      this.#feed(program);
      tell(`${session}: ${await this.#moment(program, reference, latest)}, then ${then}`);
      const printedBefore = program.stdout;
      const { status, stdout, stderr } = await this.scratch.cairn(['checkpoint', '--session', session, '--json', '--then', then]);
      if (status === 0) {
        const { snapshot } = JSON.parse(stdout) as { snapshot: string };
        if (then === 'resume' || !this.subject.later) this.letEnd(cwd);
        if (then === 'kill') await program.exit(this.#seconds);
        return { program, snapshot: { id: snapshot, cwd, runFolders: [], printed: textsBetween(printedBefore, program.stdout) } };
      }
      // A machine that is busy may be late: the program was over before the checkpoint began.
      const late = !this.subject.waits && /has ended|ended during|no process that can|no session/i.test(stderr) && latest > 0.02;
      const ended = late && (await waitFor('the end', () => program.status !== undefined, 5).catch(() => false));
      assert.ok(
        ended && program.status === reference.status,
        `checkpoint: ${stderr}\n${this.scratch.logs(session)}\n${program.transcript()}`,
      );
      latest *= 0.6;
    }
  }

  /** Restarts, and makes a snapshot of that at a later moment; the restart is killed. */
  async later(snapshot: Snapshot, reference: Reference, tell: (moment: string) => void): Promise<Snapshot> {
    const program = this.startRestart(snapshot);
    const session = program.command.at(program.command.indexOf('--session') + 1) ?? '';
    const earlier = (snapshot.printed[0] ?? '').split('\n').length - 1;
    await waitFor('the restart', async () => {
      assert.equal(program.status, undefined, `${program.transcript()}\n${this.scratch.logs(session)}`);
      return /"state":\s*"running"/.test((await this.scratch.cairn(['status', '--session', session, '--json'])).stdout);
    });
    tell(`${session}: ${await this.#moment(program, reference, this.subject.latest ?? 0.9, earlier)}, then kill`);
    const before = program.stdout;
    const { snapshot: id } = await this.scratch.checkpoint(session, '--then', 'kill');
    await program.exit(this.#seconds);
    const texts = textsBetween(before, program.stdout);
    const printed = snapshot.printed.flatMap((start) => texts.map((text) => start + text));
    return { ...snapshot, id, runFolders: [this.scratch.runFolder(program), ...snapshot.runFolders], printed };
  }

  /** What the run that was not killed prints and leaves. */
  async assertWentOn(program: Program, cwd: string, reference: Reference): Promise<void> {
    assert.equal(await program.exit(this.#seconds), reference.status, `the run that went on\n${program.transcript()}`);
    assert.equal(this.#normal(program.stdout), this.#normal(reference.stdout), 'what the run that went on printed');
    const result = (await this.subject.result?.((name) => join(cwd, name))) ?? '';
    assert.equal(result, reference.result, 'what the run that went on left');
  }

  startRestart(snapshot: Snapshot, ...args: string[]): Program {
    const session = `again${++this.#count}`;
    return this.scratch.cairnProgram(['restart', snapshot.id, '--session', session, ...args], { cwd: this.scratch.folder });
  }

  async assertRestart(program: Program, snapshot: Snapshot, reference: Reference, cwd = snapshot.cwd): Promise<void> {
    const status = await program.exit(this.#seconds);
    const session = program.command.at(program.command.indexOf('--session') + 1);
    const about = (): string => `${program.transcript()}\n${this.scratch.logs(session)}`;
    assert.equal(status, reference.status, `the restart's status\n${about()}`);
    const wanted = this.#normal(reference.stdout);
    const whole = snapshot.printed.map((start) => this.#normal(start + program.stdout));
    if (!whole.includes(wanted)) assert.equal(whole[0], wanted, `what the restart printed\n${about()}`);
    const folder = this.scratch.runFolder(program);
    const find: Find = (name) =>
      [folder, ...snapshot.runFolders].map((runFolder) => join(runFolder, name)).find(existsSync) ?? join(cwd, name);
    assert.equal((await this.subject.result?.(find)) ?? '', reference.result, `what the restart left in ${folder}\n${about()}`);
  }
}

/** The tests of one program. */
export function programTest(subject: Subject): void {
  test(subject.name, { timeout: 300_000 }, async (context) => {
    const missing = (subject.needs ?? []).filter((name) => !isThere(name));
    if (missing.length > 0) {
      context.skip(`needs ${missing.join(', ')}`);
      return;
    }
    const seed = chooseSeed();
    const tell = (text: string): void => context.diagnostic(text);
    tell(`CAIRN_TEST_SEED=${seed}`);
    const scratch = new Scratch();
    const trial = new Trial(subject, scratch, randomNumbers(seed));
    try {
      const reference = await trial.reference();
      for (let round = 0; round < Number(process.env['CAIRN_PROGRAM_ROUNDS'] ?? 1); round++) {
        await context.test('killed, restarted twice at the same time, and once more from a folder that was moved', async () => {
          const share = subject.later ? 0.5 : undefined;
          const { snapshot } = await trial.checkpoint(reference, 'kill', tell, share);
          if (subject.later) {
            const later = await trial.later(snapshot, reference, tell);
            trial.letEnd(snapshot.cwd);
            await trial.assertRestart(trial.startRestart(later), later, reference);
          }
          const restarts = [trial.startRestart(snapshot), trial.startRestart(snapshot)];
          for (const restarted of restarts) await trial.assertRestart(restarted, snapshot, reference);
          const moved = `${snapshot.cwd}-moved`;
          renameSync(snapshot.cwd, moved);
          const again = trial.startRestart(snapshot, '--path', `${snapshot.cwd}=${moved}`);
          await trial.assertRestart(again, snapshot, reference, moved);
        });
        await context.test('goes on, and is restarted meanwhile', async () => {
          const { program, snapshot } = await trial.checkpoint(reference, 'resume', tell);
          const restarted = subject.reopens ? undefined : trial.startRestart(snapshot);
          await trial.assertWentOn(program, snapshot.cwd, reference);
          if (restarted) await trial.assertRestart(restarted, snapshot, reference);
        });
      }
    } finally {
      trial.removeSharedMemory();
      await scratch.close();
    }
  });
}
