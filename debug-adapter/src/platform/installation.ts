/**
 * Where Cairn's own files are: dist/ of the built tree or of the installed extension. The bundles are in dist/ itself; tests
 * that run from the sources find the tree's dist/, or name one with CAIRN_DIST.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { accessSync, constants, existsSync, lstatSync, mkdirSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { failure } from '../protocol/errors.js';
import { errorCode } from './files.js';

let found: string | undefined;

export function distFolder(): string {
  found ??= process.env['CAIRN_DIST'] ?? search();
  return found;
}

function search(): string {
  const start = dirname(fileURLToPath(import.meta.url));
  for (let folder = start; ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'native', 'libcairn.so'))) return folder;
    if (existsSync(join(folder, 'dist', 'native')) || existsSync(join(folder, 'dist', 'coordinator.js')))
      return join(folder, 'dist');
    if (existsSync(join(folder, 'coordinator.js'))) return folder;
    if (folder === dirname(folder)) return start;
  }
}

/** As package.json beside dist/ has it. */
export function installedVersion(): string {
  const path = join(distFolder(), '..', 'package.json');
  try {
    return (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version;
  } catch (cause) {
    throw failure('notInstalled', { path }, cause);
  }
}

/** Those in i386/ are for 32-bit programs, and not in every installation. */
export type NativeFile =
  | 'libcairn.so'
  | 'cairn-launch'
  | 'cairn-restore'
  | 'cairn-attach'
  | 'cairn-inspect'
  | 'i386/libcairn.so'
  | 'i386/cairn-restore'
  | 'i386/cairn-inspect';

/** The path of a native part that can be used; throws `notInstalled` else. */
export function nativeFile(name: NativeFile): string {
  const path = join(distFolder(), 'native', name);
  try {
    accessSync(path, name.endsWith('.so') ? constants.R_OK : constants.X_OK);
  } catch (cause) {
    throw failure('notInstalled', { path }, cause);
  }
  return path;
}

/**
 * The library of a plugin, as its user names it: one of those that come with Cairn by its name alone ("fault-calls"), where `cwd` has no
 * file of that name; else a path.
 */
export function pluginLibrary(named: string, cwd: string): string {
  const path = resolve(cwd, named);
  if (named.includes('/') || statSync(path, { throwIfNoEntry: false })?.isFile()) return path;
  const own = join(distFolder(), 'native', 'plugins', `${named}.so`);
  return existsSync(own) ? own : path;
}

export function hasNativeFile(name: NativeFile): boolean {
  return existsSync(join(distFolder(), 'native', name));
}

/** false: the kernel is built or set up without 32-bit programs. Where Cairn has no parts for them nobody can tell. */
export function runs32Bit(): boolean {
  if (!hasNativeFile('i386/cairn-restore')) return true;
  // It says how it is used, and ends with 1. What the kernel does not take is tried as a script, which ends otherwise.
  return spawnSync(nativeFile('i386/cairn-restore'), { stdio: 'ignore', timeout: 10_000 }).status === 1;
}

const AGENT = 'libcairn.so';
/** Where the dynamic linker ends a name in LD_PRELOAD, and what it replaces in one: ld.so(8). */
const SEPARATORS = /[\s:]+/;
const NOT_PRELOADABLE = /[\s:$]/;

/** What a value of LD_PRELOAD names besides an agent. */
export function othersPreloaded(value: string | undefined): string[] {
  return (value ?? '').split(SEPARATORS).filter((one) => one !== '' && basename(one) !== AGENT);
}

/** This process's environment without what it has from a computation that it may be in. */
export function environmentOutside(): Record<string, string | undefined> {
  const {
    LD_PRELOAD,
    CAIRN_AGENT_SOCKET: _socket,
    CAIRN_COMPUTATION: _computation,
    CAIRN_SESSION: _session,
    CAIRN_STORE: _store,
    CAIRN_PLAN: _plan,
    ...env
  } = process.env;
  const others = othersPreloaded(LD_PRELOAD);
  return others.length > 0 ? { ...env, LD_PRELOAD: others.join(':') } : env;
}

/** What $PLATFORM is in a program's dynamic linker, and where its agent is. */
const PLATFORMS: Readonly<Record<string, string>> = {
  ...Object.fromEntries(['x86_64', 'haswell', 'xeon_phi'].map((name) => [name, '.'])),
  ...Object.fromEntries(['i386', 'i486', 'i586', 'i686'].map((name) => [name, 'i386'])),
};

/**
 * The agent by a path that is right in LD_PRELOAD for programs of 64 and of 32 bits alike, since the dynamic linker itself puts the
 * kind of program into it: by links among the sessions' folders, where that has to exist. They belong to no session: programs of a
 * computation use them as long as they start others. Throws `notPreloadable`.
 */
export function preloadPath(sessions: string): string {
  const path = nativeFile(AGENT);
  if (NOT_PRELOADABLE.test(sessions)) {
    if (NOT_PRELOADABLE.test(path)) throw failure('notPreloadable', { path, sessions });
    return path; // into 64-bit programs only; for others the dynamic linker says so
  }
  // No name of a session begins so; and each installation has its own.
  const folder = join(sessions, `.lib-${createHash('sha256').update(path).digest('hex').slice(0, 12)}`);
  mkdirSync(folder, { recursive: true });
  for (const [platform, part] of Object.entries(PLATFORMS)) {
    const link = join(folder, platform);
    if (lstatSync(link, { throwIfNoEntry: false }) !== undefined) continue;
    try {
      symlinkSync(join(dirname(path), part), link);
    } catch (error) {
      if (errorCode(error) !== 'EEXIST') throw error;
    }
  }
  return join(folder, '$PLATFORM', AGENT);
}
