/**
 * What a snapshot needs of the machine that restarts it: processor features, memory, room on disks.
 * Tests: test/unit/preflight.test.ts.
 */
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { freeBytes, memory, resourceLimit } from '../platform/host.js';
import { formatBytes } from '../protocol/format.js';
import type { Manifest, PreflightFinding } from '../protocol/snapshot.js';
import type { ImageMetadata } from './image-metadata.js';
import type { PreflightOptions } from './preflight.js';

export function missingFeatures(needed: readonly string[], flags: ReadonlySet<string>): string[] {
  return needed.filter((name) => !flags.has(name));
}

/** Bits of XCR0 and the flag in /proc/cpuinfo that says that processor and kernel have them. Intel SDM, volume 1, 13.1. */
const xfeatureFlags: readonly (readonly [bit: bigint, flag: string])[] = [
  [2n, 'avx'],
  [3n, 'mpx'],
  [4n, 'mpx'],
  [5n, 'avx512f'],
  [6n, 'avx512f'],
  [7n, 'avx512f'],
  [9n, 'ospke'],
  [17n, 'amx_tile'],
  [18n, 'amx_tile'],
];

export function missingXfeatures(bits: bigint, flags: ReadonlySet<string>): string[] {
  const needed = xfeatureFlags.filter(([bit]) => (bits >> bit) & 1n).map(([, flag]) => flag);
  return [...new Set(needed.filter((flag) => !flags.has(flag)))];
}

function existing(path: string): string {
  let at = path;
  while (!existsSync(at) && at !== dirname(at)) at = dirname(at);
  return at;
}

function roomFinding(folder: string, needed: number, what: string): PreflightFinding | undefined {
  const free = freeBytes(existing(folder));
  if (needed === 0 || free === null || free >= needed) return undefined;
  return {
    severity: 'error',
    code: 'disk',
    message: `${what} needs ${formatBytes(needed)} in ${folder}; ${formatBytes(free)} are free.`,
    remedy: 'Make room there, or use a store on another disk (--store DIR).',
  };
}

export function spaceFindings(
  manifest: Manifest,
  images: readonly ImageMetadata[],
  options: PreflightOptions,
): PreflightFinding[] {
  const findings: (PreflightFinding | undefined)[] = [];
  if (options.outputs !== null) {
    const outputs = manifest.files.filter(({ name }) => /^p\d+\.files\//.test(name)).reduce((sum, file) => sum + file.size, 0);
    findings.push(roomFinding(options.outputs, outputs, 'Bringing back the files that the program writes'));
  }
  const pages = images.reduce((sum, { header }) => sum + Number(header.pagesBytes), 0);
  if (manifest.compression !== 'none') findings.push(roomFinding(options.cache, pages, 'Unpacking the snapshot'));

  const { total, available, swapTotal, swapFree } = memory();
  if (total !== null && pages > total + (swapTotal ?? 0)) {
    findings.push({
      severity: 'error',
      code: 'memory',
      message: `The program has ${formatBytes(pages)} in memory; this machine has ${formatBytes(total + (swapTotal ?? 0))}, swap counted.`,
      remedy: 'Restart it on a machine with more memory.',
    });
  } else if (available !== null && pages > available + (swapFree ?? 0)) {
    findings.push({
      severity: 'warning',
      code: 'memory',
      message: `The program has ${formatBytes(pages)} in memory; ${formatBytes(available + (swapFree ?? 0))} are available now.`,
      remedy: 'It will be slow, or be ended, if it needs all of it at once: end other programs first.',
    });
  }
  const limit = resourceLimit('Max address space');
  const mapped = images.reduce((most, { header }) => Math.max(most, Number(header.memoryBytes)), 0);
  if (limit !== null && mapped > limit) {
    findings.push({
      severity: 'error',
      code: 'address-space',
      message: `The program's mappings take ${formatBytes(mapped)}; the limit here (ulimit -v) is ${formatBytes(limit)}.`,
      remedy: 'Raise it: ulimit -v unlimited',
    });
  }
  return findings.filter((one) => one !== undefined);
}
