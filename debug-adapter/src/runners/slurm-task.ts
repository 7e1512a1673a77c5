/**
 * A task of a campaign's job array, on a node: makes its part of the runs from a copy of the snapshot that the node keeps for all of its tasks, and
 * writes each result down before the next run. It ends early where the campaign is paused. Whatever ends it, it can be begun again.
 * Tests: test/faults/slurm.test.ts.
 */
import { appendFileSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { currentNode, currentTask } from '../platform/slurm.js';
import { failure } from '../protocol/errors.js';
import { isPaused } from '../store/campaign-pause.js';
import { CampaignRuns } from './campaign.js';
import { plannedFaults } from './campaign-plan.js';
import { NodeStage } from './node-stage.js';
import { Submission } from './slurm-exchange.js';

/** In the folder of the exchange: a file for each node that has a copy of the snapshot, with a line for each time that it was made. */
export const NODES = 'nodes';
const NAME_CHARACTERS = 20;
const SIGNAL_MS = 10;

/** The node's copy of the snapshot of a campaign that has ended. */
export async function unstage(campaignFolder: string, base: string): Promise<void> {
  await new NodeStage(base, currentNode(), campaignFolder).remove();
}

/** @param folder of its submission */
export async function runTask(folder: string, signal: AbortSignal): Promise<void> {
  const task = currentTask();
  if (task === undefined) throw failure('slurmFailed', { why: 'this is no task of a job array' });
  const submission = Submission.at(folder);
  const { name, campaign, golden, goldenMs, folder: campaignFolder, store, snapshot, stage: base } = submission.task();
  const { space, indices } = plannedFaults(campaign, golden.targets);
  const nodes = join(dirname(folder), NODES);
  mkdirSync(nodes, { recursive: true });
  appendFileSync(join(nodes, task.node), '');
  const stage = new NodeStage(base, task.node, campaignFolder);
  const place = await stage.enter(`${task.job}-${task.restarts}`);
  const writer = submission.writer(task.index, task.job, task.restarts);
  try {
    const { path: staged, copied } = await stage.snapshot(snapshot);
    if (copied) appendFileSync(join(nodes, task.node), `${task.job}\n`);
    const prefix = `${name.slice(0, NAME_CHARACTERS)}.${task.job}-${task.restarts}`;
    const runs = new CampaignRuns({ campaign, snapshot: staged, store, folder: place.folder, prefix, signal });
    try {
      for (const number of submission.missing(task.index)) {
        // Nobody waits for it where its folder is gone.
        if (signal.aborted || isPaused(campaignFolder) || !submission.isThere) return;
        const counted = await runs.judged(0, number, space.at(indices[number] ?? 0), golden, goldenMs);
        // What was ended is no result. Who ends a job signals all of its processes: it must have come here, too.
        if (counted.run.outcome !== 'masked') await sleep(SIGNAL_MS);
        if (!signal.aborted) writer.add(counted);
      }
    } finally {
      await runs.close();
    }
  } finally {
    writer.close();
    place.leave();
  }
}
