/**
 * XXH3, 64 bits, seed 0, as the manifest writes it: 16 hexadecimal digits.
 * Tests: test/unit/store.test.ts, with values that xxhsum gives.
 */
import { createReadStream } from 'node:fs';
import { createXXHash3, xxhash3 } from 'hash-wasm';

export async function checksum(data: Uint8Array): Promise<string> {
  return xxhash3(data);
}

export async function fileChecksum(path: string, signal?: AbortSignal): Promise<string> {
  const hasher = await createXXHash3();
  hasher.init();
  const options = { highWaterMark: 1 << 20, ...(signal ? { signal } : {}) };
  for await (const chunk of createReadStream(path, options)) hasher.update(chunk as Uint8Array);
  return hasher.digest('hex');
}

/** A checksum that came as a number on the agent protocol. */
export function checksumText(value: bigint): string {
  return value.toString(16).padStart(16, '0');
}
