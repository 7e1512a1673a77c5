/**
 * One probe in one scratch folder, in each flavour. The order matters: "go on" leaves its run to "twice at once", which restarts
 * its snapshot beside it; "restart" uses the same snapshot after that run has changed its files and ended; "five cycles" goes on from
 * a snapshot of the process that "kill and restart" has restarted; "as another user" restarts the first one of that flavour again.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmodSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { waitFor } from '../support/processes.js';
import type { Program } from '../support/program.js';
import type { Scratch } from '../support/scratch.js';
import { librariesOf, type Probe, tamperProgram } from './catalogue.js';
import { AGENT_THREAD, addedBytes, differences, type Picture, takePicture } from './oracle.js';
import { otherRuntime, restartAsOther, whyNoOtherUser } from './other-user.js';

const run = promisify(execFile);

/** The probe, or Cairn on its behalf, says that something is not to be had here. `here`: in this flavour alone. */
export class Skipped extends Error {
  constructor(
    message: string,
    readonly here = false,
  ) {
    super(message);
  }
}

type Launch = { control: string; cwd: string };

/** What a probe that fails leaves in /dev/shm: its names end with its pid. */
function removeNamesOf(pid: number): void {
  for (const name of readdirSync('/dev/shm')) {
    if (name.includes('cairn-probe-') && name.endsWith(`-${pid}`)) rmSync(join('/dev/shm', name), { force: true });
  }
}

export class ProbeRun {
  #token = 1;
  /** Bytes of mappings beyond those before the first checkpoint, at the last look. */
  #added = 0;
  #afterGoOn: { launch: Launch; snapshot: string; before: Picture } | undefined;
  /** The run of "go on", while it goes on. */
  #original: Program | undefined;
  #afterKill: { launch: Launch; snapshot: string; next: string; before: Picture } | undefined;

  readonly #started: Program[] = [];

  constructor(
    readonly probe: Probe,
    readonly scratch: Scratch,
  ) {}

  #launch(flavour: string): Launch {
    const control = join(this.scratch.folder, `control-${flavour}`);
    writeFileSync(control, '');
    // For probes' files outside of their working folder (probe_outside): like /tmp, but gone with the scratch folder.
    chmodSync(this.scratch.makeFolder(join(this.scratch.folder, 'outside')), 0o1777);
    return { control, cwd: this.scratch.makeFolder(join(this.scratch.work, flavour)) };
  }

  /** Ends what a flavour that failed has left: a terminal that stays open would be inherited by the next program. */
  async end(): Promise<void> {
    for (const program of this.#started.splice(0)) {
      if (program === this.#original) continue;
      program.end();
      await program.exit(10);
    }
  }

  #arguments(launch: Launch): string[] {
    return [this.probe.program, launch.control, librariesOf(this.probe), ...(this.probe.partner ? [this.probe.partner] : [])];
  }

  async #ready(program: Program): Promise<void> {
    const line = await program.line(/^(ready|FAIL:.*|skip:.*)$/);
    if (line.startsWith('skip:')) throw new Skipped(line.slice(5).trim());
    assert.equal(line, 'ready', program.transcript());
  }

  /** Waits until the probe answers: it runs, and its main loop does. Probes that only wait for a signal cannot answer. */
  async #alive(programs: readonly Program[], launch: Launch): Promise<void> {
    this.#token++;
    const { signal } = this.probe;
    if (!signal) truncateSync(launch.control, this.#token);
    for (const program of programs) {
      if (signal) {
        await this.#restarted(program);
        continue;
      }
      const line = await program.line(new RegExp(`^(alive ${this.#token}|FAIL:.*)$`));
      assert.ok(line.startsWith('alive'), program.transcript());
    }
  }

  /** Asks Cairn whether the restart is over, where the probe cannot be asked. */
  async #restarted(program: Program): Promise<void> {
    const session = program.command[program.command.indexOf('--session') + 1] ?? '';
    const deadline = Date.now() + 20_000;
    for (;;) {
      const { stdout } = await this.scratch.cairn(['status', '--session', session, '--json']);
      if (/"state":\s*"running"/.test(stdout)) return;
      assert.ok(program.status === undefined, program.transcript());
      assert.ok(Date.now() < deadline, `session ${session} does not run: ${stdout}`);
    }
  }

  #beginCheck(programs: readonly Program[], launch: Launch): void {
    for (const program of programs) {
      if (this.probe.type) program.type(`${this.probe.type}\r`);
      if (this.probe.resize) program.resize(...this.probe.resize);
      if (this.probe.signal) program.signal(this.probe.signal);
    }
    if (!this.probe.signal) truncateSync(launch.control, 1);
  }

  /** All of them at once. */
  async #check(programs: readonly Program[], launch: Launch): Promise<void> {
    this.#beginCheck(programs, launch);
    for (const program of programs) {
      const line = await program.line(/^(ok|FAIL:.*)$/, 30);
      assert.equal(line, 'ok', program.transcript());
      assert.equal(await program.exit(), 0, `exit status\n${program.transcript()}`);
    }
    truncateSync(launch.control, 0);
  }

  async #run(flavour: string): Promise<{ program: Program; launch: Launch }> {
    const launch = this.#launch(flavour);
    const program = this.scratch.cairnProgram(['run', '--session', flavour, '--', ...this.#arguments(launch)], {
      cwd: launch.cwd,
      pty: this.probe.pty,
    });
    this.#started.push(program);
    await this.#ready(program);
    return { program, launch };
  }

  async #checkpoint(session: string, ...args: string[]): Promise<string> {
    const { status, stdout, stderr } = await this.scratch.cairn(['checkpoint', '--session', session, '--json', ...args]);
    if (status === 1 && this.probe.optional.some((kind) => stderr.toLowerCase().includes(kind))) {
      throw new Skipped(`checkpoint refuses: ${stderr.trim().split('\n')[0]}`);
    }
    assert.equal(status, 0, `cairn checkpoint gave ${status}: ${stderr.trim()}`);
    return (JSON.parse(stdout) as { snapshot: string }).snapshot;
  }

  #startAgain(snapshot: string, session: string): Program {
    // From another folder than the probe's: the working folder comes from the snapshot.
    const program = this.scratch.cairnProgram(['restart', snapshot, '--session', session], {
      cwd: this.scratch.folder,
      pty: this.probe.pty,
    });
    this.#started.push(program);
    return program;
  }

  async #restart(snapshot: string, session: string, launch: Launch, before: Picture): Promise<Program> {
    truncateSync(launch.control, 0);
    const program = this.#startAgain(snapshot, session);
    await this.#alive([program], launch);
    await this.#compare(before, program);
    return program;
  }

  async #picture(program: Program): Promise<Picture> {
    const pid = await this.scratch.application(program);
    // Cairn's own thread starts beside the program's first steps.
    return waitFor('the thread of the agent', () => {
      const picture = takePicture(pid);
      return picture.threads.some((thread) => thread.startsWith(AGENT_THREAD)) ? picture : undefined;
    });
  }

  /** What there is once nothing changes by itself: a thread that has just begun blocks signals for a moment. */
  async #steadyPicture(program: Program): Promise<Picture> {
    let last = await this.#picture(program);
    let same = 0;
    return waitFor('a picture that stays', async () => {
      const next = await this.#picture(program);
      same = differences(last, next, this.probe.churn).length === 0 ? same + 1 : 0;
      last = next;
      return same === 3 ? next : undefined;
    });
  }

  /** The second oracle. Threads go on one after the other: what differs only at first is given a moment. */
  async #compare(before: Picture, program: Program, others: readonly string[] = []): Promise<void> {
    const churn = new Set([...this.probe.churn, ...others]);
    let found: string[] = [];
    await waitFor(
      'equal pictures',
      async () => {
        const after = await this.#picture(program);
        found = differences(before, after, churn);
        this.#added = addedBytes(before, after);
        return found.length === 0;
      },
      2,
    ).catch(() => undefined);
    assert.deepEqual(found, [], 'what /proc shows from outside differs from before the checkpoint');
  }

  /** Without Cairn: the probe itself is right. */
  async control(): Promise<void> {
    const launch = this.#launch('control');
    const program = this.scratch.start(this.#arguments(launch), { cwd: launch.cwd, pty: this.probe.pty });
    await this.#ready(program);
    await this.#check([program], launch);
  }

  /** Without Cairn, and spoilt as a faulty restart would have left it: the probe must notice. */
  async sabotaged(): Promise<void> {
    const launch = this.#launch('sabotaged');
    const program = this.scratch.start(this.#arguments(launch), { cwd: launch.cwd, pty: this.probe.pty });
    await this.#ready(program);
    const notes = new Map(
      program.lines
        .map((line) => line.split(' '))
        .filter(([word]) => word === 'note')
        .map(([, name = '', value = '']) => [name, value]),
    );
    const action = this.probe.sabotage.map((word) => {
      if (!word.startsWith('@')) return word;
      const value = notes.get(word.slice(1));
      assert.ok(value !== undefined, `the probe printed no note ${word.slice(1)}`);
      return value;
    });
    const tampered = await run(tamperProgram, [String(program.pid), ...action]).catch(
      (error: { code?: number; stderr?: string }) => {
        if (error.code === 3) throw new Skipped('ptrace is not allowed here');
        throw new Error(`tamper ${action.join(' ')}: ${error.stderr}`);
      },
    );
    this.#beginCheck([program], launch);
    const status = await program.exit(30);
    removeNamesOf(program.pid);
    assert.notEqual(
      status,
      0,
      `it noticed nothing after: tamper ${action.join(' ')} (${tampered.stderr.trim()})\n${program.transcript()}`,
    );
  }

  /** Under Cairn, without a checkpoint. */
  async plain(): Promise<void> {
    const { program, launch } = await this.#run('plain');
    await this.#check([program], launch);
  }

  /** A checkpoint, and the same process goes on; `toItsEnd`: it is checked here, else by `twiceAtOnce`. */
  async goOn(toItsEnd: boolean): Promise<void> {
    const { program, launch } = await this.#run('goon');
    const before = await this.#steadyPicture(program);
    const snapshot = await this.#checkpoint('goon');
    if (!this.probe.signal) await this.#alive([program], launch);
    await this.#compare(before, program);
    this.#afterGoOn = { launch, snapshot, before };
    if (toItsEnd) await this.#check([program], launch);
    else this.#original = program;
  }

  /**
   * Two restarts of one snapshot at the same time, beside the run that it is of: each id of a process or thread, and whatever else
   * is there once on a host, is in use by somebody else. All three check what they have at once; none disturbs another.
   */
  async twiceAtOnce(): Promise<void> {
    const original = this.#original;
    assert.ok(this.#afterGoOn && original, 'no run and no snapshot: the flavour "go on" failed');
    try {
      const { launch, snapshot, before } = this.#afterGoOn;
      truncateSync(launch.control, 0);
      const restarted = ['left', 'right'].map((session) => this.#startAgain(snapshot, session));
      await this.#alive([original, ...restarted], launch);
      for (const program of restarted) await this.#compare(before, program);
      await this.#check([original, ...restarted], launch);
    } finally {
      this.#original = undefined;
      original.end();
      await original.exit(10);
    }
  }

  /** A restart from there, after the other run has ended. */
  async restart(): Promise<void> {
    assert.ok(this.#afterGoOn, 'no snapshot: the flavour "go on" failed');
    const { launch, snapshot, before } = this.#afterGoOn;
    const program = await this.#restart(snapshot, 'again', launch, before);
    await this.#check([program], launch);
  }

  async killAndRestart(): Promise<void> {
    const { program, launch } = await this.#run('kill');
    const before = await this.#steadyPicture(program);
    if (this.probe.twice) {
      await this.#checkpoint('kill');
      await this.#alive([program], launch);
    }
    const snapshot = await this.#checkpoint('kill', '--then', 'kill');
    await program.exit();
    const restarted = await this.#restart(snapshot, 'k1', launch, before);
    this.#afterKill = { launch, snapshot, before, next: await this.#checkpoint('k1') };
    await this.#check([restarted], launch);
  }

  /** Started without Cairn, and attached while it waits: as one that was started with it from then on. */
  async attached(): Promise<void> {
    const { attached: limit, bits, partner } = this.probe;
    if (bits === 32 || partner !== undefined) throw new Skipped('programs of 32 bits cannot be attached');
    if (limit?.startsWith('not ')) throw new Skipped(limit);
    const launch = this.#launch('attached');
    const program = this.scratch.start(this.#arguments(launch), { cwd: launch.cwd, pty: this.probe.pty });
    this.#started.push(program);
    await this.#ready(program);
    const { status, stderr } = await this.scratch.cairn(['attach', String(program.pid), '--session', 'attached', '--json']);
    assert.equal(status, 0, `cairn attach gave ${status}: ${stderr.trim()}\n${program.transcript()}`);
    if (limit !== undefined) {
      const refused = await this.scratch.cairn(['checkpoint', '--session', 'attached', '--json']);
      assert.equal(refused.status, 1, 'a checkpoint is not refused');
      assert.match(refused.stderr, new RegExp(limit));
      await this.#check([program], launch);
      return;
    }
    if (!this.probe.signal) await this.#alive([program], launch);
    const before = takePicture(program.pid);
    const snapshot = await this.#checkpoint('attached', '--then', 'kill');
    await program.exit();
    const restarted = await this.#restart(snapshot, 'at1', launch, before);
    await this.#check([restarted], launch);
  }

  /** By somebody else, where all old ids are taken. */
  async asAnotherUser(): Promise<void> {
    assert.ok(this.#afterKill, 'no snapshot: the flavour "kill and restart" failed');
    const { otherUser: limit, pty } = this.probe;
    const why = limit?.startsWith('not ') ? limit : whyNoOtherUser();
    if (why) throw new Skipped(why, true);
    const { launch, snapshot, before } = this.#afterKill;
    truncateSync(launch.control, 0);
    const program = await restartAsOther(this.scratch, snapshot, 'other', launch.cwd, { cwd: this.scratch.folder, pty });
    this.#started.push(program);
    try {
      if (limit === undefined) {
        await this.#alive([program], launch);
        await this.#compare(before, program, ['Uid', 'Gid', 'Groups']);
        await this.#check([program], launch);
      } else {
        assert.equal(await program.exit(), 1, `the restart is not refused\n${program.transcript()}`);
        assert.match(program.stderr, new RegExp(limit));
      }
    } catch (error) {
      if (program.status === 77) throw new Skipped(program.stderr.trim(), true);
      if (error instanceof Error) error.message += `\n${this.scratch.logs('other', otherRuntime(this.scratch))}`;
      throw error;
    }
  }

  /** Five restarts, each of a snapshot of the one before; the first is the one of `killAndRestart`. */
  async fiveCycles(): Promise<void> {
    assert.ok(this.#afterKill, 'no snapshot: the flavour "kill and restart" failed');
    const { launch, before } = this.#afterKill;
    let snapshot = this.#afterKill.next;
    const added: number[] = [];
    for (let cycle = 2; ; cycle++) {
      try {
        const program = await this.#restart(snapshot, `c${cycle}`, launch, before);
        // What is made once, when it is first needed after a restart, is there by then.
        added.push(this.#added);
        if (cycle === 5) {
          if (!this.probe.churn.has('maps')) {
            // Room for what a checkpoint has found on the way grows with it now and then, but not each time.
            const grows = (): boolean => added.every((bytes, index) => index === 0 || bytes > (added[index - 1] ?? 0));
            // What the restart itself needed is given back a moment later.
            const settled = async (): Promise<boolean> => {
              added[added.length - 1] = addedBytes(before, await this.#picture(program));
              return !grows();
            };
            if (grows()) await waitFor('memory to be given back', settled, 5).catch(() => undefined);
            assert.ok(!grows(), `each cycle adds memory, in bytes: ${added.join(', ')}`);
          }
          await this.#check([program], launch);
          return;
        }
        snapshot = await this.#checkpoint(`c${cycle}`, '--then', 'kill');
        await program.exit();
      } catch (error) {
        if (error instanceof Error) error.message = `cycle ${cycle} of 5: ${error.message}`;
        throw error;
      }
    }
  }
}
