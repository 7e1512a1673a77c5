/**
 * What of a process cannot be saved whatever the agent does, seen from outside by /proc while the process runs: nothing has to be
 * stopped to refuse a checkpoint for it. What plugins find in their own resources they say themselves.
 * Tests: test/probes/refusals.test.ts, test/unit/obstacles.test.ts.
 */
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import { isMadeByGo, oddityOf, whyNotCheckpointable } from './executable.js';
import { nativeFile } from './installation.js';

/** One thing that is in the way, and what to do. */
export interface Obstacle {
  what: string;
  remedy: string;
}

function nullOnError<T>(read: () => T): T | null {
  try {
    return read();
  } catch {
    return null; // It has gone, or is not ours to look at.
  }
}

/** A process that was restarted keeps its restorer as its executable: the kernel lets nobody change that without privileges. */
const RESTORER = 'cairn-restore';

const end = 'end it or close it before the checkpoint';

/** Descriptors that lead to state of the kernel or of a device that no program can read. */
const kinds: readonly (readonly [RegExp, string, string])[] = [
  [/^anon_inode:\[userfaultfd\]$/, 'userfaultfd: page faults of memory that it handles itself', end],
  [/^anon_inode:\[?perf[_-]event\]?$/, 'perf: a performance counter', end],
  [/^anon_inode:\[?fanotify\]?$/, 'fanotify: events of a whole file system', end],
  [/^\/secretmem\b/, 'secret memory (memfd_secret), which no system call may read', end],
  [/^anon_inode:\[?bpf[-_]\w+\]?$/, 'bpf: a program or a map in the kernel', end],
  [/^(anon_inode:\[?kvm-|\/dev\/kvm$)/, 'kvm: a virtual machine', 'shut the machine down before the checkpoint'],
  [
    /^(anon_inode:\[?vfio|\/dev\/vfio\/)/,
    'vfio: a device that the program drives itself',
    'let it close the device before the checkpoint',
  ],
  [
    /^(anon_inode:\[?(infinibandevent|uverbs)|\/dev\/infiniband\/)/,
    'RDMA: a network adapter that the program drives itself',
    'let it disconnect and close the device before the checkpoint',
  ],
];

/** In /dev, but memory as any other. */
const plain = /^\/dev\/(shm\/|zero$|zero |null$|hugepages\/|mqueue\/)/;

/**
 * Of a process that an agent is in. Empty: nothing is known against it, or it has gone. `inside`: real pids of the computation's
 * processes.
 */
export function obstaclesOf(pid: number, inside: ReadonlySet<number>): Obstacle[] {
  return [
    ...programObstacles(pid),
    ...statusObstacles(pid, inside),
    ...namespaceObstacles(pid),
    ...memoryObstacles(pid),
    ...descriptorObstacles(pid),
  ];
}

function text(path: string): string {
  return nullOnError(() => readFileSync(path, 'utf8')) ?? '';
}

/**
 * An agent in a program that can load no library is executed by that program, as the one that it is a part of: registers, threads and
 * system calls that the agent sees are not the kernel's. And where calls are not the C library's nobody tells a program the ids of before.
 */
function programObstacles(pid: number): Obstacle[] {
  const program = `/proc/${pid}/exe`;
  const path = nullOnError(() => readlinkSync(program)) ?? '';
  if (basename(path.replace(/ \(deleted\)$/, '')) === RESTORER) return [];
  const remedy = 'start it without that, or checkpoint when it has ended';
  switch (oddityOf(program)) {
    case 'fixed':
      return [{ what: `it is executed by ${path}, as Valgrind and emulators do, and not by the processor itself`, remedy }];
    case 'without libraries':
      return [
        {
          what: `${path} uses no C library: it makes its system calls itself, and would not find its children and threads after a restart`,
          remedy: 'link it with the C library (Go: with cgo), or checkpoint when it has ended',
        },
      ];
    default:
      return waitObstacles(pid, path);
  }
}

const WAITS = new Set([61, 247]);
/** Whose calls the agent stands in front of, or makes itself. */
const callers = /\/(libc|libpthread|ld|libcairn)[-.][^/]*$/;

/** A thread that waits for a child by a call that is not the C library's would be told another id after a restart. */
function waitObstacles(pid: number, path: string): Obstacle[] {
  const tasks = nullOnError(() => readdirSync(`/proc/${pid}/task`)) ?? [];
  if (tasks.every((tid) => text(`/proc/${pid}/task/${tid}/children`) === '')) return [];
  if (isMadeByGo(`/proc/${pid}/exe`))
    return [
      {
        what: `${path} is a Go program with children, for which it waits by system calls of its own, and would not find them after a restart`,
        remedy: 'checkpoint when its children have ended',
      },
    ];
  return tasks.flatMap((tid) => {
    const words = text(`/proc/${pid}/task/${tid}/syscall`).trim().split(' ');
    const caller = WAITS.has(Number(words[0])) ? mappedFile(text(`/proc/${pid}/maps`), BigInt(words.at(-1) ?? 0)) : '';
    if (!caller.startsWith('/') || callers.test(caller)) return [];
    return [
      {
        what: `thread ${tid} waits for a child by a system call of ${caller} itself, and would not find it after a restart`,
        remedy: 'checkpoint when it does not wait, or let it call the C library',
      },
    ];
  });
}

/** The file whose mapping holds an address, of the text of a file maps; empty: there is none. */
export function mappedFile(maps: string, address: bigint): string {
  for (const line of maps.split('\n')) {
    const [, from = '0', to = '0', path = ''] = /^([0-9a-f]+)-([0-9a-f]+) \S+ \S+ \S+ \S+\s*(.*)$/.exec(line) ?? [];
    if (address >= BigInt(`0x${from}`) && address < BigInt(`0x${to}`)) return path;
  }
  return '';
}

function statusObstacles(pid: number, inside: ReadonlySet<number>): Obstacle[] {
  const status = text(`/proc/${pid}/status`);
  const field = (name: string): number => Number(new RegExp(`^${name}:\\s*(\\d+)`, 'm').exec(status)?.[1] ?? 0);
  const found: Obstacle[] = [];
  const tracer = field('TracerPid');
  // A debugger that is itself in the computation is saved with it; and a process that is held is traced by a child of its own.
  if (tracer !== 0 && !inside.has(tracer) && !inside.has(parentOf(tracer)))
    found.push({
      what: `it is traced by ${text(`/proc/${tracer}/comm`).trim() || 'a debugger'} (process ${tracer}), outside of the computation`,
      remedy: 'detach the debugger before the checkpoint',
    });
  const others = otherIds(status, process.geteuid?.());
  if (others !== undefined)
    found.push({
      what: `it has given itself ${others}, which a restart could not`,
      remedy: 'checkpoint when it has ended, or start the session as that user',
    });
  if (field('Seccomp') === 1)
    found.push({
      what: 'it may make no system calls but read, write and exit (seccomp, strict mode), and so can neither be saved nor restarted',
      remedy: 'checkpoint before it enters that mode, or when it has ended',
    });
  return found;
}

/**
 * In words what of a process's ids, in the text of a file status, is not as for all that `own` starts without privileges: real, effective,
 * saved and file-system id are one, and the user is `own`. A restart gives all processes the ids of whoever restarts.
 */
export function otherIds(status: string, own: number | undefined): string | undefined {
  for (const [field, what] of [
    ['Uid', 'the user ids'],
    ['Gid', 'the group ids'],
  ] as const) {
    const ids = new RegExp(`^${field}:\\s*(.*)$`, 'm').exec(status)?.[1]?.split(/\s+/).map(Number);
    if (ids === undefined) continue;
    const differ = ids.some((id) => id !== ids[0]) || (field === 'Uid' && own !== undefined && ids[0] !== own);
    if (differ) return `${what} ${ids.join(', ')}`;
  }
  return undefined;
}

function capabilitiesOf(pid: number): bigint {
  return BigInt(`0x${/^CapPrm:\s*([0-9a-f]+)/m.exec(text(`/proc/${pid}/status`))?.[1] ?? '0'}`);
}

function parentOf(pid: number): number {
  return Number(/^PPid:\s*(\d+)/m.exec(text(`/proc/${pid}/status`))?.[1] ?? 0);
}

/** What they are called where that is not the name of their file. */
const NAMESPACES: Readonly<Record<string, string>> = { mnt: 'mount', uts: 'host name (UTS)' };

function namespaceObstacles(pid: number): Obstacle[] {
  const found: Obstacle[] = [];
  for (const kind of ['user', 'mnt', 'pid', 'uts', 'cgroup', 'time'] as const) {
    const theirs = nullOnError(() => readlinkSync(`/proc/${pid}/ns/${kind}`));
    if (theirs === null || theirs === nullOnError(() => readlinkSync(`/proc/self/ns/${kind}`))) continue;
    found.push({
      what: `it is in another ${NAMESPACES[kind] ?? kind} namespace than the session`,
      remedy: 'start the session within the container, or checkpoint when that process has ended',
    });
  }
  const root = nullOnError(() => readlinkSync(`/proc/${pid}/root`));
  if (root !== null && root !== '/' && root !== nullOnError(() => readlinkSync('/proc/self/root')))
    found.push({
      what: `it has made ${root} its root folder (chroot), which a restart could not`,
      remedy: 'start the session within that folder, or checkpoint when that process has ended',
    });
  return found;
}

function memoryObstacles(pid: number): Obstacle[] {
  const maps = text(`/proc/${pid}/maps`);
  const devices = mappedDevices(maps, isDevice).map((path) => ({
    what: `it has mapped memory of the device ${path}`,
    remedy: 'let it unmap and close the device before the checkpoint',
  }));
  const secret = {
    what: 'it has mapped secret memory (memfd_secret), which no system call may read',
    remedy: 'let it unmap that before the checkpoint',
  };
  const asynchronous = {
    what: 'it has a context of asynchronous input and output in the kernel (io_setup, libaio), which cannot be made again',
    remedy: 'let it use io_uring, threads or ordinary calls for that, or io_destroy(2) before the checkpoint',
  };
  return [...devices, ...(/ \/secretmem\b/.test(maps) ? [secret] : []), ...(/ \/\[aio\]/.test(maps) ? [asynchronous] : [])];
}

/** The devices in the text of a file maps, each once. */
export function mappedDevices(maps: string, isDevice: (path: string) => boolean): string[] {
  if (!maps.includes(' /dev/')) return [];
  const paths = maps.split('\n').flatMap((line) => {
    const at = line.indexOf(' /dev/');
    return at < 0 ? [] : [line.slice(at + 1)];
  });
  return [...new Set(paths)].filter((path) => !plain.test(path) && isDevice(path));
}

function isDevice(path: string): boolean {
  const status = nullOnError(() => statSync(path));
  // One that is no more there can be nothing else in /dev.
  return status === null || status.isCharacterDevice() || status.isBlockDevice();
}

function descriptorObstacles(pid: number): Obstacle[] {
  const folder = `/proc/${pid}/fd`;
  return (nullOnError(() => readdirSync(folder)) ?? []).flatMap((fd) => {
    const kind = descriptorKind(nullOnError(() => readlinkSync(`${folder}/${fd}`)) ?? '');
    return kind ? [{ what: `descriptor ${fd} is ${kind.what}`, remedy: kind.remedy }] : [];
  });
}

/** What a descriptor leads to, by its link in /proc; undefined: nothing that is always in the way. */
export function descriptorKind(link: string): Obstacle | undefined {
  const kind = kinds.find(([pattern]) => pattern.test(link));
  return kind && { what: kind[1], remedy: kind[2] };
}

/** Why the agent is not in a process of the computation, as far as its program and its rights say; undefined: they do not. */
export function whyWithoutAgent(pid: number): Obstacle | undefined {
  const program = nullOnError(() => readlinkSync(`/proc/${pid}/exe`));
  const remedy = 'checkpoint when it has ended, or let it start a dynamically linked program of your own user';
  const owner = nullOnError(() => statSync(`/proc/${pid}`).uid);
  const own = typeof process.getuid === 'function' ? process.getuid() : -1;
  if (program === null) return owner !== null && owner !== own ? { what: "it is another user's process", remedy } : undefined;
  // What a restart has rebuilt, or a child of it before it executes a program: the agent is in its memory.
  if (basename(program.replace(/ \(deleted\)$/, '')) === RESTORER) return undefined;
  if ((capabilitiesOf(pid) & ~capabilitiesOf(process.pid)) !== 0n)
    return { what: `${program} has capabilities that its starter has not, so that Cairn cannot get into it`, remedy };
  const why = whyNotCheckpointable(program);
  return why === '' ? undefined : { what: `${why}, so that Cairn cannot get into it`, remedy };
}

/** Processes of the computation from which this one descends, its parent first, up to one that is `inside`. Cairn's launcher is none. */
export function startersOf(pid: number, computation: string, inside: ReadonlySet<number>): number[] {
  const found: number[] = [];
  const launcher = fileOf(nativeFile('cairn-launch'));
  const mark = `CAIRN_COMPUTATION=${computation}`;
  for (let one = parentOf(pid); one > 1 && !inside.has(one); one = parentOf(one)) {
    if (fileOf(`/proc/${one}/exe`) === launcher) break;
    if (!text(`/proc/${one}/environ`).split('\0').includes(mark)) break;
    found.push(one);
  }
  return found;
}

/** Which file it is, by whatever name. */
function fileOf(path: string): string | null {
  return nullOnError(() => {
    const { dev, ino } = statSync(path);
    return `${dev}:${ino}`;
  });
}

/** Its program's name. */
export function programOf(pid: number): string {
  return text(`/proc/${pid}/comm`).trim() || basename(nullOnError(() => readlinkSync(`/proc/${pid}/exe`)) ?? '?');
}
