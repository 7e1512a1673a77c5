/**
 * `npm run package`: the extension as one file, build/cairn-linux-x64.vsix, from what dist/ holds. Says its size and refuses to
 * write one without a part that it needs.
 */
import { mkdirSync, statSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { Failure, inTree, main, run } from './lib/tree.mjs';

export const vsix = inTree('build/cairn-linux-x64.vsix');

const required = [
  'package.json',
  'LICENSE',
  'README.md',
  'docs/plugin-abi.md',
  'bin/cairn',
  'dist/extension.cjs',
  'dist/adapter.js',
  'dist/coordinator.js',
  'dist/cli.js',
  'dist/native/libcairn.so',
  'dist/native/cairn-launch',
  'dist/native/cairn-attach',
  'dist/native/cairn-restore',
  'dist/native/cairn-inspect',
  'dist/native/include/cairn/plugin.h',
  'dist/native/plugins/fault-calls.so',
  'dist/native/plugins/fault-signals.so',
  'dist/native/plugins/fault-process.so',
  'dist/native/plugins/fault-messages.so',
  'dist/native/share/cairn/plugin/plugin.c',
  'dist/native/share/cairn/fault/fault.cpp',
  'dist/native/i386/libcairn.so',
  'dist/native/i386/cairn-restore',
  'dist/native/i386/cairn-inspect',
  'dist/node_modules/node-pty/lib/index.js',
  'dist/node_modules/node-pty/build/Release/pty.node',
];

const common = ['--no-dependencies'];

async function checkContents() {
  const { stdout } = await run('vsce', ['ls', ...common], { capture: true });
  const files = new Set(stdout.split('\n'));
  const missing = required.filter((file) => !files.has(file));
  if (missing.length > 0) throw new Failure(`the package would lack ${missing.join(', ')}: npm run build`);
}

export async function packageExtension() {
  await checkContents();
  mkdirSync(inTree('build'), { recursive: true });
  await run(
    'vsce',
    ['package', ...common, '--target', 'linux-x64', '--allow-missing-repository', '--no-rewrite-relative-links', '--out', vsix],
    {
      quiet: true,
    },
  );
  return { file: vsix, bytes: statSync(vsix).size };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await main(async () => {
    const { file, bytes } = await packageExtension();
    process.stdout.write(`${file} (${(bytes / 1e6).toFixed(1)} MB)\n`);
  });
}
