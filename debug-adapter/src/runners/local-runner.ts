/**
 * Runs of a campaign on this machine, as many at a time as there are workers. Tests: test/faults/campaign.test.ts.
 */
import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CampaignRuns } from './campaign.js';
import type { RunnerContext } from './run-campaign.js';

/** Between two looks whether a campaign that is paused has been resumed. */
const LOOK_MS = 200;

/** Until all workers are through. Where one of them fails the others take no further runs, and that is thrown. */
export async function runHere(
  { ledger, golden, goldenMs, workers, signal, told, note }: RunnerContext,
  runs: CampaignRuns,
): Promise<void> {
  let failed = false;
  let waiting = 0;
  const resumed = async (): Promise<void> => {
    if (!ledger.paused) return;
    if (waiting++ === 0) note('The campaign is paused: cairn campaign resume lets it go on.');
    told();
    while (ledger.paused && !signal.aborted && !failed) await sleep(LOOK_MS);
    waiting--;
    told();
  };
  const work = async (worker: number): Promise<void> => {
    for (;;) {
      await resumed();
      const number = signal.aborted || failed ? undefined : ledger.take();
      if (number === undefined) return;
      const counted = await runs.judged(worker, number, ledger.fault(number), golden, goldenMs);
      if (signal.aborted) return;
      ledger.add(counted);
      told();
    }
  };
  const most = workers ?? availableParallelism();
  const all = Array.from({ length: ledger.missing(most).length }, async (_, worker) => {
    try {
      await work(worker);
    } catch (error) {
      failed = true;
      throw error;
    }
  });
  const broken = (await Promise.allSettled(all)).find((one) => one.status === 'rejected');
  if (broken !== undefined) throw broken.reason;
}
