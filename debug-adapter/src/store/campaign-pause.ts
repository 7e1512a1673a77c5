/**
 * Whether a campaign is paused: a file beside its results, which stays until somebody resumes it, whoever runs the campaign, here or on other machines.
 * Tests: test/faults/campaign-pause.test.ts.
 */
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { failure, reason } from '../protocol/errors.js';

const mark = (folder: string): string => join(folder, 'paused');

export const isPaused = (folder: string): boolean => existsSync(mark(folder));

/** Runs that are under way go on to their end. Throws `campaignUnusable`. */
export function pauseCampaign(folder: string): void {
  change(folder, () => writeFileSync(mark(folder), `${new Date().toISOString()}\n`));
}

export function resumeCampaign(folder: string): void {
  change(folder, () => rmSync(mark(folder), { force: true }));
}

function change(folder: string, work: () => void): void {
  try {
    work();
  } catch (cause) {
    throw failure('campaignUnusable', { path: mark(folder), why: reason(cause) }, cause);
  }
}
