/**
 * The time lines that a command is about: of a live session, or kept with a snapshot; and words that are made of them.
 */
import { dirname } from 'node:path';
import { failure } from '../protocol/errors.js';
import { formatDuration } from '../protocol/format.js';
import { lengthOf } from '../protocol/phase-words.js';
import type { OperationTimeline } from '../protocol/timeline.js';
import { Store } from '../store/store.js';
import { timelinesOf } from '../store/timelines.js';
import { storePath } from './choices.js';

/** The oldest first. Throws where none was kept. */
export function keptTimelines(snapshot: string, store: string | undefined): OperationTimeline[] {
  const { id, path } = new Store(storePath(store)).find(snapshot);
  // A snapshot that was named by its folder may be in another store.
  const found = timelinesOf(new Store(dirname(dirname(path))), id);
  if (found.length === 0) throw failure('noTimeline', { id });
  return found;
}

export function headline(one: Omit<OperationTimeline, 'session' | 'snapshot' | 'processes'>): string {
  const outcome =
    one.error !== '' ? `failed: ${one.error}` : one.finished ? `done in ${formatDuration(lengthOf(one))}` : 'goes on';
  return `${one.kind} of ${one.startedAt}: ${outcome}`;
}
