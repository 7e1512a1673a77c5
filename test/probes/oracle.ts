/**
 * The second oracle: what /proc says of a probe from outside, taken before a checkpoint and after each restart, and compared.
 * It sees what a probe cannot: descriptors, mappings and threads too many, other signal dispositions.
 */
import { readdirSync, readlinkSync } from 'node:fs';
import { livingTask, readProc } from '../support/processes.js';

export type Region = { start: bigint; end: bigint; access: string; name: string };
export type Picture = {
  threads: string[];
  descriptors: Map<number, string>;
  regions: Region[];
  status: Map<string, string>;
  limits: string;
  workingFolder: string;
};

/** Name of the thread that every process under Cairn has. */
export const AGENT_THREAD = 'cairn-agent';
/** O_TMPFILE (and O_DIRECTORY, which is part of it): says how a file was made, not what the descriptor does. */
const TMPFILE = 0o20200000;
/** From here on descriptors are Cairn's own. */
const RESERVED_DESCRIPTORS = 512;
/** Set by the kernel of each process as it likes, or growing by itself. */
const FLOATING = /^\[(vdso|vvar\w*|vsyscall|stack|vvar_vclock)\]$/;

/** Cairn's own, of the session that is running. */
const OWN_FILE = /\/cairn\/[^/]+\/names$/;

const link = (path: string): string => {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
};

function readDescriptors(pid: number, task: string): Map<number, string> {
  const found = new Map<number, string>();
  for (const entry of readdirSync(`/proc/${pid}/task/${task}/fd`)) {
    const fd = Number(entry);
    if (fd <= 2 || fd >= RESERVED_DESCRIPTORS) continue;
    const kind = link(`/proc/${pid}/task/${task}/fd/${fd}`);
    const info = readProc(pid, `task/${task}/fdinfo/${fd}`);
    const position = /^pos:\s+(\d+)/m.exec(info)?.[1] ?? '';
    const flags = (Number.parseInt(/^flags:\s+(\d+)/m.exec(info)?.[1] ?? '0', 8) & ~TMPFILE).toString(8);
    // The kind, not the name: a restart puts files that were open for writing into its run folder.
    const what =
      (kind.startsWith('/dev/') && !kind.startsWith('/dev/shm/')) || kind.startsWith('/proc/')
        ? kind.replace(/\d+/g, 'N')
        : kind.startsWith('/')
          ? 'file'
          : kind.replace(/\d+/g, '');
    found.set(fd, `${what} at ${what === 'file' ? position : '-'} with flags ${flags}`);
  }
  return found;
}

function readRegions(pid: number, task: string): Region[] {
  const regions: Region[] = [];
  for (const line of readProc(pid, `task/${task}/maps`).split('\n')) {
    const match = /^([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ \d+\s*(.*)$/.exec(line);
    if (!match) continue;
    const [, start = '', end = '', access = '', name = ''] = match;
    if (FLOATING.test(name) || OWN_FILE.test(name)) continue;
    const region = { start: BigInt(`0x${start}`), end: BigInt(`0x${end}`), access, name };
    const last = regions.at(-1);
    if (last && last.end === region.start && last.access === region.access) last.end = region.end;
    else regions.push(region);
  }
  return regions;
}

export function takePicture(pid: number): Picture {
  const status = new Map<string, string>();
  const task = livingTask(pid, AGENT_THREAD) ?? String(pid);
  const shown = readProc(pid, `task/${task}/status`);
  for (const field of [
    'Umask',
    'SigBlk',
    'SigIgn',
    'SigCgt',
    'SigPnd',
    'ShdPnd',
    'Uid',
    'Gid',
    'Groups',
    'NoNewPrivs',
    'Cpus_allowed',
    'Name',
    'VmLck',
  ]) {
    status.set(field, new RegExp(`^${field}:[ \\t]*(.*)$`, 'm').exec(shown)?.[1] ?? '');
  }
  const threads = readdirSync(`/proc/${pid}/task`).map((tid) => {
    const status = readProc(pid, `task/${tid}/status`);
    const name = readProc(pid, `task/${tid}/comm`).trim();
    // A first thread that ended before the others receives no signal any more.
    if (/^State:\s+Z/m.test(status)) return `${name} ended`;
    return `${name} blocking ${/^SigBlk:\s*(.*)$/m.exec(status)?.[1] ?? ''}`;
  });
  return {
    threads: threads.sort(),
    descriptors: readDescriptors(pid, task),
    regions: readRegions(pid, task),
    status,
    limits: readProc(pid, `task/${task}/limits`),
    workingFolder: link(`/proc/${pid}/task/${task}/cwd`),
  };
}

const hex = (region: Region): string => `${region.start.toString(16)}-${region.end.toString(16)} ${region.access} ${region.name}`;

/** Parts of `wanted` that `there` does not have with the same access. Both are in order of address, and may be long. */
function missing(wanted: readonly Region[], there: readonly Region[]): string[] {
  const lost: string[] = [];
  let next = 0;
  for (const region of wanted) {
    let at = region.start;
    for (let other = there[next]; other !== undefined && other.start < region.end; other = there[next]) {
      if (other.end > at) {
        if (other.start > at || other.access !== region.access) break;
        at = other.end;
      }
      if (other.end > region.end) break;
      next++;
    }
    if (at < region.end) {
      lost.push(hex(region));
      while ((there[next]?.end ?? region.end) < region.end) next++;
    }
  }
  return lost;
}

/** Bytes of mappings that `before` did not have: Cairn's own memory. It may not grow with every checkpoint. */
export function addedBytes(before: Picture, after: Picture): number {
  const bytes = (regions: readonly Region[]): bigint => regions.reduce((sum, { start, end }) => sum + (end - start), 0n);
  return Number(bytes(after.regions) - bytes(before.regions));
}

/** A folder that was removed has a new one for it in the run folder, which nobody finds any more. */
const nameOf = (folder: string): string => (folder.endsWith(' (deleted)') ? folder.slice(folder.lastIndexOf('/')) : folder);

/** Every difference, in words. `churn` names what changes by itself in this probe. */
export function differences(before: Picture, after: Picture, churn: ReadonlySet<string>): string[] {
  const found: string[] = [];
  if (!churn.has('threads') && before.threads.join() !== after.threads.join()) {
    found.push(`threads were [${before.threads.join('; ')}], are [${after.threads.join('; ')}]`);
  }
  if (!churn.has('fds')) {
    for (const fd of new Set([...before.descriptors.keys(), ...after.descriptors.keys()])) {
      const was = before.descriptors.get(fd) ?? 'closed';
      const is = after.descriptors.get(fd) ?? 'closed';
      if (was !== is) found.push(`descriptor ${fd} was ${was}, is ${is}`);
    }
  }
  if (!churn.has('maps')) {
    for (const region of missing(before.regions, after.regions)) found.push(`mapping ${region} is not there any more`);
  }
  for (const [field, was] of before.status) {
    const is = after.status.get(field) ?? '';
    if (was !== is && !churn.has(field)) found.push(`${field} was ${was}, is ${is}`);
  }
  if (before.limits !== after.limits) found.push(`limits were\n${before.limits}are\n${after.limits}`);
  if (nameOf(before.workingFolder) !== nameOf(after.workingFolder))
    found.push(`working folder was ${before.workingFolder}, is ${after.workingFolder}`);
  return found;
}
