/**
 * The signals of a snapshot's design, for whoever chooses among them: the snapshot is restarted, in a session and a folder of its own, only until
 * the simulation has been entered and has told them. Test: test/simulators/campaign-plan.test.ts.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Target } from '../protocol/campaign.js';
import { CairnError, failure, reason } from '../protocol/errors.js';
import type { SnapshotSummary } from '../protocol/snapshot.js';
import { designOf, keepDesign } from '../store/designs.js';
import type { Store } from '../store/store.js';
import { removeLeft, removeRun, restartRun } from './restart-run.js';
import { hasListed } from './run-plugins.js';

const LOOK_MS = 20;
const DEADLINE_MS = 120_000;

/** Those that are known, else they are read. Throws `designUnknown`. */
export async function snapshotDesign(store: Store, snapshot: SnapshotSummary, signal: AbortSignal): Promise<readonly Target[]> {
  const known = designOf(store, snapshot.id);
  if (known !== undefined) return known;
  const session = `design.${process.pid}`;
  const all = join(store.designs, snapshot.id);
  const folder = join(all, session);
  mkdirSync(folder, { recursive: true });
  await removeLeft(all, 'design');
  const listed = new AbortController();
  try {
    const run = restartRun({
      session,
      snapshot: snapshot.path,
      store: store.path,
      folder,
      plugins: [],
      design: { targets: ['*'], observe: [], detect: [], limit: null },
      files: [],
      timeoutMs: DEADLINE_MS,
      signal: AbortSignal.any([listed.signal, signal]),
    });
    const ended = new AbortController();
    const looking = (async () => {
      while (!ended.signal.aborted && !hasListed(folder)) await sleep(LOOK_MS);
      listed.abort();
    })();
    const { targets, problem, observation } = await run.finally(() => ended.abort());
    await looking;
    if (signal.aborted) throw failure('cancelled', { kind: 'reading of the design', detail: '' });
    if (targets.length === 0) throw failure('designUnknown', { id: snapshot.id, why: problem || why(observation.status) });
    await keepDesign(store, snapshot.id, targets);
    return targets;
  } catch (error) {
    if (error instanceof CairnError) throw error;
    throw failure('designUnknown', { id: snapshot.id, why: reason(error) }, error);
  } finally {
    await removeRun(folder);
  }
}

const why = (status: number | null): string =>
  status === null
    ? 'none of its processes came to a place where a simulation can be entered'
    : `it ended with status ${status} before, or is no simulation whose signals can be read`;
