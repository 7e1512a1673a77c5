/**
 * What a snapshot says of files, connections and clocks, as lines of its details: which files go with it, which a restart uses as they are, the rules,
 * and clocks where they are other than usual. Pure. Tests: test/unit/rule-lines.test.ts.
 */
import type { SnapshotSummary } from '../../../debug-adapter/src/protocol/snapshot.js';

/** More names than that say less. */
const SHOWN = 8;

function names(paths: readonly string[]): string {
  const shown = paths.slice(0, SHOWN).join(', ');
  return paths.length > SHOWN ? `${shown} and ${paths.length - SHOWN} more` : shown;
}

export function ruleLines({
  savedFiles = [],
  ignoredFiles = [],
  rules,
}: Pick<SnapshotSummary, 'savedFiles' | 'ignoredFiles' | 'rules'>): [string, string][] {
  const lines: [string, string][] = [];
  if (savedFiles.length > 0) lines.push(['Files in it', names(savedFiles)]);
  if (ignoredFiles.length > 0) lines.push(['Files used as they are', names(ignoredFiles)]);
  if (rules && rules.files.length > 0)
    lines.push(['File rules', rules.files.map(({ pattern, how }) => `${how} ${pattern}`).join(', ')]);
  if (rules && rules.connections.length > 0)
    lines.push(['Connection rules', rules.connections.map(({ pattern, how }) => `${how} ${pattern}`).join(', ')]);
  if (rules?.clock === 'continue') lines.push(['Clock', 'continues at a restart']);
  return lines;
}
