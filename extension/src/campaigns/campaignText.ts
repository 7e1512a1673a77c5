/**
 * The text of a campaign's file, changed at one place: comments and all else stay as they are. Pure. Test: test/unit/campaign-text.test.ts.
 */
import { applyEdits, modify } from 'jsonc-parser';
import { Document, isCollection, isMap, isScalar, isSeq, parseDocument } from 'yaml';

export type Path = readonly (string | number)[];

/** As plain data; null: it is not YAML, or no map. */
export function dataOf(text: string): Record<string, unknown> | null {
  const document = parseDocument(text, { prettyErrors: false });
  if (document.errors.length > 0) return null;
  if (document.contents === null) return {};
  try {
    const value: unknown = document.toJS({ maxAliasCount: 1000 });
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

/** As `withChange`, of a file that is JSON. */
export function withJsonChange(text: string, path: Path, value: unknown): string {
  const formattingOptions = { insertSpaces: true, tabSize: 2 };
  return applyEdits(text, modify(text, [...path], value, { formattingOptions }));
}

/** No value: what is there is taken out, and what is empty without it. Throws where the text is not YAML. */
export function withChange(text: string, path: Path, value: unknown): string {
  const document = parseDocument(text, { prettyErrors: false });
  const [problem] = document.errors;
  if (problem !== undefined) throw problem;
  if (value === undefined) {
    if (!document.hasIn(path)) return text;
    remove(document, path);
  } else {
    const old: unknown = document.getIn(path, true);
    // A word in the place of a word: not a character else is touched.
    if (isScalar(old) && old.range && isPlain(old.type) && !isGroup(value))
      return text.slice(0, old.range[0]) + wordOf(value) + text.slice(old.range[1]);
    put(document, path, value);
  }
  return document.toString({ lineWidth: 0 });
}

function remove(document: Document, path: Path): void {
  document.deleteIn(path);
  const above = path.slice(0, -1);
  const around = above.length === 0 ? undefined : document.getIn(above, true);
  // A model stays one, though it may have nothing more in it.
  if (isMap(around) && around.items.length === 0 && typeof above.at(-1) === 'string') remove(document, above);
}

function put(document: Document, path: Path, value: unknown): void {
  const old: unknown = document.getIn(path, true);
  const node = document.createNode(value);
  if (isCollection(node)) {
    if (isCollection(old) && isSeq(old) === isSeq(node)) node.flow = old.flow ?? false;
    else node.flow = isShort(value);
    if (isCollection(old)) keepComments(old, node);
  }
  document.setIn(path, node);
}

const isPlain = (type: string | undefined): boolean => type === 'PLAIN' || type === 'QUOTE_SINGLE' || type === 'QUOTE_DOUBLE';
const isGroup = (value: unknown): boolean => typeof value === 'object' && value !== null;

/** One that can stand in a list in brackets, too. */
function wordOf(value: unknown): string {
  const document = new Document([value]);
  if (isSeq(document.contents)) document.contents.flow = true;
  return document.toString({ lineWidth: 0, flowCollectionPadding: false }).trim().slice(1, -1);
}

function keepComments(old: { comment?: string | null; commentBefore?: string | null }, node: typeof old): void {
  if (old.comment) node.comment = old.comment;
  if (old.commentBefore) node.commentBefore = old.commentBefore;
}

/** A range, a sample, a list of numbers: on one line. */
function isShort(value: unknown): boolean {
  const parts = Array.isArray(value) ? value : Object.values(value as object);
  return parts.length <= 8 && parts.every((one) => typeof one === 'number' || typeof one === 'boolean');
}

/** Of a campaign that has only just been thought of. */
export function newCampaign(snapshot: string, store: string | undefined): string {
  return `# Faults from the snapshot ${snapshot}. Change it here or in the Faults page.
snapshot: ${JSON.stringify(snapshot)}
${store === undefined ? '' : `store: ${JSON.stringify(store)}\n`}seed: 1
sample: { margin: 0.05, confidence: 0.95 }
models:
  - name: upsets
    signals:
      model: upset
      targets: ["*"]
      times: [0]
`;
}

/** The part of two texts that differs: where it begins, and what stands there instead. */
export function differs(from: string, to: string): { start: number; end: number; text: string } {
  let start = 0;
  while (start < from.length && start < to.length && from[start] === to[start]) start++;
  let same = 0;
  while (same < from.length - start && same < to.length - start && from[from.length - 1 - same] === to[to.length - 1 - same])
    same++;
  return { start, end: from.length - same, text: to.slice(start, to.length - same) };
}
