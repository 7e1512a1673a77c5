/**
 * One run: a restart of the snapshot, from disk where nothing else is said, in a session of its own, with what it writes in a folder of its own;
 * observed until it ends or its time is over. Nothing of it is left. Tests: test/faults/campaign.test.ts.
 */
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fitsPattern } from '../model/file-rules.js';
import { cairnCommand } from '../platform/command.js';
import { readIfThere } from '../platform/files.js';
import { runtimePaths } from '../platform/runtime.js';
import type { Observation, Target } from '../protocol/campaign.js';
import { fileChecksum } from '../store/checksum.js';
import { type Injection, type PluginRequest, RunPlugins } from './run-plugins.js';

/** A run that prints more has hung. */
export const CONSOLE_BYTES = 16 << 20;
const STOP_MS = 20_000;
/** Of a timer. */
export const MOST_MS = 2 ** 31 - 1;
/** In a run's folder: the name of its session. */
const SESSION = 'session';

export interface RunRequest extends PluginRequest {
  /** Name of its session. */
  session: string;
  /** The snapshot's folder. */
  snapshot: string;
  store: string;
  /** Taken by this run alone, made and removed by it. */
  folder: string;
  timeoutMs: number;
  /** Patterns of files to observe. */
  files: readonly string[];
  signal: AbortSignal;
  /** Takes what it has written, before that goes. */
  keep?: (writes: string) => Promise<void>;
}

/** What `restartRun` adds: a number that changes as long as the run is known to go on; it has hung when its time is over without that. */
export type RunningRequest = RunRequest & { progress: () => number };

export interface RunResult {
  /** Not empty: the run failed, and says nothing about the program. */
  problem: string;
  observation: Observation;
  injection: Injection;
  /** Of the design, where they were asked for. */
  targets: readonly Target[];
  elapsedMs: number;
}

export const nothingInjected: Injection = { effective: null, text: '', impossible: '', at: null };

export interface Ended {
  /** It came through the restart. */
  began: boolean;
  /** 128 and the signal's number where a signal ended it. */
  status: number;
  stdout: string;
  stderr: string;
  /** It was ended: it took too long, or printed more than it may. */
  timedOut: boolean;
  elapsedMs: number;
}

/** Makes a run; when it is back nothing of it runs any more. `writes`: takes what it writes. */
export type Execute = (request: RunningRequest, writes: string) => Promise<Ended>;

export async function restartRun(asked: RunRequest, execute: Execute = fromDisk): Promise<RunResult> {
  const { session, folder } = asked;
  rmSync(folder, { recursive: true, force: true });
  const writes = join(folder, 'writes');
  mkdirSync(writes, { recursive: true });
  try {
    writeFileSync(join(folder, SESSION), session);
    const plugins = new RunPlugins(folder, asked);
    const ended = await execute({ ...asked, plugins: plugins.all, progress: plugins.progress }, writes);
    const { began } = ended;
    if (began) await asked.keep?.(writes);
    const [notes, errors] = split(linesOf(ended.stderr), (line) => line.startsWith('cairn: '));
    const design = plugins.design();
    const observation = {
      status: ended.timedOut || design?.limit != null ? null : ended.status,
      lines: [...linesOf(ended.stdout), ...errors],
      files: await checksums(writes, asked.files),
      design,
    };
    return {
      problem: began ? '' : notes.at(-1)?.replace('cairn: ', '') || 'it did not begin',
      observation,
      injection: began ? plugins.injection() : nothingInjected,
      targets: plugins.targets(),
      elapsedMs: ended.elapsedMs,
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Calls it when so much time has passed in which there was no progress. Gives what ends that. */
export function callWhenStill(call: () => void, timeoutMs: number, progress: () => number): () => void {
  let seen = progress();
  const timer = setInterval(
    () => {
      const now = progress();
      if (now === seen) {
        clearInterval(timer);
        call();
      }
      seen = now;
    },
    Math.min(timeoutMs, MOST_MS),
  );
  return () => clearInterval(timer);
}

/** Notes in a folder of its own that there is, or may be, a session of that name. */
export function keepSession(folder: string, session: string): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, SESSION), session);
}

/** What runs in the session that a folder names ends, and the folder goes. */
export async function removeRun(folder: string): Promise<void> {
  const session = readIfThere(join(folder, SESSION));
  if (session) await removeSession(session);
  rmSync(folder, { recursive: true, force: true });
}

/** In a folder, what commands have left that were killed: each has had a folder called WHAT.PID. */
export async function removeLeft(folder: string, what: string): Promise<void> {
  const left = readdirSync(folder).filter((name) => {
    const [first, pid = ''] = name.split('.');
    return first === what && /^\d+$/.test(pid) && !existsSync(`/proc/${pid}`);
  });
  await Promise.all(left.map((name) => removeRun(join(folder, name))));
}

/** What a session of that name has left, once it has ended. */
async function removeSession(session: string): Promise<void> {
  // One that lives on can still be reached by its name.
  if (await stop(session)) rmSync(runtimePaths(session).folder, { recursive: true, force: true });
}

/** By the command itself. */
async function fromDisk(request: RunningRequest, writes: string): Promise<Ended> {
  // A run that does not even begin writes none.
  rmSync(runtimePaths(request.session).log, { force: true });
  const ended = await command(request, writes);
  await stop(request.session);
  return { ...ended, began: hasBegun(request.session) };
}

async function command(request: RunningRequest, writes: string): Promise<Omit<Ended, 'began'>> {
  const { session, snapshot, store, plugins, timeoutMs, signal, folder } = request;
  const given = plugins.flatMap(({ name, settings }, index) => {
    const file = join(folder, `settings${index}.json`);
    writeFileSync(file, JSON.stringify(settings));
    return ['--plugin', `${name}=${file}`];
  });
  const args = ['restart', snapshot, '--session', session, '--store', store, '--slot', writes, ...given];
  const over = new AbortController();
  const began = performance.now();
  let timedOut = false;
  const give = (): void => {
    timedOut = true;
    void stop(session).finally(() => over.abort());
  };
  const stopTimer = callWhenStill(give, timeoutMs, request.progress);
  signal.addEventListener('abort', give, { once: true });
  if (signal.aborted) give();
  try {
    const result = await cairnCommand(args, { mostBytes: CONSOLE_BYTES, signal: over.signal });
    return { ...result, timedOut: timedOut || result.tooMuch, elapsedMs: performance.now() - began };
  } finally {
    stopTimer();
    signal.removeEventListener('abort', give);
  }
}

/** Whatever runs of it ends, and its coordinator leaves. false: nobody knows. */
async function stop(session: string): Promise<boolean> {
  return (await cairnCommand(['stop', '--session', session], { timeoutMs: STOP_MS })).status < 128;
}

function split<T>(all: readonly T[], isFirst: (one: T) => boolean): [T[], T[]] {
  return [all.filter(isFirst), all.filter((one) => !isFirst(one))];
}

function linesOf(text: string): string[] {
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines;
}

/** Whether the session's log says that the restart came through. */
function hasBegun(session: string): boolean {
  const text = readIfThere(runtimePaths(session).log) ?? '';
  return linesOf(text).some((line) => {
    try {
      return (JSON.parse(line) as { text: string }).text.startsWith('restarted from ');
    } catch {
      return false;
    }
  });
}

async function checksums(folder: string, patterns: readonly string[]): Promise<Record<string, string>> {
  if (patterns.length === 0) return {};
  const found = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => patterns.some((pattern) => fitsPattern(relative(folder, path), pattern)));
  return Object.fromEntries(
    await Promise.all(found.map(async (path) => [relative(folder, path), await fileChecksum(path)] as const)),
  );
}
