/** What tests of computations over several hosts have in common: networks of their own, and the command on a host of one. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { cairnCommand } from '../support/tree.js';
import { Network, type TestHost } from './network.js';

export interface Status {
  state: string;
  listen: string | null;
  hosts: { number: number; name: string; machine: number; connected: boolean }[];
  processes: { virtualPid: number; realPid: number; host: string; executable: string }[];
}

export async function withNetwork(
  count: number,
  work: (network: Network) => Promise<void>,
  options: { pids?: boolean } = {},
): Promise<void> {
  const network = await Network.open(count, options);
  let failed = true;
  try {
    await work(network);
    failed = false;
  } finally {
    // What a failed test leaves behind is not what is wrong with it.
    await network.close().catch((error: unknown) => {
      if (!failed) throw error;
    });
  }
}

export type Result = { status: number; stdout: string; stderr: string };

export function run(network: Network, host: TestHost, words: readonly string[], wait = 120): Promise<Result> {
  const [file = '', ...args] = network.on(host, words);
  return new Promise((resolve) => {
    const { scratch } = network;
    execFile(
      file,
      args,
      { cwd: scratch.work, env: scratch.env, timeout: wait * 1000, maxBuffer: 64 << 20, encoding: 'utf8' },
      (error, stdout, stderr) => {
        resolve({ status: error === null ? 0 : typeof error.code === 'number' ? error.code : 255, stdout, stderr });
      },
    );
  });
}

/** `cairn …` on a host; it has to succeed. */
export async function cairn(network: Network, host: TestHost, ...args: string[]): Promise<string> {
  const { status, stdout, stderr } = await run(network, host, [cairnCommand, ...args]);
  assert.equal(status, 0, `cairn ${args.join(' ')} gave ${status}: ${stderr}\n${network.scratch.logs()}`);
  return stdout;
}

export async function statusOf(network: Network, host: TestHost, session: string): Promise<Status> {
  return JSON.parse(await cairn(network, host, 'status', '--session', session, '--json')) as Status;
}

export async function snapshot(network: Network, host: TestHost, session: string, ...args: string[]): Promise<string> {
  const made = JSON.parse(await cairn(network, host, 'checkpoint', '--session', session, '--json', ...args)) as {
    snapshot: string;
  };
  return made.snapshot;
}

/** Joins by hand. */
export async function join_(
  network: Network,
  host: TestHost,
  listen: string,
  secret: string,
  name: string,
  ...program: string[]
): Promise<Result> {
  return run(network, host, [
    cairnCommand,
    'join',
    '--coordinator',
    listen,
    '--secret-file',
    secret,
    '--name',
    name,
    '--detach',
    '--',
    ...program,
  ]);
}

export async function listening(
  network: Network,
  host: TestHost,
  session: string,
  ...options: string[]
): Promise<{ listen: string; secret: string }> {
  await cairn(
    network,
    host,
    'run',
    '--session',
    session,
    '--listen',
    host.address,
    '--detach',
    ...options,
    '--',
    'sleep',
    '1000',
  );
  const { listen } = await statusOf(network, host, session);
  assert.ok(listen !== null);
  return { listen, secret: join(network.scratch.runtime, 'cairn', session, 'secret') };
}
