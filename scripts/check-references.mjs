/**
 * Comments and documents say by which test a file is held: each such name has to be one of a test that is there. Lists every
 * name that is not.
 */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Failure, inTree, main, run } from './lib/tree.mjs';

const text = /\.(ts|tsx|mjs|cc|c|h|md|proto)$/;
const reference = /\btests?\/[\w/-]+\.(?:test\.ts|cc?)\b/g;

/** `tests/…` is the native tests' folder; `unit/FILE` stands for any; what is shipped as a whole names its own. */
function isThere(name, file) {
  if (name.includes('FILE')) return true;
  return existsSync(inTree(name)) || existsSync(inTree('native-agent', name)) || existsSync(inTree(dirname(file), name));
}

export async function checkReferences() {
  const { stdout } = await run('git', ['ls-files'], { capture: true });
  const problems = [];
  for (const file of stdout.split('\n').filter((name) => text.test(name) && existsSync(inTree(name)))) {
    const lines = (await readFile(inTree(file), 'utf8')).split('\n');
    lines.forEach((line, index) => {
      for (const [name] of line.matchAll(reference)) {
        if (!isThere(name, file)) problems.push(`${file}:${index + 1}: ${name} is not there`);
      }
    });
  }
  if (problems.length > 0) throw new Failure(`${problems.join('\n')}\n${problems.length} names of tests lead nowhere`);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await main(checkReferences);
