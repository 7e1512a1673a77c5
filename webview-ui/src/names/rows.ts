/**
 * Rows of a table of virtual names: which of them a filter leaves, and how they are copied. Pure.
 * Tests: test/unit/name-rows.test.ts.
 */
import type { TableRow } from '../../../debug-adapter/src/protocol/control.js';

/** Each blank-separated word has to occur in some column, in any case. */
export function matching(rows: readonly TableRow[], filter: string): readonly TableRow[] {
  const words = filter
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '');
  if (words.length === 0) return rows;
  return rows.filter((row) => {
    const text = [row.virtual, row.real, row.before, row.owner, row.detail].join('\n').toLowerCase();
    return words.every((word) => text.includes(word));
  });
}

/** Tab-separated, as a spreadsheet takes it; line breaks and tabs within a value become blanks. */
export function asText(rows: readonly TableRow[]): string {
  const lines = rows.map((row) => [row.virtual, row.real, row.before, row.owner, row.detail, row.since]);
  return [['virtual', 'real', 'before restart', 'plugin', 'detail', 'since'], ...lines]
    .map((line) => line.map((value) => value.replace(/[\t\r\n]+/g, ' ')).join('\t'))
    .join('\n');
}
