/**
 * `cairn doctor`: what Cairn needs of this machine, each with what is wrong and what to do. Exit status 1 where something that
 * is needed is missing.
 */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { freeBytes, hostIdentity, libcVersion, memory, processor, resourceLimit } from '../../platform/host.js';
import { distFolder, hasNativeFile, type NativeFile, nativeFile, preloadPath, runs32Bit } from '../../platform/installation.js';
import { ensureSessionsFolder, sessionsFolder } from '../../platform/runtime.js';
import { asCairnError, reason } from '../../protocol/errors.js';
import { formatBytes, formatTable } from '../../protocol/format.js';
import { storePath } from '../choices.js';
import { print, printJson } from '../output.js';

export interface Check {
  name: string;
  result: 'ok' | 'warning' | 'error';
  found: string;
  /** Empty where it is ok. */
  remedy: string;
}

const ok = (name: string, found: string): Check => ({ name, result: 'ok', found, remedy: '' });
const bad = (result: 'warning' | 'error', name: string, found: string, remedy: string): Check => ({
  name,
  result,
  found,
  remedy,
});

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return undefined;
  }
}

function system(): Check[] {
  const { kernel, architecture } = hostIdentity();
  const [major = 0, minor = 0] = kernel.split('.').map(Number);
  const libc = libcVersion();
  return [
    architecture === 'x86_64'
      ? ok('processor', processor().model)
      : bad('error', 'processor', architecture, 'Cairn runs on x86-64.'),
    major > 5 || (major === 5 && minor >= 10)
      ? ok('kernel', kernel)
      : bad('warning', 'kernel', kernel, 'Cairn is tested on Linux 5.10 and newer.'),
    libc !== ''
      ? ok('libc', `glibc ${libc}`)
      : bad('warning', 'libc', 'not glibc, or unknown', 'Programs under Cairn need the GNU C library.'),
  ];
}

/** PR_SET_MM, with which the restorer gives a program its brk and its arguments back, came with checkpoint/restore support. */
function kernelFeatures(): Check[] {
  const checks: Check[] = [];
  // task_struct's children are listed only by kernels with CONFIG_PROC_CHILDREN, which CHECKPOINT_RESTORE selects.
  const children = existsSync(`/proc/self/task/${process.pid}/children`);
  checks.push(
    children
      ? ok('checkpoint support', 'the kernel has it (CONFIG_CHECKPOINT_RESTORE)')
      : bad(
          'warning',
          'checkpoint support',
          'the kernel does not show it (CONFIG_CHECKPOINT_RESTORE)',
          'Where a restart fails with prctl(PR_SET_MM), use a kernel that has it.',
        ),
  );
  const yama = read('/proc/sys/kernel/yama/ptrace_scope');
  checks.push(
    yama === '3'
      ? bad(
          'warning',
          'ptrace',
          'forbidden for everybody (yama 3)',
          'Debuggers cannot attach, also after a restart; Cairn itself does not need it.',
        )
      : ok('ptrace', yama === undefined ? 'not restricted' : `yama ptrace_scope ${yama}: enough`),
  );
  const overcommit = read('/proc/sys/vm/overcommit_memory');
  checks.push(
    overcommit === '2'
      ? bad(
          'warning',
          'fork of large programs',
          'vm.overcommit_memory is 2: a checkpoint needs as much free memory as the program has',
          'As root: sysctl vm.overcommit_memory=0',
        )
      : ok('fork of large programs', 'allowed'),
  );
  const maps = Number(read('/proc/sys/vm/max_map_count') ?? 65530);
  checks.push(
    maps >= 65530
      ? ok('mappings', `up to ${maps} a process`)
      : bad('warning', 'mappings', `up to ${maps} a process`, 'As root: sysctl vm.max_map_count=65530'),
  );
  return checks;
}

function narrowPrograms(): Check {
  const about = '32-bit programs';
  if (!runs32Bit()) return ok(about, 'this kernel runs none');
  const needed = ['i386/libcairn.so', 'i386/cairn-restore'] satisfies NativeFile[];
  if (needed.every(hasNativeFile)) return ok(about, dirname(nativeFile('i386/libcairn.so')));
  const remedy = 'Build Cairn where the compiler has -m32 (g++-multilib).';
  return bad('warning', about, 'they run, but cannot be checkpointed', remedy);
}

function installation(): Check[] {
  const checks: Check[] = [];
  for (const name of ['libcairn.so', 'cairn-launch', 'cairn-restore'] satisfies NativeFile[]) {
    try {
      checks.push(ok(name, nativeFile(name)));
    } catch (error) {
      const { message, remedy } = asCairnError(error);
      checks.push(bad('error', name, message, remedy));
    }
  }
  checks.push(narrowPrograms());
  const coordinator = join(distFolder(), 'coordinator.js');
  checks.push(
    existsSync(coordinator)
      ? ok('coordinator', coordinator)
      : bad('error', 'coordinator', `${coordinator} is missing`, 'npm run build'),
  );
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  checks.push(
    major > 22 || (major === 22 && minor >= 15)
      ? ok('node', `${process.versions.node} (${process.execPath})`)
      : bad('error', 'node', process.versions.node, 'Cairn needs Node.js 22.15 or newer; CAIRN_NODE may name one.'),
  );
  return checks;
}

async function terminal(): Promise<Check> {
  try {
    const { openTerminal } = await import('../../platform/terminal.js');
    const opened = await openTerminal({ command: ['/bin/true'], env: {}, cwd: '/', columns: 80, rows: 24 });
    const status = await new Promise<number>((resolve) => opened.onExit(resolve));
    return status === 0
      ? ok('pseudo-terminals', 'they can be opened')
      : bad('error', 'pseudo-terminals', `a program in one ended with ${status}`, 'Check /dev/pts.');
  } catch (error) {
    const { message, remedy } = asCairnError(error);
    return bad('error', 'pseudo-terminals', message, remedy);
  }
}

function folders(store: string): Check[] {
  const checks: Check[] = [];
  try {
    ensureSessionsFolder();
    checks.push(ok('runtime folder', sessionsFolder()));
    checks.push(ok('preloading', preloadPath(sessionsFolder())));
  } catch (error) {
    const { message, remedy } = asCairnError(error);
    checks.push(bad('error', checks.length === 0 ? 'runtime folder' : 'preloading', message, remedy));
  }
  let at = store;
  while (!existsSync(at) && at !== dirname(at)) at = dirname(at);
  const free = freeBytes(at);
  checks.push(
    free === null || free > 1 << 30
      ? ok('store', `${store}: ${free === null ? 'unknown' : formatBytes(free)} free`)
      : bad(
          'warning',
          'store',
          `${store}: ${formatBytes(free)} free`,
          'Snapshots are as large as the memory of the program: use another disk (--store DIR).',
        ),
  );
  return checks;
}

function limits(): Check[] {
  const checks: Check[] = [];
  const files = resourceLimit('Max open files');
  checks.push(
    files === null || files >= 256
      ? ok('open files', files === null ? 'unlimited' : `up to ${files}`)
      : bad(
          'warning',
          'open files',
          `up to ${files}`,
          'Cairn keeps descriptors of its own in the highest numbers: ulimit -n 1024',
        ),
  );
  for (const [limit, name, option] of [
    ['Max address space', 'address space', '-v'],
    ['Max file size', 'file size', '-f'],
  ] as const) {
    const value = resourceLimit(limit);
    checks.push(
      value === null
        ? ok(name, 'unlimited')
        : bad('warning', name, `limited to ${formatBytes(value)}`, `A large snapshot may not fit: ulimit ${option} unlimited`),
    );
  }
  const { available } = memory();
  if (available !== null) checks.push(ok('memory', `${formatBytes(available)} available`));
  return checks;
}

export async function doctor(options: { store?: string; json: boolean }): Promise<number> {
  let checks: Check[];
  try {
    checks = [
      ...system(),
      ...kernelFeatures(),
      ...installation(),
      await terminal(),
      ...folders(storePath(options.store)),
      ...limits(),
    ];
  } catch (error) {
    checks = [bad('error', 'doctor', reason(error), 'This is an error in Cairn.')];
  }
  const works = checks.every((check) => check.result !== 'error');
  if (options.json) printJson({ works, checks });
  else {
    print(
      formatTable(
        checks.map((check) => [check.result, check.name, check.remedy === '' ? check.found : `${check.found}. ${check.remedy}`]),
      ),
    );
    print(works ? 'Cairn can work here.' : 'Cairn cannot work here yet.');
  }
  return works ? 0 : 1;
}
