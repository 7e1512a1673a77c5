/** Campaigns of tests: a snapshot of campaign_program.c, files of campaigns with faults in its reads, and what becomes of them. */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CampaignStatus, CampaignSummary, Run } from '../../debug-adapter/src/protocol/campaign.js';
import { compile } from '../probes/catalogue.js';
import type { Scratch } from '../support/scratch.js';
import { inTree } from '../support/tree.js';

const program = inTree('build/test/faults/campaign_program');
export const CALLS = 12;
/** Of the first read that does not make it hang when its data are wrong, nor one after it. */
export const NEVER_HANGS = 7;

export const compileProgram = (): Promise<void> => compile(inTree('test/faults/campaign_program.c'), program, []);

/** With a snapshot `roi` just before the program reads its data. */
export async function snapshot(scratch: Scratch, ...args: string[]): Promise<void> {
  writeFileSync(join(scratch.work, 'data'), 'a'.repeat(200));
  writeFileSync(join(scratch.work, 'hold'), '');
  const started = scratch.cairnProgram(['run', '--session', 'roi', '--', program, ...args], { cwd: scratch.work });
  await started.line(/^ready$/);
  await scratch.checkpoint('roi', '--name', 'roi', '--then', 'kill');
  await started.exit();
  rmSync(join(scratch.work, 'hold'));
}

/** What a fault does to a read. */
export const EFFECTS: readonly Record<string, unknown>[] = [
  { return: -1, errno: 'EIO' },
  { output: { argument: 2, flip: '04', withinResult: true } },
];

/** Faults in the reads from `first` on. */
export const readsModel = (effects = EFFECTS, name = 'reads', first = 1): Record<string, unknown> => ({
  name,
  calls: { function: 'read', program: 'campaign_program', calls: { first, last: CALLS }, effects },
});

export function campaign(scratch: Scratch, name: string, more: Record<string, unknown> = {}): string {
  const file = join(scratch.work, `${name}.yaml`);
  const common = { snapshot: 'roi', store: scratch.store, models: [readsModel()], observe: { files: ['*.txt'] } };
  // JSON is YAML.
  writeFileSync(file, JSON.stringify({ ...common, detect: { console: 'parity', status: [3] }, ...more }));
  return file;
}

/** What campaign_program.c does with a read that fails, and with one whose data are wrong. */
export const outcomesOf = (block: number): [string, string] =>
  block > 9 ? ['masked', 'masked'] : ['detected', { 3: 'detected', 5: 'hang', 6: 'crash' }[block] ?? 'silentDataCorruption'];

export const runs = (scratch: Scratch, file: string): Promise<Run[]> =>
  scratch.json<Run[]>(['campaign', 'show', file], { seconds: 60 });
export const whole = (file: string, ...args: string[]): string[] => ['campaign', 'run', file, '--json', ...args];

export function summaryOf(stdout: string): CampaignSummary {
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as CampaignSummary;
}

/** undefined: nothing has been counted yet. */
export async function statusOf(scratch: Scratch, file: string): Promise<CampaignStatus | undefined> {
  const { status, stdout } = await scratch.cairn(['campaign', 'status', file, '--json']);
  return status === 0 ? (JSON.parse(stdout) as CampaignStatus) : undefined;
}

/** Of each run what is the same whoever has made it when. */
export const same = (all: readonly Run[]): unknown[] =>
  all.map(({ number, model, fault, outcome, effective, deviation, status }) => [
    number,
    model,
    fault,
    outcome,
    effective,
    // A process may be named in it.
    deviation.replace(/done at \d+/g, 'done'),
    status,
  ]);
