/**
 * Who may import whom (ARCHITECTURE.md, "Layers"), for TypeScript and for C++. Project references already refuse a wrong import
 * between two layers of TypeScript; this refuses the rest: packages in the wrong layer, and includes. Lists every offence.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Failure, inTree, main, root } from './lib/tree.mjs';

const debugAdapter = ['platform', 'model', 'store', 'coordinator', 'runners', 'control', 'dap', 'cli'];

/** Layer → layers that it may import besides itself. */
const below = {
  protocol: [],
  platform: ['protocol'],
  model: ['platform', 'protocol'],
  store: ['model', 'platform', 'protocol'],
  coordinator: ['store', 'model', 'platform', 'protocol'],
  runners: ['coordinator', 'store', 'model', 'platform', 'protocol'],
  control: ['coordinator', 'runners', 'store', 'model', 'platform', 'protocol'],
  dap: ['control', 'coordinator', 'runners', 'store', 'model', 'platform', 'protocol'],
  cli: ['control', 'coordinator', 'runners', 'store', 'model', 'platform', 'protocol'],
  extension: ['protocol'],
  'webview-ui': ['protocol'],
};

/** Package → layers that may import it (besides test and scripts). A package that is not here may be imported by all. */
const packages = {
  vscode: ['extension'],
  'node-pty': ['platform'],
  execa: ['platform'],
  commander: ['cli'],
  listr2: ['cli'],
  '@vscode/debugadapter': ['dap'],
  '@vscode/debugprotocol': ['dap', 'protocol', 'extension'],
  'vscode-jsonrpc': ['control', 'extension', 'dap', 'cli'],
  preact: ['webview-ui'],
  '@vscode-elements/elements': ['webview-ui'],
};

/** Node's modules that a pure layer may use: they touch nothing outside the program. */
const pureModules = new Set(['assert', 'path', 'util', 'buffer', 'crypto', 'url', 'events']);

function filesBelow(folder, pattern) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && pattern.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => !file.includes('/node_modules/'))
    .sort();
}

/** The layer of a file of this tree; the name of its top folder where it is in none. */
export function layerOf(file) {
  const parts = relative(root, file).split('/');
  if (parts[0] === 'debug-adapter' && parts[1] === 'src') return parts[2] ?? '';
  return parts[0] ?? '';
}

export function importsOf(text) {
  const code = text
    .replace(/\/\*[\s\S]*?\*\//g, (comment) => comment.replace(/[^\n]/g, ' '))
    .replace(/(^|[^:'"`\\])\/\/.*$/gm, '$1');
  const found = [];
  const pattern = /(?:\bimport\s*\(\s*|\brequire\s*\(\s*|\bfrom\s+|\bimport\s+)(['"])([^'"\n]+)\1/g;
  for (const match of code.matchAll(pattern)) {
    found.push({ specifier: match[2], line: code.slice(0, match.index).split('\n').length });
  }
  return found;
}

/** Why `file` may not import `specifier`; undefined: it may. */
export function offence(file, specifier) {
  const layer = layerOf(file);
  if (specifier.startsWith('.')) {
    const target = resolve(dirname(file), specifier);
    const other = layerOf(target);
    if (relative(root, target).startsWith('..')) return 'is outside the tree';
    if (other === layer) return undefined;
    if (layer === 'test') return undefined;
    if (other === 'test') return 'nothing imports test/';
    if (layer === 'scripts') return `scripts import only scripts, not ${other}`;
    if (!(layer in below)) return `${layer} is no layer`;
    if (!below[layer].includes(other))
      return `${layer} may import only ${below[layer].join(', ') || 'nothing else'}, not ${other}`;
    return undefined;
  }
  if (layer === 'test' || layer === 'scripts') return undefined;
  const node = specifier.startsWith('node:') ? specifier.slice(5) : undefined;
  if (node === undefined) {
    const name = specifier
      .split('/')
      .slice(0, specifier.startsWith('@') ? 2 : 1)
      .join('/');
    if (builtinModules.includes(name)) return `write node:${specifier}`;
    const allowed = packages[name];
    if (allowed && !allowed.includes(layer)) return `only ${allowed.join(', ')} may import ${name}`;
    return undefined;
  }
  if (layer === 'webview-ui') return 'panels run in a browser';
  if (layer === 'protocol') return 'protocol uses nothing of Node';
  if (layer === 'model' && !pureModules.has(node)) return 'model is pure: no I/O';
  return undefined;
}

function checkTypeScript() {
  const problems = [];
  const folders = [
    ...['protocol', ...debugAdapter].map((name) => `debug-adapter/src/${name}`),
    'extension',
    'webview-ui',
    'test',
    'scripts',
  ];
  for (const file of folders.flatMap((folder) => filesBelow(inTree(folder), /\.(ts|tsx|mts|mjs)$/))) {
    if (file.includes('/generated/')) continue;
    for (const { specifier, line } of importsOf(readFileSync(file, 'utf8'))) {
      const why = offence(file, specifier);
      if (why) problems.push(`${relative(root, file)}:${line}: import of ${specifier}: ${why}`);
    }
  }
  return problems;
}

/** native-agent/src folder → folders of src that it may include besides itself. A folder that is not here may include all of src. */
const nativeBelow = {
  sys: [],
  wire: ['sys'],
  image: ['sys', 'wire'],
  restore: ['sys', 'image', 'wire'],
};

const systemFolders = ['/usr/include', '/usr/include/x86_64-linux-gnu'];

/** Why a file of native-agent may not include `name`; undefined: it may. */
export function nativeOffence(file, name, quoted) {
  const native = inTree('native-agent');
  const [top, second] = relative(native, file).split('/');
  const beside = quoted ? resolve(dirname(file), name) : undefined;
  const target =
    beside && existsSync(beside)
      ? beside
      : ['src', 'plugins', 'faults', ''].map((folder) => join(native, folder, name)).find((path) => existsSync(path));
  if (!quoted && systemFolders.some((folder) => existsSync(join(folder, name)))) return undefined;
  if (name.startsWith('cairn/')) return existsSync(join(native, 'include', name)) ? undefined : 'is not in native-agent/include';
  if (target === undefined) {
    if (!quoted || top === 'src' || top === 'tests') return undefined; // the compiler's own, or generated
    return 'is neither of this plugin nor of include/cairn';
  }
  const [otherTop, otherSecond] = relative(native, target).split('/');
  if (top === 'plugins' || top === 'examples' || top === 'faults') {
    // plugins/common: what the built-in plugins share, of which a vendor has as much by <cairn/plugin.h>; faults/common likewise.
    const own = otherTop === top && (otherSecond === second || (top !== 'examples' && otherSecond === 'common'));
    return own
      ? undefined
      : 'a plugin includes only <cairn/…>, system headers, files of its own folder and of the folder common beside it';
  }
  if (top === 'include') return 'the public headers include only system headers and each other';
  if (top === 'src' && (otherTop === 'plugins' || otherTop === 'examples' || otherTop === 'faults'))
    return 'the core does not know its plugins';
  const allowed = top === 'src' ? nativeBelow[second] : undefined;
  if (allowed && otherTop === 'src' && otherSecond !== second && !allowed.includes(otherSecond)) {
    return `src/${second} may include only ${['itself', ...allowed.map((x) => `src/${x}`)].join(', ')}`;
  }
  return undefined;
}

function checkNative() {
  const problems = [];
  for (const folder of ['src', 'plugins', 'examples', 'faults', 'include']) {
    for (const file of filesBelow(inTree('native-agent', folder), /\.(c|cc|cpp|h|hpp|S)$/)) {
      readFileSync(file, 'utf8')
        .split('\n')
        .forEach((text, index) => {
          const match = /^\s*#\s*include\s*([<"])([^>"]+)[>"]/.exec(text);
          const why = match && nativeOffence(file, match[2], match[1] === '"');
          if (why) problems.push(`${relative(root, file)}:${index + 1}: include of ${match[2]}: ${why}`);
        });
    }
  }
  return problems;
}

export function checkLayers() {
  const problems = [...checkTypeScript(), ...checkNative()];
  if (problems.length > 0) throw new Failure(`${problems.join('\n')}\n${problems.length} imports break the layers`);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await main(checkLayers);
