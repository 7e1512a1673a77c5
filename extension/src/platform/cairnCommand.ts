/**
 * The `cairn` command, run for its JSON: the way to the store, and to sessions whose coordinator has to be started again. Uses
 * the runtime that runs this extension, so no Node.js is needed beside VS Code.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import * as vscode from 'vscode';
import type { z } from 'zod';
import { UserError } from './errors.js';

/** Longer than any of them takes on a slow disk; what hangs is ended. */
const DEADLINE_MS = 60_000;
const MAX_OUTPUT = 64 * 1024 * 1024;

export class CairnCommand {
  readonly #cli: string;
  readonly #log: vscode.LogOutputChannel;

  constructor(context: vscode.ExtensionContext, log: vscode.LogOutputChannel) {
    this.#cli = context.asAbsolutePath('dist/cli.js');
    this.#log = log;
  }

  /**
   * @param args the sub-command first, as one word ("plugin check"); `--json` is added. Rejects with what the command said on stderr, unless it `mayFail` and
   * printed its answer all the same.
   */
  async json<S extends z.ZodType>(
    schema: S,
    [command = '', ...args]: readonly string[],
    { mayFail = false, cwd }: { mayFail?: boolean; cwd?: string | undefined } = {},
  ): Promise<z.output<S>> {
    const text = await this.#run([...command.split(' '), '--json', ...args], mayFail, cwd);
    const parsed = schema.safeParse(text.trim() === '' ? {} : JSON.parse(text));
    if (!parsed.success)
      throw new Error(`cairn ${command} ${args.join(' ')} printed something unexpected: ${parsed.error.message}`);
    return parsed.data;
  }

  /** As `json`, of a sub-command that takes its time, and may be cancelled. */
  async long<S extends z.ZodType>(
    schema: S,
    [command = '', ...args]: readonly string[],
    token: vscode.CancellationToken,
  ): Promise<z.output<S>> {
    const child = this.start([...command.split(' '), '--json', ...args]);
    const cancelling = token.onCancellationRequested(() => child.kill('SIGINT'));
    let stdout = '';
    let stderr = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    try {
      const status = await new Promise<number | null>((resolve, reject) => {
        child.once('error', reject);
        child.once('close', resolve);
      });
      if (token.isCancellationRequested) throw new vscode.CancellationError();
      if (status !== 0) throw new UserError(messageIn(stderr) || `cairn ${command} ended with status ${status}`);
      return schema.parse(JSON.parse(stdout));
    } finally {
      cancelling.dispose();
    }
  }

  /** What a sub-command prints. */
  text(args: readonly string[]): Promise<string> {
    return this.#run(args, false, undefined);
  }

  /** A sub-command that takes its time, as a process of its own; it gets no input. */
  start(args: readonly string[]): ChildProcess {
    this.#log.debug(`cairn ${args.join(' ')}: started`);
    return spawn(process.execPath, [this.#cli, ...args], { env: environment(), stdio: ['ignore', 'pipe', 'pipe'] });
  }

  #run(args: readonly string[], mayFail: boolean, cwd: string | undefined): Promise<string> {
    const started = Date.now();
    return new Promise((resolve, reject) => {
      const options = {
        env: environment(),
        timeout: DEADLINE_MS,
        maxBuffer: MAX_OUTPUT,
        encoding: 'utf8' as const,
        ...(cwd === undefined ? {} : { cwd }),
      };
      execFile(process.execPath, [this.#cli, ...args], options, (error, stdout, stderr) => {
        this.#log.debug(`cairn ${args.join(' ')}: ${Date.now() - started} ms, ${error ? `failed: ${stderr.trim()}` : 'done'}`);
        if (!error || (mayFail && stdout !== '')) resolve(stdout);
        else if (error.killed)
          reject(new UserError(`cairn ${args[0] ?? ''} took longer than ${DEADLINE_MS / 1000} s and was ended`));
        else reject(new UserError(messageIn(stderr) || error.message));
      });
    });
  }
}

const messageIn = (stderr: string): string => stderr.trim().replace(/^cairn: (error: )?/i, '');

/** A command that starts the command, as a campaign does, finds the same runtime. */
function environment(): NodeJS.ProcessEnv {
  return { CAIRN_NODE: process.execPath, ...process.env, ELECTRON_RUN_AS_NODE: '1' };
}
