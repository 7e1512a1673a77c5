/**
 * Whether the agent gets into a program at all: the dynamic linker loads it, and only into x86 programs that have one and that
 * keep their environment; into those of 32 bits where this installation has the part for them. Said before the program starts; the program itself runs in any case.
 * Source: System V ABI, chapters 4 and 5; ld.so(8), "Secure-execution mode". Tests: test/unit/executable.test.ts.
 */
import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { delimiter, isAbsolute, resolve } from 'node:path';
import { hasNativeFile } from './installation.js';

const PT_DYNAMIC = 2;
const PT_INTERP = 3;
const PT_NOTE = 4;
const DT_NEEDED = 1;
const ELF_MAGIC = 0x7f454c46;
const EM_X86_64 = 62;
const EM_386 = 3;
const ELF64 = 2;
const ELF32 = 1;
const MAX_SCRIPTS = 4;
const MAX_NOTES = 65536;
/** A note's type and owner. Source: cmd/internal/buildid of the Go toolchain. */
const GO_BUILD_NOTE = Buffer.from('\x04\0\0\0Go\0\0', 'latin1');
const SET_ID_BITS = 0o6000;

function read(file: number, position: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  return bytes.subarray(0, readSync(file, bytes, 0, length, position));
}

function isFile(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** The file that execvp(3) would take, undefined: none. */
export function findProgram(name: string, env: Readonly<Record<string, string | undefined>>, cwd: string): string | undefined {
  if (name.includes('/')) return isAbsolute(name) ? name : resolve(cwd, name);
  const folders = (env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin').split(delimiter);
  return folders.map((folder) => resolve(cwd, folder, name)).find(isFile);
}

interface Part {
  offset: number;
  size: number;
}

/** Where in the file its segments are, by kind. */
function partsOf(file: number, header: Buffer): Map<number, Part> {
  const wide = header[4] === ELF64;
  const size = header.readUInt16LE(wide ? 54 : 42);
  const count = header.readUInt16LE(wide ? 56 : 44);
  const table = read(file, wide ? Number(header.readBigUInt64LE(32)) : header.readUInt32LE(28), count * size);
  const parts = new Map<number, Part>();
  for (let at = 0; at + size <= table.length; at += size) {
    const number = (wideAt: number, narrowAt: number): number =>
      wide ? Number(table.readBigUInt64LE(at + wideAt)) : table.readUInt32LE(at + narrowAt);
    parts.set(table.readUInt32LE(at), { offset: number(8, 4), size: number(32, 16) });
  }
  return parts;
}

function textOf(file: number, part: Part | undefined): string {
  return part === undefined ? '' : read(file, part.offset, part.size).toString('latin1').replace(/\0.*$/s, '');
}

function needsLibrary(file: number, header: Buffer, { offset, size }: Part): boolean {
  const wide = header[4] === ELF64;
  const entries = read(file, offset, size);
  for (let at = 0; at + 16 <= entries.length; at += wide ? 16 : 8) if (entries.readUInt32LE(at) === DT_NEEDED) return true;
  return false;
}

/** Of a program in which there is an agent all the same, since it is asked for by LD_PRELOAD. */
export type Oddity = 'fixed' | 'without libraries';

/**
 * fixed: nothing can be loaded into it, since it has no dynamic linker, nor is one. without libraries: what it asks of the kernel it asks
 * itself. undefined: neither, or it cannot be read.
 */
export function oddityOf(path: string): Oddity | undefined {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch {
    return undefined;
  }
  try {
    const header = read(file, 0, 256);
    if (header.length < 64 || header.readUInt32BE(0) !== ELF_MAGIC) return undefined;
    const parts = partsOf(file, header);
    const dynamic = parts.get(PT_DYNAMIC);
    if (!parts.has(PT_INTERP)) return dynamic === undefined ? 'fixed' : undefined;
    return dynamic === undefined || needsLibrary(file, header, dynamic) ? undefined : 'without libraries';
  } finally {
    closeSync(file);
  }
}

/**
 * Whether the Go toolchain has made it, as its note of the build says. Such a program calls the C library to resolve names, but starts
 * its children and waits for them by system calls of its own.
 */
export function isMadeByGo(path: string): boolean {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch {
    return false;
  }
  try {
    const header = read(file, 0, 256);
    if (header.length < 64 || header.readUInt32BE(0) !== ELF_MAGIC) return false;
    const notes = partsOf(file, header).get(PT_NOTE);
    return notes !== undefined && read(file, notes.offset, Math.min(notes.size, MAX_NOTES)).includes(GO_BUILD_NOTE);
  } catch {
    return false;
  } finally {
    closeSync(file);
  }
}

/** Why Cairn cannot checkpoint this program; empty: nothing is known against it. */
export function whyNotCheckpointable(path: string, scripts = 0): string {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch {
    return '';
  }
  try {
    const header = read(file, 0, 256);
    if (header.toString('latin1', 0, 2) === '#!' && scripts < MAX_SCRIPTS) {
      const [interpreter = ''] = header.toString('utf8', 2).split('\n', 1)[0]?.trim().split(/\s+/) ?? [];
      return whyNotCheckpointable(interpreter, scripts + 1);
    }
    if (header.length < 64 || header.readUInt32BE(0) !== ELF_MAGIC) return '';
    const [kind, machine] = [header[4], header.readUInt16LE(18)];
    const narrow = kind === ELF32 && machine === EM_386;
    if (!narrow && (kind !== ELF64 || machine !== EM_X86_64)) return `${path} is not an x86 program`;
    const linker = partsOf(file, header).get(PT_INTERP);
    if (linker === undefined) return `${path} is statically linked`;
    if (textOf(file, linker).includes('/ld-musl'))
      return `${path} uses the C library musl, and Cairn's agent needs the GNU C library`;
    if (narrow && !hasNativeFile('i386/libcairn.so'))
      return `${path} is a 32-bit program, for which this installation has no agent`;
    return (statSync(path).mode & SET_ID_BITS) === 0 ? '' : `${path} runs with another user's or group's rights (set-id)`;
  } catch {
    return '';
  } finally {
    closeSync(file);
  }
}
