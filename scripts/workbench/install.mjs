/**
 * The workbench without a desktop: code-server (VS Code's own workbench and extension host) from npm, in a folder of the user's
 * cache, one for each version. Nothing of it becomes part of Cairn.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { Failure, onPath, treeNode } from '../lib/tree.mjs';

export const version = '4.139.1';

/** What VS Code's server carries along and Cairn does not need: 200 MB. */
const unneeded = ['@github', '@microsoft/mxc-sdk', '@devcontainers'];

const cacheFolder = () => join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'cairn', `workbench-${version}`);

function npm(folder, ...args) {
  const program = onPath('npm');
  if (!program) throw new Failure('npm is not on PATH: install Node.js with npm');
  const path = [dirname(treeNode), ...(process.env.PATH ?? '').split(':').filter((entry) => !entry.includes('node_modules'))];
  const result = spawnSync(program, [...args, '--ignore-scripts', '--no-audit', '--no-fund', '--no-update-notifier'], {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, PATH: path.join(':') },
  });
  if (result.status !== 0) {
    throw new Failure(
      `npm ${args.join(' ')} in ${folder} failed (${result.error?.message ?? `status ${result.status}`}):\n${result.stderr}`,
    );
  }
}

/** Returns the folder of code-server, installed first where it is not there yet. */
export function installWorkbench() {
  const final = cacheFolder();
  const server = 'node_modules/code-server';
  if (existsSync(join(final, server))) return join(final, server);
  process.stdout.write(`Installing the workbench (code-server ${version}) in ${final}\n`);
  // Beside its final name, and renamed when it is whole.
  const folder = `${final}.${process.pid}`;
  mkdirSync(folder, { recursive: true });
  try {
    writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
    npm(folder, 'install', `code-server@${version}`);
    for (const part of ['lib/vscode', 'lib/vscode/extensions']) npm(join(folder, server, part), 'install', '--omit=dev');
    for (const name of unneeded) rmSync(join(folder, server, 'lib/vscode/node_modules', name), { recursive: true, force: true });
    try {
      renameSync(folder, final);
    } catch (error) {
      if (!existsSync(join(final, server))) throw error; // somebody else was faster: theirs is as good
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return join(final, server);
}
