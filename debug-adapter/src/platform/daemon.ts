/**
 * Starting a program that outlives the one that starts it: a session of its own, nothing of the terminal, output to a log
 * file. It says on descriptor 3 when it is ready ("ready"), or why it cannot be.
 */
import { spawn } from 'node:child_process';
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs';
import type { Readable } from 'node:stream';

/** What a daemon says that found another one in its place. */
export const TAKEN = 'taken';

export interface DaemonOptions {
  script: string;
  args: readonly string[];
  env: Readonly<Record<string, string | undefined>>;
  log: string;
  deadlineMs: number;
}

/**
 * What is dropped at once is collected in a small space: V8 would take up to 128 MB for it before it looks (test/bench, a barrier
 * with ten thousand processes).
 */
const runtimeOptions = ['--disable-warning=ExperimentalWarning', '--max-semi-space-size=2', '--optimize-for-size'];

/** Resolves with what it said: "ready", TAKEN, or a reason. Empty: it ended, or the deadline passed, without a word. */
export async function startDaemon({ script, args, env, log, deadlineMs }: DaemonOptions): Promise<string> {
  const output = openSync(log, 'a', 0o600);
  try {
    const child = spawn(process.execPath, [...runtimeOptions, script, ...args], {
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

const O_CLOEXEC = 0o2000000;

/**
 * Closes what a daemon has inherited besides its standard descriptors and `kept`: a pipe of whoever started it would not end
 * while it lives. What this runtime has opened itself is marked close-on-exec, and so told apart.
 */
export function closeInherited(kept: number): void {
  for (const name of readdirSync('/proc/self/fd')) {
    const fd = Number(name);
    if (fd <= 2 || fd === kept) continue;
    try {
      const flags = /^flags:\s*([0-7]+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1];
      if (flags !== undefined && (Number.parseInt(flags, 8) & O_CLOEXEC) === 0) closeSync(fd);
    } catch {
      // It was the descriptor of the list itself.
    }
  }
}
