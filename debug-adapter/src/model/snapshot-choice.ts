/**
 * Which snapshot a user means: an id, a name, or the unique beginning of an id, in this order. (A path to a folder is for the
 * store to see.) Pure. Tests: test/unit/snapshot-tree.test.ts.
 */
import { failure } from '../protocol/errors.js';
import type { SnapshotSummary } from '../protocol/snapshot.js';

/** undefined: nothing fits. Throws `snapshotAmbiguous` where several do. */
export function chooseSnapshot(text: string, snapshots: readonly SnapshotSummary[]): SnapshotSummary | undefined {
  const exact = snapshots.find((snapshot) => snapshot.id === text);
  if (exact) return exact;
  if (text === '') return undefined;
  for (const fits of [
    (one: SnapshotSummary) => one.name === text,
    (one: SnapshotSummary) => one.id.startsWith(text.toLowerCase()),
  ]) {
    const found = snapshots.filter(fits);
    if (found.length > 1) {
      const candidates = found.map((one) => (one.name === '' ? one.id : `${one.id} (${one.name})`)).join(', ');
      throw failure('snapshotAmbiguous', { text, candidates });
    }
    if (found[0]) return found[0];
  }
  return undefined;
}
