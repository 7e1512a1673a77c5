/**
 * The JavaScript of dist/: the command, the coordinator and the debug adapter (ESM, for Node), the extension (CommonJS, for
 * VS Code's extension host), the panels (for a browser), and the icons' font.
 */
import { copyFileSync, existsSync, mkdirSync, readdirSync } from 'node:fs';
import { build } from 'esbuild';
import { inTree } from '../lib/tree.mjs';
import { present } from './missing.mjs';

/** @type {import('esbuild').BuildOptions} */
const common = { bundle: true, absWorkingDir: inTree(), logLevel: 'warning', sourcemap: 'linked', legalComments: 'none' };

/** Bundled CommonJS packages ask for these; an ES module has none of them by itself. */
const commonJsNames = [
  "import { createRequire as cairnCreateRequire } from 'node:module';",
  "import { fileURLToPath as cairnFileUrlToPath } from 'node:url';",
  'const require = cairnCreateRequire(import.meta.url);',
  'const __filename = cairnFileUrlToPath(import.meta.url);',
  "const __dirname = cairnFileUrlToPath(new URL('.', import.meta.url));",
].join('\n');

const programs = {
  'dist/cli.js': 'debug-adapter/src/cli/main.ts',
  'dist/coordinator.js': 'debug-adapter/src/control/daemon.ts',
  'dist/host-service.js': 'debug-adapter/src/control/host-service.ts',
  'dist/adapter.js': 'debug-adapter/src/dap/main.ts',
};

async function nodePrograms() {
  const files = present('bundles', Object.values(programs));
  for (const [outfile, entry] of Object.entries(programs)) {
    if (!files.includes(entry)) continue;
    // The oldest runtime that runs these: VS Code 1.101's Node 22.
    await build({
      ...common,
      entryPoints: [entry],
      outfile,
      platform: 'node',
      format: 'esm',
      target: 'node22.15',
      external: ['node-pty'],
      // Starts the command a good deal quicker: less to read, and only what is used of zod and hash-wasm.
      minify: true,
      keepNames: true,
      mainFields: ['module', 'main'],
      banner: { js: commonJsNames },
    });
  }
}

async function extension() {
  const [entry] = present('bundles', ['extension/src/extension.ts']);
  if (!entry) return;
  await build({
    ...common,
    entryPoints: [entry],
    outfile: 'dist/extension.cjs',
    platform: 'node',
    format: 'cjs',
    target: 'node22.15',
    // jsonc-parser's other form asks for its parts in a way that no bundler follows.
    mainFields: ['module', 'main'],
    external: ['vscode'],
  });
}

/** Each folder of webview-ui/src with a main.tsx is a panel: dist/webview/<folder>.js and .css. */
async function panels() {
  const folder = 'webview-ui/src';
  const [found] = present('bundles', [folder]);
  if (!found) return;
  /** @type {Record<string, string>} */
  const entryPoints = {};
  for (const name of readdirSync(inTree(folder))) {
    if (existsSync(inTree(folder, name, 'main.tsx'))) entryPoints[name] = `${folder}/${name}/main.tsx`;
  }
  await build({
    ...common,
    entryPoints,
    outdir: 'dist/webview',
    platform: 'browser',
    format: 'esm',
    target: 'chrome134',
    jsx: 'automatic',
    jsxImportSource: 'preact',
    loader: { '.svg': 'dataurl' },
  });
  copyFileSync(inTree(folder, 'panel.html'), inTree('dist/webview/panel.html'));
  for (const name of ['codicon.css', 'codicon.ttf']) {
    mkdirSync(inTree('dist/webview'), { recursive: true });
    copyFileSync(inTree('node_modules/@vscode/codicons/dist', name), inTree('dist/webview', name));
  }
}

export async function buildBundles() {
  await nodePrograms();
  await extension();
  await panels();
}
