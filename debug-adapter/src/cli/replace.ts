/**
 * Becoming another program: the command of a session's computation takes this process's place, so that its terminal, its
 * standard streams, its process id towards the shell and its exit status are the program's. Nothing here reads stdin.
 */
import type { StartResult } from '../protocol/control.js';
import { failure, reason } from '../protocol/errors.js';

export async function become({ command, env, cwd }: StartResult): Promise<never> {
  const [file, ...args] = command;
  if (file === undefined) throw failure('internal', { what: 'there is no command to execute' });
  try {
    process.chdir(cwd);
  } catch (cause) {
    throw failure('folderNotUsable', { path: cwd, why: reason(cause) }, cause);
  }
  const execve = (process as { execve?: (file: string, args: readonly string[], env: Readonly<Record<string, string>>) => never })
    .execve;
  if (execve !== undefined) execve.call(process, file, command, env);
  return follow(file, args, env);
}

/** Where the runtime cannot replace itself: a child with our own streams, whose signals and end are ours. */
async function follow(file: string, args: readonly string[], env: Readonly<Record<string, string>>): Promise<never> {
  const { spawn } = await import('node:child_process');
  const { constants } = await import('node:os');
  const child = spawn(file, args, { stdio: 'inherit', env });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2', 'SIGWINCH', 'SIGCONT'] as const) {
    process.on(signal, () => child.kill(signal));
  }
  const status = await new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])));
  });
  process.exit(status);
}
