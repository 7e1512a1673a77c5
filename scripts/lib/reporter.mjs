/**
 * node:test's reporter for scripts/test.mjs: prints failures, skips and one line a file, and writes the counts, and the names of what
 * failed, as JSON to the file that CAIRN_TEST_COUNTS names. A test marked as to do that passes is a failure: the mark is out of date.
 */
import { writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import { inspect } from 'node:util';
import { root } from './tree.mjs';

/**
 * failures: of each failed test its file, and its name with those of the tests around it, outermost first.
 * @type {{ passed: number, failed: number, skipped: number, failures: { file: string, names: string[] }[] }}
 */
const counts = { passed: 0, failed: 0, skipped: 0, failures: [] };

/** File → what it printed and how its tests did. */
const files = new Map();
function entryOf(file) {
  if (!files.has(file)) files.set(file, { output: '', passed: 0, failed: 0, skipped: 0, start: performance.now() });
  return files.get(file);
}

function explain(error) {
  const cause = error?.cause ?? error;
  if (error?.exitCode !== undefined || error?.signal)
    return `the file ended with ${error.signal ?? `exit status ${error.exitCode}`}`;
  if (typeof cause === 'string') return cause;
  return cause?.stack ?? inspect(cause);
}

const indent = (text) => text.replace(/^(?=.)/gm, '      ');

/** File → the names of the tests that results are being reported of, by depth. */
const around = new Map();
function namesOf({ file, nesting, name }) {
  return [...(around.get(file) ?? []).slice(0, nesting), name];
}

/** File → for each depth, whether a test at that depth was reported since the last one above it. */
const below = new Map();

/** Whether the test just reported has subtests; results come in the order of the tree, children first. */
function hasSubtests({ file, nesting }) {
  if (!below.has(file)) below.set(file, []);
  const seen = below.get(file);
  const inner = seen[nesting + 1] === true;
  seen[nesting + 1] = false;
  seen[nesting] = true;
  return inner;
}

function* onResult({ type, data: told }) {
  // Where the test belongs is the file that was run; where it was declared may be a helper.
  const data = { ...told, file: told.entryFile ?? told.file };
  // Only what has no subtests counts as a test, and whatever failed by itself.
  if (hasSubtests(data) && type === 'test:pass') return;
  if (data.details?.type === 'suite' && type === 'test:pass') return;
  // Its subtests have been counted and shown.
  if (data.details?.error?.failureType === 'subtestsFailed') return;
  const entry = entryOf(data.file);
  if (data.skip !== undefined && data.skip !== false) {
    counts.skipped += 1;
    entry.skipped += 1;
    yield `  - ${data.name}: skipped${typeof data.skip === 'string' && data.skip ? `: ${data.skip}` : ' without a reason'}\n`;
    return;
  }
  const todo = data.todo !== undefined && data.todo !== false;
  if (todo && type === 'test:fail') {
    counts.skipped += 1;
    entry.skipped += 1;
    yield `  - ${data.name}: fails as expected${typeof data.todo === 'string' ? `: ${data.todo}` : ''}\n`;
    return;
  }
  const empty = data.name === data.file || data.name === relative(root, data.file ?? '');
  if (type === 'test:pass' && !todo && !empty) {
    counts.passed += 1;
    entry.passed += 1;
    return;
  }
  counts.failed += 1;
  entry.failed += 1;
  const names = namesOf(data);
  counts.failures.push({ file: relative(root, data.file ?? ''), names });
  const where = `${relative(root, data.file ?? '')}${told.file === data.file ? `:${data.line ?? 0}` : ''}`;
  let why = explain(data.details?.error);
  if (type === 'test:pass') why = empty ? 'the file has no tests' : 'is marked as to do, but passes: remove the mark';
  yield `  ✖ ${names.join(' › ')} (${where})\n${indent(why)}\n`;
}

export default async function* report(source) {
  for await (const event of source) {
    const { type, data } = event;
    if (type === 'test:stdout' || type === 'test:stderr') entryOf(data.entryFile ?? data.file).output += data.message;
    else if (type === 'test:start') {
      const file = data.entryFile ?? data.file;
      if (!around.has(file)) around.set(file, []);
      around.get(file)[data.nesting] = data.name;
    } else if (type === 'test:pass' || type === 'test:fail') yield* onResult(event);
    else if (type === 'test:summary' && data.file) {
      const entry = entryOf(data.file);
      yield* showOutput(data.file, entry);
      yield `  ${relative(root, data.file)}: ${summary(entry)}, ${(data.duration_ms / 1000).toFixed(1)} s\n`;
    }
  }
  // Files that ended before they had a summary.
  for (const [file, entry] of files) yield* showOutput(file, entry);
  if (process.env.CAIRN_TEST_COUNTS) writeFileSync(process.env.CAIRN_TEST_COUNTS, JSON.stringify(counts));
}

/** What a file with failures printed, once. */
function* showOutput(file, entry) {
  if (entry.failed > 0 && entry.output) yield `    output of ${relative(root, file)}:\n${indent(entry.output)}\n`;
  entry.output = '';
}

function summary({ passed, failed, skipped }) {
  return `${passed} passed${failed ? `, ${failed} failed` : ''}${skipped ? `, ${skipped} skipped` : ''}`;
}
