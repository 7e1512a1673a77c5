/**
 * What is wrong with the text of a campaign's file: the one check of the command, of the editor's diagnostics and of the Faults panel. Pure.
 * Test: test/unit/campaign-file.test.ts.
 */
import { LineCounter, parseDocument } from 'yaml';
import { Campaign, type CampaignProblem } from './campaign.js';
import { reason } from './errors.js';

/** All that is wrong with it, each at its line; 0: at none. */
export function lookAtCampaign(text: string): { campaign?: Campaign; problems: CampaignProblem[] } {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const at = (offset: number): number => lines.linePos(offset).line;
  if (document.errors.length > 0)
    return { problems: document.errors.map(({ pos, message }) => ({ line: at(pos[0]), message, path: [] })) };
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 1000 });
  } catch (cause) {
    return { problems: [{ line: 0, message: reason(cause), path: [] }] };
  }
  const result = Campaign.safeParse(value);
  if (result.success) return { campaign: result.data, problems: [] };
  const problems = result.error.issues.map(({ path, message }) => {
    // The nearest thing that is in the file: what is missing has no place.
    let node: unknown;
    for (let depth = path.length; depth >= 0 && !hasRange(node); depth--)
      node = depth === 0 ? document.contents : document.getIn(path.slice(0, depth), true);
    const where = path.join('.');
    return {
      line: hasRange(node) ? at(node.range[0]) : 0,
      message: `${where === '' ? '' : `${where}: `}${message}`,
      path: path.map(plainKey),
    };
  });
  return { problems };
}

function hasRange(node: unknown): node is { range: [number, number, number] } {
  return typeof node === 'object' && node !== null && 'range' in node && Array.isArray(node.range);
}

const plainKey = (key: PropertyKey): string | number => (typeof key === 'number' ? key : String(key));
