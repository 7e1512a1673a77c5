/**
 * What the native binaries may depend on: libcairn.so enters every program, so it needs libc and nothing else; cairn-restore runs
 * where no library is, so it needs nothing at all. And the public header is C11 as well as C++.
 */
import { existsSync, readdirSync } from 'node:fs';
import { basename, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Failure, inTree, main, run } from './lib/tree.mjs';
import { builds32Bit, presets } from './parts/native.mjs';

const output = async (command, ...args) => (await run(command, args, { capture: true })).stdout;

const needed = (dynamic) => [...dynamic.matchAll(/\(NEEDED\)[^[]*\[([^\]]+)\]/g)].map((match) => match[1]);

async function checkAgent(file, problems) {
  const name = relative(inTree('dist/native'), file);
  const dynamic = await output('readelf', '-dW', file);
  for (const library of needed(dynamic)) {
    if (library !== 'libc.so.6' && !library.startsWith('ld-linux'))
      problems.push(`${name} needs ${library}: it may need libc.so.6 only`);
  }
  if (/\(TEXTREL\)/.test(dynamic)) problems.push(`${name} has text relocations: compile all of it with -fPIC`);
  const symbols = await output('nm', '-D', '--undefined-only', file);
  if (/\b__tls_get_addr\b/.test(symbols))
    problems.push(`${name} uses dynamic TLS: compile all of it with -ftls-model=initial-exec`);
  if (/\b(__cxa_|_Unwind_|_Zn[wa]|_Zd[la])/.test(symbols.replace(/\b__cxa_(finalize|atexit)\b/g, ''))) {
    problems.push(
      `${name} uses the C++ runtime: ${symbols.match(/\S*(__cxa_(?!finalize|atexit)|_Unwind_|_Zn[wa]|_Zd[la])\S*/)?.[0]}`,
    );
  }
  await checkStack(file, problems);
}

async function checkStack(file, problems) {
  const headers = await output('readelf', '-lW', file);
  if (/GNU_STACK.*RWE/.test(headers)) problems.push(`${basename(file)} asks for an executable stack`);
  return headers;
}

async function checkRestorer(file, problems) {
  const name = relative(inTree('dist/native'), file);
  const symbols = (await output('nm', '-u', file)).trim();
  if (symbols !== '') problems.push(`${name} has undefined symbols: ${symbols.split(/\s*\n\s*/).join(', ')}`);
  const headers = await checkStack(file, problems);
  if (/\bINTERP\b/.test(headers)) problems.push(`${name} asks for a program interpreter: it must be static`);
  const libraries = needed(await output('readelf', '-dW', file));
  if (libraries.length > 0) problems.push(`${name} needs ${libraries.join(', ')}: it must be static`);
}

async function checkHeaders(problems) {
  const folder = inTree('native-agent/include');
  const headers = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.h'));
  const strict = ['-fsyntax-only', '-Wall', '-Wextra', '-Wpedantic', '-Werror', `-I${folder}`];
  for (const header of headers) {
    for (const { compiler, standard, language } of [
      { compiler: 'gcc', standard: 'c11', language: 'c' },
      { compiler: 'g++', standard: 'c++17', language: 'c++' },
    ]) {
      const result = await run(compiler, [`-std=${standard}`, ...strict, '-x', language, '-'], {
        capture: true,
        anyStatus: true,
        input: `#include <${header}>\n`,
      });
      if (result.code !== 0) problems.push(`${header} as ${standard}:\n${result.all}`);
    }
  }
}

export async function checkBinaries() {
  const problems = [];
  const checks = { 'libcairn.so': checkAgent, 'cairn-restore': checkRestorer };
  for (const folder of Object.values(presets)) {
    if (folder !== '' && !(await builds32Bit())) continue;
    for (const [name, check] of Object.entries(checks)) {
      const file = inTree('dist/native', folder, name);
      if (!existsSync(file)) problems.push(`${file} is not there: npm run build`);
      else await check(file, problems);
    }
  }
  await checkHeaders(problems);
  if (problems.length > 0) throw new Failure(problems.join('\n'));
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await main(checkBinaries);
