/**
 * The file of a campaign. Test: test/unit/campaign-file.test.ts.
 */
import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { Campaign, CampaignProblem } from '../protocol/campaign.js';
import { lookAtCampaign } from '../protocol/campaign-text.js';
import { failure, reason } from '../protocol/errors.js';

export interface CampaignFile {
  /** Of the results: the file's own, without .campaign.yaml and the like. */
  name: string;
  campaign: Campaign;
  /** Absolute. */
  store: string;
  /** Absolute: the file's. */
  folder: string;
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw failure('fileNotReadable', { what: 'campaign', path, why: reason(cause) }, cause);
  }
}

/** All that is wrong with a file; throws `fileNotReadable`. */
export const campaignProblems = (file: string): CampaignProblem[] => lookAtCampaign(textOf(resolve(file))).problems;

/** Throws `fileNotReadable`, or `campaignFile` with the line at fault. */
export function readCampaign(file: string): CampaignFile {
  const path = resolve(file);
  const campaign = parseCampaign(textOf(path), path);
  for (const { plugin } of campaign.models) {
    if (plugin === undefined) continue;
    const beside = resolve(dirname(path), plugin.library);
    // Another may be one that comes with Cairn.
    if (plugin.library.includes('/') || existsSync(beside)) plugin.library = beside;
  }
  return {
    name: basename(path).replace(/(\.campaign)?\.(ya?ml|json)$/, ''),
    campaign,
    store: resolve(dirname(path), campaign.store ?? '.cairn'),
    folder: dirname(path),
  };
}

export function parseCampaign(text: string, path: string): Campaign {
  const { campaign, problems } = lookAtCampaign(text);
  if (campaign !== undefined) return campaign;
  const [{ line, message } = { line: 0, message: 'it is no campaign' }] = problems;
  throw failure('campaignFile', { path: line === 0 ? path : `${path}:${line}`, why: message });
}

/** Where results of a campaign are. */
export function campaignFolder(store: string, name: string): string {
  return join(store, 'campaigns', name);
}
