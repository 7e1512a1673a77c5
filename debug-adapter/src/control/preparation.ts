/**
 * The snapshot that a campaign begins from, made by what its file says, where there is none of that name: its program is built and run under
 * Cairn until its console has a certain line. Tests: test/simulators/faults.test.ts.
 */
import { CommandOutput, cairnCommand, runInFolder } from '../platform/command.js';
import type { Campaign } from '../protocol/campaign.js';
import { CairnError, failure, reason } from '../protocol/errors.js';
import { Store } from '../store/store.js';
import type { ControlClient } from './client.js';
import { openSession } from './sessions.js';

const STOP_MS = 20_000;

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
export async function prepareSnapshot({ name, store: path, folder, campaign, signal }: PrepareOptions): Promise<void> {
  const store = new Store(path);
  const { prepare, snapshot } = campaign;
  if (prepare === undefined || isThere(store, snapshot)) return;
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
      throw fail(
        `${prepare.command.join(' ')} has ended, and no line was as in "until"; its last one: ${lastLine(running.text)}`,
      );
    await client.request('session/checkpoint', { name: snapshot, then: 'kill' });
    await running.end();
  } catch (error) {
    if (error instanceof CairnError && error.code === 'snapshotNotMade') throw error;
    throw fail(reason(error));
  } finally {
    client?.close();
    await cairnCommand(['stop', '--session', session], { timeoutMs: STOP_MS });
  }
}
