/**
 * How the checkpoint that made a snapshot went, and the restarts from it: the last ten of each snapshot, in the store beside the
 * snapshots, which are not changed any more. Tests: test/unit/timeline.test.ts.
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { errorCode } from '../platform/files.js';
import { OperationTimeline } from '../protocol/timeline.js';
import type { Store } from './store.js';

export const KEPT_TIMELINES = 10;

/** Throws what the file system says. */
export function keepTimeline(store: Pick<Store, 'timelines'>, snapshot: string, timeline: OperationTimeline): void {
  const folder = join(store.timelines, snapshot);
  mkdirSync(folder, { recursive: true });
  // Their names are in the order of their beginnings.
  const name = `${timeline.startedAt.replace(/[-:.]/g, '')}-${timeline.session}-${timeline.id}.json`;
  const beside = join(folder, `.${name}`);
  writeFileSync(beside, `${JSON.stringify(timeline)}\n`);
  renameSync(beside, join(folder, name));
  for (const old of namesIn(folder).slice(0, -KEPT_TIMELINES)) rmSync(join(folder, old), { force: true });
}

/** The oldest first; what cannot be read is left out. */
export function timelinesOf(store: Pick<Store, 'timelines'>, snapshot: string): OperationTimeline[] {
  const folder = join(store.timelines, snapshot);
  return namesIn(folder).flatMap((name) => {
    try {
      const parsed = OperationTimeline.safeParse(JSON.parse(readFileSync(join(folder, name), 'utf8')));
      return parsed.success ? [parsed.data] : [];
    } catch {
      return [];
    }
  });
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => name.endsWith('.json') && !name.startsWith('.'))
      .sort();
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return [];
    throw error;
  }
}
