/**
 * The groups of tests, in the order in which `npm test` runs them: each gives back how many tests passed, failed and were
 * skipped.
 */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inTree, run, treeNode } from '../lib/tree.mjs';
import { lintChecks } from '../lint.mjs';
import { packageExtension } from '../package.mjs';
import { liveSessions, stopSession } from '../workbench/sessions.mjs';
import { lacks32Bit, presets } from './native.mjs';

/** Runs each check as one test. */
async function checks(named) {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  for (const [name, check] of Object.entries(named)) {
    try {
      await check();
      counts.passed += 1;
    } catch (error) {
      process.stdout.write(`  ✖ ${name}\n${error.message}\n`);
      counts.failed += 1;
    }
  }
  return counts;
}

const typecheck = () => run('tsc', ['--build', '--pretty', 'false'], { quiet: true });

/** GoogleTest's tests, by CTest: of each build that there is. */
async function nativeTests() {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  for (const preset of Object.keys(presets)) {
    const lacking = preset === 'release' ? '' : await lacks32Bit();
    if (lacking !== '') {
      process.stdout.write(`  ${preset}: skipped, ${lacking}\n`);
      counts.skipped += 1;
      continue;
    }
    const more = await presetTests(preset);
    for (const key of Object.keys(counts)) counts[key] += more[key];
  }
  return counts;
}

async function presetTests(preset) {
  const report = inTree(`build/test/native-${preset}.xml`);
  mkdirSync(inTree('build/test'), { recursive: true });
  rmSync(report, { force: true });
  const result = await run(
    'ctest',
    [
      '--test-dir',
      inTree('build/native', preset),
      '--output-on-failure',
      '--no-tests=error',
      '--timeout',
      '120',
      '--output-junit',
      report,
    ],
    { capture: true, anyStatus: true },
  );
  const total = existsSync(report) ? /<testsuite\b[^>]*>/.exec(readFileSync(report, 'utf8'))?.[0] : undefined;
  if (total === undefined) {
    process.stdout.write(result.all);
    return { passed: 0, failed: 1, skipped: 0 };
  }
  const number = (name) => Number(new RegExp(`\\b${name}="(\\d+)"`).exec(total)?.[1] ?? 0);
  const failed = number('failures') + number('errors');
  const skipped = number('skipped') + number('disabled');
  if (failed > 0 || result.code !== 0) process.stdout.write(result.all);
  return { passed: number('tests') - failed - skipped, failed: Math.max(failed, result.code === 0 ? 0 : 1), skipped };
}

function testFiles(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts'))
    .sort()
    .map((name) => join(folder, name));
}

/** What a test must not take over from whoever runs it. */
const foreign = ['CAIRN_SESSION', 'CAIRN_STORE', 'CAIRN_AGENT_SOCKET', 'CAIRN_COMPUTATION', 'LD_PRELOAD', 'NODE_TEST_CONTEXT'];

/** What runs files of tests by node:test, with the same environment and limits. */
async function runFiles(files, { report, runtime, parallel, minutes, more = {} }) {
  rmSync(report, { force: true });
  const args = [
    '--import',
    inTree('scripts/lib/typescript.mjs'),
    '--test',
    `--test-reporter=${inTree('scripts/lib/reporter.mjs')}`,
  ];
  if (!parallel) args.push('--test-concurrency=1');
  args.push(`--test-timeout=${minutes * 60_000}`, ...files);
  const env = Object.fromEntries(foreign.map((variable) => [variable, undefined]));
  const result = await run(treeNode, args, {
    env: { ...env, CAIRN_RUNTIME_DIR: runtime, CAIRN_TEST_COUNTS: report, ...more },
    anyStatus: true,
  });
  const none = { passed: 0, failed: 1, skipped: 0, failures: [] };
  const counts = existsSync(report) ? JSON.parse(readFileSync(report, 'utf8')) : none;
  if (result.code !== 0 && counts.failed === 0) {
    process.stdout.write(`  ✖ node --test ended with status ${result.code}\n`);
    counts.failed = 1;
  }
  return counts;
}

const looks = 3;
const mostUnsteady = 3;

/**
 * Real processes on a loaded machine: a few tests of a whole run may fail by what is beside them. Their files run three more times,
 * alone; who passes each time counts as passed, and is named as unsteady at the end of the output, for somebody to look at.
 */
async function lookAgain(counts, settings) {
  counts.unsteady = [];
  if (counts.failures.length === 0 || counts.failures.length !== counts.failed || counts.failed > mostUnsteady) return;
  for (const file of new Set(counts.failures.map((failure) => failure.file))) {
    const failed = counts.failures.filter((failure) => failure.file === file);
    const more = settings.narrow(file, failed);
    let steady = true;
    for (let look = 0; look < looks && steady; look++) {
      process.stdout.write(`  again (${look + 1} of ${looks}): ${file}\n`);
      steady = (await runFiles([inTree(file)], { ...settings, more })).failed === 0;
    }
    if (!steady) continue;
    counts.failed -= failed.length;
    counts.passed += failed.length;
    counts.unsteady.push(...failed.map(({ names }) => `${file}: ${names.join(' › ')}`));
  }
}

/**
 * The *.test.ts files of test/<name>, by node:test. `parallel`: files that neither time anything nor load the machine. `narrow`: by
 * which variables a file runs only the tests that failed, where it can.
 */
function nodeTests(name, { parallel = false, minutes = 10, before = async () => {}, narrow = () => ({}) } = {}) {
  return async () => {
    const files = testFiles(inTree('test', name));
    if (files.length === 0) {
      process.stdout.write(`  ✖ test/${name} has no *.test.ts\n`);
      return { passed: 0, failed: 1, skipped: 0 };
    }
    await before();
    mkdirSync(inTree('build/test'), { recursive: true });
    const report = inTree(`build/test/${name}.json`);
    // A test that does not choose a runtime folder gets this one.
    const runtime = mkdtempSync(join(tmpdir(), 'cairn-t-'));
    try {
      const settings = { report, runtime, parallel, minutes, narrow };
      const counts = await runFiles(files, settings);
      await lookAgain(counts, settings);
      for (const session of liveSessions(runtime)) {
        process.stdout.write(`  ✖ session ${session.session} was left behind\n`);
        counts.failed += 1;
        await stopSession(runtime, session.session);
      }
      return counts;
    } finally {
      rmSync(runtime, { recursive: true, force: true });
    }
  };
}

/** Probes by their names; see test/probes/catalogue.ts. */
function narrowProbes(_file, failures) {
  const probes = failures.filter(({ names }) => names[0] === 'probes' && names.length > 1).map(({ names }) => names[1]);
  return probes.length === 0 ? {} : { CAIRN_PROBES: `^(${[...new Set(probes)].join('|')})$` };
}

export const groups = {
  check: () => checks({ types: typecheck, ...lintChecks }),
  native: nativeTests,
  unit: nodeTests('unit', { parallel: true, minutes: 1 }),
  protocol: nodeTests('protocol', { parallel: true, minutes: 1 }),
  dap: nodeTests('dap', { minutes: 2 }),
  probes: nodeTests('probes', { minutes: 5, narrow: narrowProbes }),
  simulators: nodeTests('simulators', { minutes: 15 }),
  programs: nodeTests('programs', { minutes: 10 }),
  hosts: nodeTests('hosts', { minutes: 5 }),
  faults: nodeTests('faults', { minutes: 10 }),
  e2e: nodeTests('e2e', { minutes: 15, before: async () => void (await packageExtension()) }),
};
