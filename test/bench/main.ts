/**
 * `npm run bench`: the questions of README's table, answered on this machine, as a Markdown table on standard output and in
 * build/bench.md. With --readme the table in README.md is replaced too (between the comments `bench` and `/bench`).
 * Exit status 1 when an aim is missed.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, release } from 'node:os';
import { inTree } from '../support/tree.js';
import { measureSimulation, measureSize, prepare, type Row, restartRow, type SizeResult, simulations } from './measurements.js';

/** In MB. CAIRN_BENCH_SIZES and CAIRN_BENCH_ROUNDS are for trying the benchmark itself. */
const sizes = (process.env['CAIRN_BENCH_SIZES'] ?? '64,512,2048').split(',').map(Number);
const ROUNDS = Number(process.env['CAIRN_BENCH_ROUNDS'] ?? 5);

function table(rows: readonly Row[]): string {
  const lines = ['| question | measured | compared with | ratio | aim |', '|---|---|---|---|---|'];
  for (const { question, measured, compared, ratio, aim } of rows) {
    lines.push(`| ${question} | ${measured} | ${compared} | ${ratio.toFixed(2)}${ratio > aim ? ' (missed)' : ''} | ≤ ${aim} |`);
  }
  const machine = `${cpus().length} processors (${cpus()[0]?.model.trim()}), Linux ${release()}`;
  return `${lines.join('\n')}\n\nMedians of ${ROUNDS}; simulations: the best of ${ROUNDS}. ${machine}.\n`;
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

await prepare();
const results: SizeResult[] = [];
for (const megabytes of sizes) {
  say(`checkpoint and restart with ${megabytes} MB …`);
  results.push(await measureSize(megabytes, ROUNDS));
}
const rows = results
  .flatMap((result) => result.rows)
  .sort((a, b) => Number(b.question.startsWith('Hold')) - Number(a.question.startsWith('Hold')));
const [smallest, largest] = [results[0], results.at(-1)];
if (smallest && largest) rows.push(restartRow(smallest, largest));
for (const simulation of simulations) {
  say(`${simulation.name} with and without Cairn …`);
  rows.push(await measureSimulation(simulation, ROUNDS));
}
const text = table(rows);
mkdirSync(inTree('build'), { recursive: true });
writeFileSync(inTree('build/bench.md'), text);
process.stdout.write(text);
if (process.argv.includes('--readme')) replaceInReadme(text);
if (rows.some(({ ratio, aim }) => ratio > aim)) process.exitCode = 1;
