/**
 * `npm run bench`: the questions of README's table, answered on this machine, as a Markdown table on standard output and in
 * build/bench.md. With --readme the table in README.md is replaced too (between the comments `bench` and `/bench`).
 * Exit status 1 when an aim is missed.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, release } from 'node:os';
import { inTree } from '../support/tree.js';
import { measureAgents } from './agents.js';
import { measureCalls } from './calls.js';
import { measureDispatch } from './dispatch.js';
import { measureSimulation, measureSize, prepare, restartRow, type SizeResult, simulations } from './measurements.js';
import { measureResident } from './resident.js';
import type { Row } from './row.js';
import { measureTrees } from './trees.js';
import { measureWraps } from './wraps.js';

/**
 * For trying the benchmarks themselves: CAIRN_BENCH_SIZES in MB, CAIRN_BENCH_ROUNDS, CAIRN_BENCH_TREES, CAIRN_BENCH_DISPATCH and CAIRN_BENCH_AGENTS in
 * processes, CAIRN_BENCH_RUNS of a campaign, and CAIRN_BENCH_ONLY, some of the words of `parts` below.
 */
const numbers = (name: string, otherwise: string): number[] => (process.env[name] ?? otherwise).split(',').map(Number);
const sizes = numbers('CAIRN_BENCH_SIZES', '64,512,2048');
const trees = numbers('CAIRN_BENCH_TREES', '1,10,100,500');
const [ROUNDS = 5] = numbers('CAIRN_BENCH_ROUNDS', '5');
const [dispatched = 100] = numbers('CAIRN_BENCH_DISPATCH', '100');
const [campaignRuns = 200] = numbers('CAIRN_BENCH_RUNS', '200');
const [agents = 10_000] = numbers('CAIRN_BENCH_AGENTS', '10000');

const missed = ({ ratio, aim }: Row): boolean => aim !== null && ratio > aim;

function table(rows: readonly Row[]): string {
  const lines = ['| question | measured | compared with | ratio | aim |', '|---|---|---|---|---|'];
  for (const row of rows) {
    const { question, measured, compared, ratio, aim } = row;
    const wanted = aim === null ? '' : `≤ ${aim}`;
    lines.push(`| ${question} | ${measured} | ${compared} | ${ratio.toFixed(2)}${missed(row) ? ' (missed)' : ''} | ${wanted} |`);
  }
  const machine = `${cpus().length} processors (${cpus()[0]?.model.trim()}), Linux ${release()}`;
  return `${lines.join('\n')}\n\nMedians of ${ROUNDS}; simulations and calls: the best of ${ROUNDS}. ${machine}.\n`;
}

function replaceInReadme(text: string): void {
  const file = inTree('README.md');
  const before = readFileSync(file, 'utf8');
  const after = before.replace(
    /(<!-- bench -->\n)[\s\S]*?(<!-- \/bench -->)/,
    (_, open: string, close: string) => `${open}${text}${close}`,
  );
  if (after === before && !before.includes('<!-- bench -->'))
    throw new Error('README.md has no comments <!-- bench --> and <!-- /bench -->');
  writeFileSync(file, after);
}

const say = (text: string): void => void process.stderr.write(`${text}\n`);

async function sizeRows(): Promise<Row[]> {
  const results: SizeResult[] = [];
  for (const megabytes of sizes) {
    say(`checkpoint and restart with ${megabytes} MB …`);
    results.push(await measureSize(megabytes, ROUNDS));
  }
  const rows = results
    .flatMap((result) => result.rows)
    .sort((a, b) => Number(b.question.startsWith('Hold')) - Number(a.question.startsWith('Hold')));
  const [smallest, largest] = [results[0], results.at(-1)];
  return smallest && largest ? [...rows, restartRow(smallest, largest)] : rows;
}

async function simulationRows(): Promise<Row[]> {
  const rows: Row[] = [];
  for (const simulation of simulations) {
    say(`${simulation.name} with and without Cairn …`);
    rows.push(await measureSimulation(simulation, ROUNDS));
  }
  return rows;
}

async function callRows(): Promise<Row[]> {
  say('calls with and without Cairn …');
  return measureCalls(ROUNDS);
}

async function wrapRows(): Promise<Row[]> {
  say('calls through layers of plugins …');
  return measureWraps(ROUNDS);
}

async function dispatchRows(): Promise<Row[]> {
  say(`plugins in ${dispatched} processes …`);
  return measureDispatch(dispatched, ROUNDS);
}

async function agentRows(): Promise<Row[]> {
  say(`a barrier with ${agents} processes …`);
  return measureAgents(agents, ROUNDS);
}

async function residentRows(): Promise<Row[]> {
  say('runs of a campaign …');
  return measureResident(campaignRuns, Math.min(ROUNDS, 3));
}

const parts: Readonly<Record<string, () => Promise<Row[]>>> = {
  sizes: sizeRows,
  simulations: simulationRows,
  calls: callRows,
  wraps: wrapRows,
  dispatch: dispatchRows,
  trees: () => measureTrees(trees, Math.min(ROUNDS, 3), say),
  agents: agentRows,
  resident: residentRows,
};

const chosen = process.env['CAIRN_BENCH_ONLY']?.split(',') ?? Object.keys(parts);
await prepare();
const rows: Row[] = [];
for (const name of chosen) {
  const part = parts[name];
  if (part === undefined) throw new Error(`CAIRN_BENCH_ONLY names ${name}; there are ${Object.keys(parts).join(', ')}`);
  rows.push(...(await part()));
}
const text = table(rows);
mkdirSync(inTree('build'), { recursive: true });
writeFileSync(inTree('build/bench.md'), text);
process.stdout.write(text);
if (process.argv.includes('--readme')) replaceInReadme(text);
if (rows.some(missed)) process.exitCode = 1;
