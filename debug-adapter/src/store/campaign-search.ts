/**
 * Runs with a text in the words of their faults or deviations, of millions: by an index of each three characters that follow each other, kept by triggers, so
 * that nothing is added without it. Tests: test/unit/campaign-results.test.ts.
 */
import type { DatabaseSync } from 'node:sqlite';

/** What the index knows of a text. */
const GRAM = 3;
/** So many of those of a search are looked for in it: each takes time, and what they find is looked at itself. */
const MOST_GRAMS = 6;
/** A search that finds more does not count them. */
const MOST_FOUND = 5000;
/** Of so few runs each is looked at; of more the index is asked. */
const MOST_LOOKED_AT = 50_000;

const text = (row: string): string => `${row}.fault || ' ' || ${row}.deviation`;
const added = `INSERT INTO words (rowid, text) VALUES (new.number, ${text('new')});`;
const removed = `INSERT INTO words (words, rowid, text) VALUES ('delete', old.number, ${text('old')});`;

export const SEARCH_LAYOUT = `
  CREATE VIRTUAL TABLE IF NOT EXISTS words USING fts5 (text, content = '', detail = 'none', tokenize = 'trigram');
  CREATE TRIGGER IF NOT EXISTS run_words AFTER INSERT ON run BEGIN ${added} END;
  CREATE TRIGGER IF NOT EXISTS run_words_again AFTER UPDATE ON run BEGIN ${removed} ${added} END;
`;

export interface SearchRequest {
  /** Not empty. */
  search: string;
  /** Conditions of SQL on runs, that hold beside it, and what they compare with. */
  conditions: readonly string[];
  values: readonly (string | number)[];
  /** How many runs they are. */
  filtered: number;
  offset: number;
  limit: number;
}

/** Numbers of a part of the runs, and how many there are; `more`: at least so many. */
export function searchRuns(database: DatabaseSync, asked: SearchRequest): { total: number; more: boolean; numbers: number[] } {
  const { search, offset, limit, filtered } = asked;
  const most = Math.max(MOST_FOUND, Math.min(offset + limit, Number.MAX_SAFE_INTEGER - 1));
  const conditions = [...asked.conditions, `(${text('run')}) LIKE ? ESCAPE '\\'`];
  const values = [...asked.values, `%${search.replace(/[\\%_]/g, '\\$&')}%`];
  const grams = gramsOf(search);
  let from = 'run';
  if (grams.length > 0 && filtered > MOST_LOOKED_AT) {
    // From the words to the runs, never the other way: the text may be in all of them.
    from = 'words CROSS JOIN run ON number = words.rowid';
    conditions.push('words MATCH ?');
    values.push(grams.map((gram) => `"${gram.replaceAll('"', '""')}"`).join(' AND '));
  }
  const order = from === 'run' ? 'number' : 'words.rowid';
  const found = database
    .prepare(`SELECT number FROM ${from} WHERE ${conditions.join(' AND ')} ORDER BY ${order} LIMIT ?`)
    .all(...values, most + 1)
    .map((row) => Number(row['number']));
  const total = Math.min(found.length, most);
  return { total, more: found.length > most, numbers: found.slice(offset, Math.min(offset + limit, total)) };
}

/** Some of its parts, that have little in common; none where it is too short. */
function gramsOf(search: string): string[] {
  const all = Array.from(search);
  const last = all.length - GRAM;
  if (last < 0) return [];
  const starts = new Set(Array.from({ length: Math.floor(last / GRAM) + 1 }, (_, at) => at * GRAM));
  starts.add(last);
  // Names end with what tells them apart.
  return [...starts].slice(-MOST_GRAMS).map((at) => all.slice(at, at + GRAM).join(''));
}
