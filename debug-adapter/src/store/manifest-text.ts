/**
 * A manifest as the text of its file, with a checksum of itself: one byte that is another may stand for another valid manifest.
 * Tests: test/unit/store.test.ts, test/faults/images.test.ts.
 */
import { createHash } from 'node:crypto';
import type { Manifest } from '../protocol/snapshot.js';

const sumOf = (manifest: object): string => createHash('sha256').update(JSON.stringify(manifest)).digest('hex');

export function manifestText(manifest: Manifest): string {
  return `${JSON.stringify({ ...manifest, manifestChecksum: sumOf(manifest) }, null, 2)}\n`;
}

/** Of the file's JSON. Manifests of before have no checksum. */
export function isAsWritten(json: object): boolean {
  const { manifestChecksum, ...manifest } = json as Record<string, unknown>;
  return manifestChecksum === undefined || manifestChecksum === sumOf(manifest);
}
