/**
 * The signals of the designs of snapshots, as they were once read: in the store beside the snapshots, which are not changed any more.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { readIfThere, replaceFile } from '../platform/files.js';
import type { Target } from '../protocol/campaign.js';
import { SnapshotDesign } from '../protocol/campaign-plan.js';
import type { Store } from './store.js';

const fileOf = (store: Pick<Store, 'designs'>, snapshot: string): string => join(store.designs, snapshot, 'design.json');

/** undefined: they have not been read. */
export function designOf(store: Pick<Store, 'designs'>, snapshot: string): readonly Target[] | undefined {
  try {
    const parsed = SnapshotDesign.safeParse(JSON.parse(readIfThere(fileOf(store, snapshot)) ?? 'null'));
    return parsed.success && parsed.data.snapshot === snapshot ? parsed.data.targets : undefined;
  } catch {
    // It is read again.
    return undefined;
  }
}

/** Throws what the file system says. */
export async function keepDesign(store: Pick<Store, 'designs'>, snapshot: string, targets: readonly Target[]): Promise<void> {
  const file = fileOf(store, snapshot);
  mkdirSync(join(store.designs, snapshot), { recursive: true });
  await replaceFile(file, `${JSON.stringify({ snapshot, targets })}\n`);
}
