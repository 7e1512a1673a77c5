/**
 * `cairn plugin new NAME`: a folder NAME in the working directory with a plugin, a description of its settings, and a test: the files of
 * native-agent/share/plugin, with its name in them; with --fault those of native-agent/share/fault, a fault model in C++ with a campaign. It builds anywhere, against the header of this installation.
 * Test: test/probes/plugin-new.test.ts.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { builtInPlugins } from '../../model/plugin-check.js';
import { distFolder } from '../../platform/installation.js';
import { failure, reason } from '../../protocol/errors.js';
import { print, printJson } from '../output.js';

/** Also a target of CMake and the name of a file. */
const NAME = /^[A-Za-z][A-Za-z0-9-]{0,47}$/;
/** Targets that the template has, and that CMake keeps for itself. */
const TAKEN: readonly string[] = ['program', 'all', 'check', 'clean', 'help', 'install', 'test', 'package', ...builtInPlugins];

export async function newPlugin(name: string, options: { json: boolean; fault: boolean }): Promise<number> {
  const remedy = 'Use 1 to 48 letters, digits and "-", and begin with a letter. For example: cairn plugin new acme-emulator';
  if (!NAME.test(name)) throw failure('usage', { what: `"${name}" cannot be the name of a plugin`, remedy });
  if (TAKEN.includes(name.toLowerCase()))
    throw failure('usage', { what: `"${name}" is the name of something else already`, remedy: 'Choose another one.' });
  const folder = resolve(name);
  if (existsSync(folder)) throw failure('folderNotUsable', { path: folder, why: 'it exists already' });
  const template = join(distFolder(), 'native', 'share', 'cairn', options.fault ? 'fault' : 'plugin');
  if (!existsSync(join(template, 'CMakeLists.txt'))) throw failure('notInstalled', { path: template });
  const words = { NAME: name, CAIRN_BIN: join(dirname(distFolder()), 'bin') };
  try {
    copy(template, folder, words);
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw failure('folderNotUsable', { path: folder, why: reason(error) }, error);
  }
  if (options.json) printJson({ name, folder });
  else print(`${folder}\ncmake -S ${name} -B build && cmake --build build && ctest --test-dir build --output-on-failure`);
  return 0;
}

/** `@WORD@` in files is replaced. */
function copy(from: string, to: string, words: Readonly<Record<string, string>>): void {
  mkdirSync(to);
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) copy(source, target, words);
    else
      writeFileSync(
        target,
        readFileSync(source, 'utf8').replace(/@([A-Z_]+)@/g, (all, word: string) => words[word] ?? all),
      );
  }
}
