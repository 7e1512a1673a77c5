/**
 * `npm run demo:emulator`: builds what is missing, and plays a story in this terminal. A test bench of three processes drives the sample
 * SoC on a hardware emulator; in its region of interest it is checkpointed and ended, the emulator is switched off, and the computation
 * goes on from the snapshot on another emulator, in another slot. Its last line has the checksum over all transactions, that of a run which
 * nobody interrupted, and the verdict; so has the exit status.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bootstrap } from './lib/bootstrap.mjs';
import { Failure, inTree, main, run, step } from './lib/tree.mjs';

const TURNS = '2500';
/** Of the test bench's turns few are shown. */
const SHOWN_TURNS = 250;
const isShown = (line) => Number(/^turn (\d+)$/.exec(line)?.[1] ?? 0) % SHOWN_TURNS === 0;
const SECONDS = 60;

const build = inTree('build/demo/emulator');
const example = inTree('native-agent/examples/emulator');
const cairn = inTree('bin/cairn');

const say = (text) => process.stdout.write(`\n== ${text}\n`);

/** A program whose lines are shown behind its name. */
class Program {
  /** @type {string[]} */
  lines = [];
  /** @type {string | number | null | undefined} */
  status;
  /** @type {Promise<unknown>} */
  ended;
  #child;
  /** @type {() => void} */
  #seen = () => {};

  constructor(name, [file, ...args], options) {
    this.name = name;
    const child = spawn(file, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    this.ended = new Promise((done) => {
      const ends = (status) => {
        this.status = status;
        this.#seen();
        done(status);
      };
      child.on('close', (code, signal) => ends(signal ?? code));
      child.on('error', (error) => ends(error.message));
    });
    for (const stream of [child.stdout, child.stderr]) {
      let rest = '';
      stream.setEncoding('utf8').on('data', (text) => {
        const lines = (rest + text).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) {
          this.lines.push(line);
          if (isShown(line)) process.stdout.write(`${name.padEnd(12)} ${line}\n`);
        }
        this.#seen();
      });
    }
  }

  /** The first line that matches; fails when the program ends without it, or does not come to it. */
  async line(pattern) {
    const deadline = Date.now() + SECONDS * 1000;
    for (;;) {
      const found = this.lines.find((line) => pattern.test(line));
      if (found !== undefined) return found;
      if (this.status !== undefined || Date.now() > deadline) throw new Failure(`${this.name}: no line ${pattern}`);
      await new Promise((done) => {
        this.#seen = () => done(undefined);
        setTimeout(done, 1000);
      });
    }
  }

  async end() {
    if (this.status === undefined) this.#child.kill('SIGTERM');
    await this.ended;
  }
}

class Story {
  #folder = mkdtempSync(join(tmpdir(), 'cairn-demo-'));
  /** @type {Program[]} */
  #programs = [];
  #env = { ...process.env };

  constructor() {
    const folders = { CAIRN_RUNTIME_DIR: 'runtime', CAIRN_STORE: 'snapshots' };
    for (const [variable, name] of Object.entries(folders)) {
      this.#env[variable] = join(this.#folder, name);
      mkdirSync(this.#env[variable], { mode: 0o700 });
    }
    mkdirSync(join(this.#folder, 'states'));
    delete this.#env.CAIRN_SESSION;
  }

  #start(name, command) {
    const program = new Program(name, command, { cwd: this.#folder, env: this.#env });
    this.#programs.push(program);
    return program;
  }

  async emulator(name) {
    const program = this.#start(name, [join(build, 'emulator'), '--store', join(this.#folder, 'states'), '--latency', '500']);
    const address = (await program.line(/^listening on /)).replace('listening on ', '');
    return { program, address };
  }

  testbench(address, slot) {
    return [join(build, 'testbench'), address, String(slot), TURNS];
  }

  under(name, args) {
    process.stdout.write(`$ cairn ${args.join(' ').replaceAll(`${build}/`, '').replaceAll(`${this.#folder}/`, '')}\n`);
    return this.#start(name, [cairn, ...args]);
  }

  alone(name, command) {
    return this.#start(name, command);
  }

  plugin(name, settings) {
    const file = join(this.#folder, `${name}.json`);
    writeFileSync(file, JSON.stringify(settings));
    return `${join(build, 'emulator_plugin.so')}=${file}`;
  }

  async end() {
    for (const program of this.#programs) await program.end();
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

const checksum = /checksum: ([0-9a-f]{16}) over (\d+) transactions/;

/** @param {Story} story */
async function play(story) {
  say('two emulators; a test bench of three processes takes slot 0 of the first');
  const first = await story.emulator('emulator 1');
  const second = await story.emulator('emulator 2');
  const here = story.plugin('first', {});
  const bench = story.under('test bench', [
    'run',
    '--session',
    'demo',
    '--plugin',
    here,
    '--',
    ...story.testbench(first.address, 0),
  ]);
  await bench.line(/^design: == region of interest ==$/);

  say('a checkpoint in the region of interest, with transactions under way; the emulator saves its state with it');
  const made = story.under('cairn', ['checkpoint', '--session', 'demo', '--name', 'region of interest', '--then', 'kill']);
  if ((await made.ended) !== 0) throw new Failure('there is no snapshot');
  await bench.ended;

  say('emulator 1 is switched off; a restart on emulator 2, in slot 1');
  await first.program.end();
  const there = story.plugin('second', { emulator: second.address, slot: 1 });
  const restarted = story.under('test bench', ['restart', 'region of interest', '--session', 'again', '--plugin', there]);
  const interrupted = checksum.exec(await restarted.line(checksum));

  say('the same test bench without Cairn, uninterrupted');
  const alone = story.alone('alone', story.testbench(second.address, 0));
  const uninterrupted = checksum.exec(await alone.line(checksum));

  const same = interrupted?.[0] === uninterrupted?.[0];
  process.exitCode = same ? 0 : 1;
  return `checksum over ${interrupted?.[2]} transactions, restarted ${interrupted?.[1]}, uninterrupted ${uninterrupted?.[1]}: ${
    same ? 'equal, no transaction was lost or doubled' : 'DIFFERENT'
  }`;
}

await main(async () => {
  if (!(await bootstrap(['build', 'samples']))) return;
  await run(process.execPath, [inTree('scripts/build.mjs')]);
  await step('emulator', () => run('make', ['-C', example, `BUILD=${build}`], { quiet: true }));
  const story = new Story();
  let verdict = '';
  try {
    verdict = await play(story);
  } finally {
    await story.end();
  }
  process.stdout.write(`\n${verdict}\n`);
});
