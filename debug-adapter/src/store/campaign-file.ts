/**
 * The file of a campaign. Test: test/unit/campaign-file.test.ts.
 */
import { readFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { LineCounter, parseDocument } from 'yaml';
import { Campaign } from '../protocol/campaign.js';
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

/** Throws `fileNotReadable`, or `campaignFile` with the line at fault. */
export function readCampaign(file: string): CampaignFile {
  const path = resolve(file);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    throw failure('fileNotReadable', { what: 'campaign', path, why: reason(cause) }, cause);
  }
  const campaign = parseCampaign(text, path);
  return {
    name: basename(path).replace(/(\.campaign)?\.(ya?ml|json)$/, ''),
    campaign,
    store: resolve(dirname(path), campaign.store ?? '.cairn'),
    folder: dirname(path),
  };
}

export function parseCampaign(text: string, path: string): Campaign {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const at = (offset: number): string => `${path}:${lines.linePos(offset).line}`;
  const [first] = document.errors;
  if (first !== undefined) throw failure('campaignFile', { path: at(first.pos[0]), why: first.message });
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 1000 });
  } catch (cause) {
    throw failure('campaignFile', { path, why: reason(cause) }, cause);
  }
  const result = Campaign.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  // The nearest thing that is in the file: what is missing has no place.
  let node: unknown;
  for (let depth = issue?.path.length ?? 0; depth >= 0 && !hasRange(node); depth--)
    node = depth === 0 ? document.contents : document.getIn(issue?.path.slice(0, depth) ?? [], true);
  const where = issue?.path.join('.') ?? '';
  throw failure('campaignFile', {
    path: hasRange(node) ? at(node.range[0]) : path,
    why: `${where === '' ? '' : `${where}: `}${issue?.message ?? 'it is no campaign'}`,
  });
}

function hasRange(node: unknown): node is { range: [number, number, number] } {
  return typeof node === 'object' && node !== null && 'range' in node && Array.isArray(node.range);
}

/** Where results of a campaign are. */
export function campaignFolder(store: string, name: string): string {
  return join(store, 'campaigns', name);
}
