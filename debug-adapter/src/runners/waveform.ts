/**
 * The waveform of a run against that of the run without a fault: both are made again, from disk, with what they write kept. The golden one stays with
 * the results. Test: test/simulators/campaign-plan.test.ts.
 */
import { createReadStream, createWriteStream, existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { copyFile, rename } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { createInterface } from 'node:readline';
import type { Fault } from '../model/fault-space.js';
import { differenceOf, writeDifference } from '../model/vcd.js';
import type { WaveformDifference } from '../protocol/campaign-plan.js';
import { failure } from '../protocol/errors.js';
import type { SnapshotSummary } from '../protocol/snapshot.js';
import { campaignFolder } from '../store/campaign-file.js';
import type { Store } from '../store/store.js';
import { removeLeft, removeRun, restartRun } from './restart-run.js';

const MOST_SIGNALS = 1000;
/** Of a run that hangs there is as much as fits into this. */
const GOLDEN_TIMES = 5;
const LEAST_MS = 10_000;
const GOLDEN_TIMEOUT_MS = 3_600_000;

export interface WaveformRequest {
  name: string;
  store: Store;
  snapshot: SnapshotSummary;
  number: number;
  fault: Fault;
  /** How long the run without a fault took. */
  goldenMs: number;
  signal: AbortSignal;
}

export async function waveformDifference(asked: WaveformRequest): Promise<WaveformDifference> {
  const { name, store, number, fault, goldenMs, snapshot } = asked;
  const folder = join(campaignFolder(store.path, name), 'waveforms');
  const goldens = join(folder, `golden-${snapshot.id}`);
  if (!existsSync(goldens)) await keepWaveforms(asked, goldens, [], GOLDEN_TIMEOUT_MS);
  const own = join(folder, String(number));
  const faults = join(own, 'fault');
  rmSync(own, { recursive: true, force: true });
  try {
    const timeoutMs = Math.max(LEAST_MS, GOLDEN_TIMES * goldenMs * fault.slowdown);
    await keepWaveforms(asked, faults, [{ name: fault.plugin, settings: fault.settings }], timeoutMs);
    for (const file of waveformsIn(goldens)) {
      const [golden, other] = [join(goldens, file), join(faults, file)];
      if (!existsSync(other)) continue;
      const { signals, first } = await differenceOf(linesOf(golden), linesOf(other), MOST_SIGNALS);
      if (signals.length === 0) continue;
      const target = join(own, `run-${number}-difference.vcd`);
      await write(target, (text) => writeDifference(linesOf(golden), linesOf(other), signals, text));
      return { file: target, signals: signals.length, first };
    }
    rmSync(own, { recursive: true, force: true });
    return { file: '', signals: 0, first: null };
  } finally {
    rmSync(faults, { recursive: true, force: true });
  }
}

const linesOf = (file: string): AsyncIterable<string> =>
  createInterface({ input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY });

async function write(file: string, all: (text: (part: string) => void) => Promise<void>): Promise<void> {
  const stream = createWriteStream(file);
  const ended = new Promise<void>((resolve, reject) => {
    stream.once('finish', () => resolve());
    stream.once('error', reject);
  });
  await all((part) => stream.write(part));
  stream.end();
  await ended;
}

/** Throws `noWaveform`. */
async function keepWaveforms(
  { name, store, snapshot, number, signal }: WaveformRequest,
  to: string,
  plugins: { name: string; settings: Record<string, unknown> }[],
  timeoutMs: number,
): Promise<void> {
  const session = `waveform.${process.pid}`;
  const all = join(campaignFolder(store.path, name), 'waveforms');
  const folder = join(all, `run.${process.pid}`);
  const making = `${to}.making`;
  rmSync(making, { recursive: true, force: true });
  mkdirSync(making, { recursive: true });
  await removeLeft(all, 'run');
  try {
    const { problem } = await restartRun({
      session,
      snapshot: snapshot.path,
      store: store.path,
      folder,
      plugins,
      design: { targets: [], observe: [], detect: [], limit: null },
      files: [],
      timeoutMs,
      signal,
      keep: async (writes) => {
        for (const file of waveformsIn(writes)) {
          mkdirSync(join(making, file, '..'), { recursive: true });
          await copyFile(join(writes, file), join(making, file));
        }
      },
    });
    if (signal.aborted) throw failure('cancelled', { kind: 'waveform', detail: '' });
    if (problem !== '') throw failure('goldenFailed', { why: problem });
    if (waveformsIn(making).length === 0) throw failure('noWaveform', { name, number });
    rmSync(to, { recursive: true, force: true });
    await rename(making, to);
  } finally {
    rmSync(making, { recursive: true, force: true });
    await removeRun(folder);
  }
}

function waveformsIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.vcd'))
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .sort();
}
