/**
 * What this machine is and has: for a snapshot's manifest, for the preflight and for `cairn doctor`.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, readlinkSync, statfsSync } from 'node:fs';
import { hostname, machine, networkInterfaces, release } from 'node:os';

function lines(path: string): string[] {
  try {
    return readFileSync(path, 'utf8').split('\n');
  } catch {
    return [];
  }
}

export interface Processor {
  model: string;
  /** Names as in /proc/cpuinfo. */
  flags: ReadonlySet<string>;
}

export function processor(): Processor {
  let model = '';
  let flags: string[] = [];
  for (const line of lines('/proc/cpuinfo')) {
    const colon = line.indexOf(':');
    const key = line.slice(0, colon).trim();
    const value = line.slice(colon + 1).trim();
    if (key === 'model name' && model === '') model = value;
    else if (key === 'flags') flags = value.split(' ');
    // All processors of a machine are taken to be alike.
    if (model !== '' && flags.length > 0) break;
  }
  return { model, flags: new Set(flags) };
}

/** Of the C library that this machine's programs get; empty: unknown. */
export function libcVersion(): string {
  try {
    const text = execFileSync('getconf', ['GNU_LIBC_VERSION'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    return text.trim().replace(/^glibc /, '');
  } catch {
    return '';
  }
}

export interface Memory {
  /** Bytes; null: unknown. */
  total: number | null;
  available: number | null;
  swapTotal: number | null;
  swapFree: number | null;
}

export function memory(): Memory {
  const found = new Map<string, number>();
  for (const line of lines('/proc/meminfo')) {
    const match = /^(\w+):\s+(\d+) kB/.exec(line);
    if (match?.[1] && match[2]) found.set(match[1], Number(match[2]) * 1024);
  }
  const value = (name: string) => found.get(name) ?? null;
  return {
    total: value('MemTotal'),
    available: value('MemAvailable'),
    swapTotal: value('SwapTotal'),
    swapFree: value('SwapFree'),
  };
}

/** Soft limit of this process and of those it starts; null: unlimited. `name` as in /proc/self/limits. */
export function resourceLimit(name: 'Max address space' | 'Max open files' | 'Max processes' | 'Max file size'): number | null {
  const line = lines('/proc/self/limits').find((text) => text.startsWith(name));
  const soft = line?.slice(26).trim().split(/\s+/)[0];
  return soft === undefined || soft === 'unlimited' ? null : Number(soft);
}

/** Bytes that this user may still write on the file system of `path`; null: unknown. */
export function freeBytes(path: string): number | null {
  try {
    const found = statfsSync(path);
    return found.bavail * found.bsize;
  } catch {
    return null;
  }
}

export interface HostIdentity {
  name: string;
  kernel: string;
  architecture: string;
}

export function hostIdentity(): HostIdentity {
  return { name: hostname(), kernel: release(), architecture: machine() };
}

/** Of this host's network interfaces, as numbers; those that other hosts may know it by. */
export function ownAddresses(): string[] {
  return Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .filter((one) => !one.internal && !one.address.startsWith('fe80'))
    .map((one) => one.address);
}

/**
 * Equal exactly for processes that see the same kernel objects, process ids and network: the boot of one kernel, and the namespaces
 * that matter. Two containers of one machine are two hosts.
 */
export function machineIdentity(): string {
  const hash = createHash('sha256').update(lines('/proc/sys/kernel/random/boot_id')[0] ?? '');
  for (const name of ['net', 'pid', 'ipc']) {
    try {
      hash.update(`\n${readlinkSync(`/proc/self/ns/${name}`)}`);
    } catch {
      hash.update(`\n${name}`);
    }
  }
  return hash.digest('hex').slice(0, 32);
}
