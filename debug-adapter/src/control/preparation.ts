/**
 * The snapshot that a campaign begins from, made by what its file says, where there is none of that name: its program is built and run under
 * Cairn until its console has a certain line. Tests: test/simulators/faults.test.ts.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { CommandOutput, runInFolder } from '../platform/command.js';
import { takeLock } from '../platform/lock.js';
import type { Campaign, Preparation } from '../protocol/campaign.js';
import { CairnError, failure, reason } from '../protocol/errors.js';
import { keepSession, removeRun } from '../runners/restart-run.js';
import { campaignFolder } from '../store/campaign-file.js';
import { Store } from '../store/store.js';
import type { ControlClient } from './client.js';
import { openSession } from './sessions.js';

/** In the store: whose campaign makes a snapshot. */
const LOCK = 'prepare.lock';

export interface PrepareOptions {
  name: string;
  /** Absolute. */
  store: string;
  folder: string;
  campaign: Campaign;
  signal: AbortSignal;
}

function isThere(store: Store, name: string): boolean {
  try {
    store.find(name);
    return true;
  } catch (error) {
    if (error instanceof CairnError && error.code === 'snapshotNotFound') return false;
    throw error;
  }
}

const lastLine = (text: string): string => text.trim().split('\n').at(-1) ?? '';

/** Throws `snapshotNotMade`, or `cancelled`. Where nothing is said of how it is made, nothing is done. */
export async function prepareSnapshot(options: PrepareOptions): Promise<void> {
  const { name, campaign } = options;
  const store = new Store(options.store);
  if (campaign.prepare === undefined || isThere(store, campaign.snapshot)) return;
  mkdirSync(store.path, { recursive: true });
  const lock = await takeLock(join(store.path, LOCK));
  if (lock === undefined) throw failure('campaignRuns', { name });
  try {
    if (!isThere(store, campaign.snapshot)) await make(options, store, campaign.prepare);
  } finally {
    lock.release();
  }
}

async function make(
  { name, folder, campaign: { snapshot }, signal }: PrepareOptions,
  store: Store,
  prepare: Preparation,
): Promise<void> {
  const fail = (why: string): Error => {
    if (signal.aborted) return failure('cancelled', { kind: 'campaign', detail: 'Nothing has been counted.' });
    return failure('snapshotNotMade', { name: snapshot, why });
  };
  if (prepare.build !== undefined) {
    const { status, stderr, stdout } = await runInFolder(prepare.build, folder, signal);
    if (status !== 0)
      throw fail(`${prepare.build.join(' ')} ended with status ${status}: ${lastLine(stderr) || lastLine(stdout)}`);
  }
  const session = `${name.slice(0, 28)}.${process.pid}.p`;
  // Who is killed meanwhile leaves this to the next one, who ends it.
  const left = join(campaignFolder(store.path, name), 'worker.prepare');
  keepSession(left, session);
  const running = new CommandOutput(
    ['run', '--session', session, '--store', store.path, '--', ...prepare.command],
    folder,
    signal,
  );
  let client: ControlClient | undefined;
  try {
    // The simulation goes on while it is waited for: what is to be asked is asked at once.
    const first = running.line(/^/);
    const line = running.line(new RegExp(prepare.until, 'u'));
    if (await first) client = await openSession(session);
    if (!(await line) || client === undefined)
      throw fail(`${prepare.command.join(' ')} has ended, and no line was as in "until"; its last one: ${running.last}`);
    await client.request('session/checkpoint', { name: snapshot, then: 'kill' });
    await running.end();
  } catch (error) {
    if (error instanceof CairnError && error.code === 'snapshotNotMade') throw error;
    throw fail(reason(error));
  } finally {
    client?.close();
    await removeRun(left);
  }
}
