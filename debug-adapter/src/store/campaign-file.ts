/**
 * The file of a campaign. Test: test/unit/campaign-file.test.ts.
 */
import { readFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { LineCounter, parseDocument } from 'yaml';
import { Campaign, type CampaignProblem } from '../protocol/campaign.js';
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
  for (const { plugin } of campaign.models)
    if (plugin?.library.includes('/')) plugin.library = resolve(dirname(path), plugin.library);
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

/** All that is wrong with it, each at its line; 0: at none. */
export function lookAtCampaign(text: string): { campaign?: Campaign; problems: CampaignProblem[] } {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const at = (offset: number): number => lines.linePos(offset).line;
  if (document.errors.length > 0) return { problems: document.errors.map(({ pos, message }) => ({ line: at(pos[0]), message })) };
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 1000 });
  } catch (cause) {
    return { problems: [{ line: 0, message: reason(cause) }] };
  }
  const result = Campaign.safeParse(value);
  if (result.success) return { campaign: result.data, problems: [] };
  const problems = result.error.issues.map(({ path, message }) => {
    // The nearest thing that is in the file: what is missing has no place.
    let node: unknown;
    for (let depth = path.length; depth >= 0 && !hasRange(node); depth--)
      node = depth === 0 ? document.contents : document.getIn(path.slice(0, depth), true);
    const where = path.join('.');
    return { line: hasRange(node) ? at(node.range[0]) : 0, message: `${where === '' ? '' : `${where}: `}${message}` };
  });
  return { problems };
}

function hasRange(node: unknown): node is { range: [number, number, number] } {
  return typeof node === 'object' && node !== null && 'range' in node && Array.isArray(node.range);
}

/** Where results of a campaign are. */
export function campaignFolder(store: string, name: string): string {
  return join(store, 'campaigns', name);
}
