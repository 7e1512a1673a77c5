/**
 * Campaigns and restarts with faults on small designs, and the folder in which these are built.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Golden, Run } from '../../debug-adapter/src/protocol/campaign.js';
import type { Scratch } from '../support/scratch.js';
import { inTree } from '../support/tree.js';
import { runToEnd } from './soc.js';

export const folder = inTree('build/test/faults');

export async function make(...command: string[]): Promise<void> {
  const { status, stdout, stderr } = await runToEnd(command, folder);
  assert.equal(status, 0, `${command.join(' ')}\n${stdout}${stderr}`);
}

export async function runAll(scratch: Scratch, file: string, ...args: string[]): Promise<Run[]> {
  const { status, stderr } = await scratch.cairn(['campaign', 'run', file, '--json', ...args], { seconds: 3000 });
  assert.equal(status, 0, stderr);
  return scratch.json<Run[]>(['campaign', 'show', file]);
}

/** When the design was entered after the restart, and when it ended, in simulated time, without a fault. */
export function spanOf(scratch: Scratch, name: string): { begin: number; end: number } {
  const database = new DatabaseSync(join(scratch.store, 'campaigns', name, 'results.db'), { readOnly: true });
  const golden = JSON.parse(String(database.prepare('SELECT golden FROM campaign').get()?.['golden'])) as Golden;
  database.close();
  const { begin, end } = golden.design ?? {};
  assert.ok(begin && end);
  return { begin, end };
}

/** A campaign of a small design that prints `ready` when it has begun. */
export const steady = (scratch: Scratch, command: readonly string[], run: Record<string, unknown>): string => {
  const file = join(scratch.work, 'steady.yaml');
  const prepare = { command, until: '^ready' };
  const observe = { ignore: ['\\$finish called'] };
  writeFileSync(file, JSON.stringify({ snapshot: 'ready', store: scratch.store, prepare, observe, ...run }));
  return file;
};

/** Restarts a snapshot to its end. */
export async function restart(scratch: Scratch, snapshot: string, ...options: string[]): Promise<string> {
  const { status, stdout, stderr } = await scratch.cairn(['restart', snapshot, '--session', 'again', ...options], {
    seconds: 120,
  });
  assert.equal(status, 0, stderr);
  return stdout;
}
