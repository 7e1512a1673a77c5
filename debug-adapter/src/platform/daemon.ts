/**
 * Starting a program that outlives the one that starts it: a session of its own, nothing of the terminal, output to a log
 * file. It says on descriptor 3 when it is ready ("ready"), or why it cannot be.
 */
import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import type { Readable } from 'node:stream';

export interface DaemonOptions {
  script: string;
  args: readonly string[];
  env: Readonly<Record<string, string | undefined>>;
  log: string;
  deadlineMs: number;
}

/** Resolves with what it said: "ready", or a reason. Empty: it ended, or the deadline passed, without a word. */
export async function startDaemon({ script, args, env, log, deadlineMs }: DaemonOptions): Promise<string> {
  const output = openSync(log, 'a', 0o600);
  try {
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', script, ...args], {
      detached: true,
      cwd: '/',
      stdio: ['ignore', output, output, 'pipe'],
      // VS Code's runtime runs a script only when told so.
      env: process.versions['electron'] === undefined ? env : { ...env, ELECTRON_RUN_AS_NODE: '1' },
    });
    child.unref();
    const word = child.stdio[3] as Readable;
    return await new Promise<string>((resolve, reject) => {
      let said = '';
      const timer = setTimeout(() => word.destroy(), deadlineMs);
      child.once('error', reject);
      word.on('data', (chunk: Buffer) => (said += chunk.toString()));
      word.once('error', () => undefined);
      word.once('close', () => {
        clearTimeout(timer);
        resolve(said.trim());
      });
    });
  } finally {
    closeSync(output);
  }
}
