/**
 * What a run of a campaign costs beyond the simulation itself (copy, restart, observe, judge, keep), against fork and exit of an equal process;
 * and how many runs that is in a second: from a resident copy, from disk, from reset. One worker each.
 */
import { execFile } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { CampaignSummary } from '../../debug-adapter/src/protocol/campaign.js';
import { verilator } from '../simulators/simulation.js';
import { readProc } from '../support/processes.js';
import { Scratch } from '../support/scratch.js';
import { inTree } from '../support/tree.js';
import { median, type Row } from './row.js';

const run = promisify(execFile);
const helper = inTree('build/test/bench/measure');
/** As the one that ends at once has. */
const MEGABYTES = 16;
const soc = { ...verilator, command: [...verilator.command.slice(0, 1), '+init=2', '+work=1'] };

const ms = (time: number): string => `${time.toFixed(time < 10 ? 2 : 0)} ms`;
const rate = (time: number): string => `${(1000 / time).toFixed(time < 100 ? 0 : 1)}/s`;

async function forkMs(bytes: number): Promise<number> {
  const { stdout } = await run(helper, ['leave', String(bytes)]);
  return Number(/^leave (\d+)$/m.exec(stdout)?.[1]) / 1e6;
}

/** Of one run of a campaign whose faults are none, in milliseconds. */
async function runMs(scratch: Scratch, start: 'resident' | 'disk', runs: number): Promise<number> {
  const file = join(scratch.work, `${start}.yaml`);
  const models = [{ name: 'none', calls: { function: 'nobody_has_this', calls: { last: runs }, effects: [{ return: 0 }] } }];
  writeFileSync(file, JSON.stringify({ snapshot: 'roi', store: scratch.store, models, start, observe: { files: [] } }));
  const { stdout, stderr } = await scratch.cairn(['campaign', 'run', file, '--workers', '1', '--json'], { seconds: 600 });
  const summary = JSON.parse(stdout.trim().split('\n').at(-1) ?? '{}') as Partial<CampaignSummary>;
  if (summary.outcomes?.masked?.count !== runs)
    throw new Error(`the runs of a campaign are not as they were to be: ${stdout}${stderr}`);
  return 1000 / (summary.runsPerSecond ?? 0);
}

/** A process that ends as soon as it goes on: all that its run takes is not its own. */
async function endsAtOnce(runs: number): Promise<Row> {
  const scratch = new Scratch();
  try {
    const hold = join(scratch.work, 'hold');
    writeFileSync(hold, '');
    const program = scratch.cairnProgram(['run', '--session', 'bench', '--', helper, 'end', String(MEGABYTES)], {
      cwd: scratch.work,
    });
    await program.line(/^ready$/, 60);
    await scratch.checkpoint('bench', '--name', 'roi', '--then', 'kill');
    await program.exit();
    rmSync(hold);
    const bare = await forkMs(MEGABYTES << 20);
    const resident = await runMs(scratch, 'resident', runs);
    const disk = await runMs(scratch, 'disk', Math.ceil(runs / 20));
    return {
      question: `Run of a campaign, ${MEGABYTES} MB of touched memory, beyond the simulation itself`,
      measured: `${ms(resident)} (${rate(resident)}; restarted from disk ${ms(disk)}, ${rate(disk)})`,
      compared: `fork and exit of an equal process: ${ms(bare)} (${rate(bare)})`,
      ratio: resident / bare,
      aim: 3,
    };
  } finally {
    await scratch.close();
  }
}

async function simulation(runs: number, rounds: number): Promise<Row> {
  const scratch = new Scratch();
  try {
    const whole: number[] = [];
    const rest: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const begun = performance.now();
      const plain = scratch.start(soc.command, { cwd: scratch.makeFolder(join(scratch.work, `plain${round}`)) });
      await plain.line(/^init /, 60);
      const middle = performance.now();
      await plain.exit(120);
      whole.push(performance.now() - begun);
      rest.push(performance.now() - middle);
    }
    const program = scratch.cairnProgram(['run', '--session', 'bench', '--', ...soc.command], { cwd: scratch.work });
    await program.line(/^init /, 60);
    const pid = await scratch.application(program);
    await scratch.json(['hold', '--session', 'bench']);
    const bare = await forkMs(Number(/^RssAnon:\s+(\d+)/m.exec(readProc(pid, 'status'))?.[1]) * 1024);
    await scratch.checkpoint('bench', '--name', 'roi', '--then', 'kill');
    await program.exit();
    const resident = await runMs(scratch, 'resident', runs);
    const disk = await runMs(scratch, 'disk', Math.ceil(runs / 10));
    const reset = median(whole);
    const own = median(rest);
    return {
      question: 'Run of a campaign: the sample SoC on Verilator',
      measured: `${ms(resident)} (${rate(resident)}; restarted from disk ${rate(disk)}, from reset ${rate(reset)})`,
      compared: `the same part of it without Cairn, until its end is seen: ${ms(own)}; fork and exit of an equal process: ${ms(bare)} (${rate(bare)})`,
      ratio: resident / own,
      aim: null,
    };
  } finally {
    await scratch.close();
  }
}

export async function measureResident(runs: number, rounds: number): Promise<Row[]> {
  return [await endsAtOnce(runs), await simulation(Math.ceil(runs / 5), rounds)];
}
