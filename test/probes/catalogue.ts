/**
 * The probes: found by their folders (a folder is a family), described by the comments at their top (see probe.h), compiled into
 * build/test/probes when a source is newer; into build/test/probes-i386 as 32-bit programs, whose names end with "@32".
 */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, statSync } from 'node:fs';
import { cpus } from 'node:os';
import { basename, extname, join } from 'node:path';
import { promisify } from 'node:util';
import { lacks32Bit as partsLacking32Bit } from '../../scripts/parts/native.mjs';
import { inTree } from '../support/tree.js';

const run = promisify(execFile);
export const probeSources = inTree('test/probes');
export const probeOutput = inTree('build/test/probes');
const outputs = { 64: probeOutput, 32: inTree('build/test/probes-i386') };
type Bits = keyof typeof outputs;
const helperFolders = new Set(['libraries', 'tools']);

export type Probe = {
  /** family/name, of a 32-bit program family/name@32 */
  name: string;
  bits: Bits;
  family: string;
  source: string;
  program: string;
  flags: string[];
  libraries: string[];
  pty: boolean;
  /** The same source as a program of the other kind, whose path is the last argument; undefined: none. */
  partner: string | undefined;
  /** Typed into the terminal before the check. */
  type: string | undefined;
  /** Size that the terminal gets before the check. */
  resize: [number, number] | undefined;
  /** Sent to the command instead of the file that says "check". */
  signal: NodeJS.Signals | undefined;
  /** Kinds of files that a checkpoint may refuse. */
  optional: string[];
  /** What changes all the time: the second oracle leaves it out. */
  churn: Set<string>;
  sabotage: string[];
  /** Why two of it cannot be there at the same time on one host; undefined: they can. */
  alone: string | undefined;
  /** Why a snapshot of it cannot be restarted once the run has gone on, or beside it; undefined: it can. */
  overtaken: string | undefined;
  /** A look of a checkpoint can be seen by the next one: two of one run before "kill and restart". */
  twice: boolean;
  /** What the engine lacks for this probe to pass a restart; undefined: nothing. */
  missing: string | undefined;
  /** What a checkpoint of an attached probe refuses; a regular expression. */
  attached: string | undefined;
  /** Why another user's restart is refused; a regular expression. */
  otherUser: string | undefined;
};

/** CAIRN_PROBE_BITS: 64, 32, all; else the 32-bit programs of the probes that say so, beside all of 64 bits. */
function wantsBits(wanted: readonly string[], bits: Bits): boolean {
  const asked = process.env['CAIRN_PROBE_BITS'];
  if (wanted.includes('only'))
    return wanted[0] === String(bits) && (asked === undefined || asked === 'all' || asked === wanted[0]);
  if (asked !== undefined) return asked === 'all' || asked === String(bits);
  return bits === 64 || wanted.includes('32');
}

function describe(family: string, file: string, bits: Bits): Probe | undefined {
  const source = join(probeSources, family, file);
  const text = readFileSync(source, 'utf8');
  const field = (name: string): string | undefined => new RegExp(`^// ${name}: (.*)$`, 'm').exec(text)?.[1]?.trim();
  const words = (name: string): string[] => field(name)?.split(/,?\s+/) ?? [];
  if (!wantsBits(words('bits'), bits)) return undefined;
  const [columns, rows] = words('resize').map(Number);
  const name = basename(file, extname(file));
  return {
    name: `${family}/${name}${bits === 32 ? '@32' : ''}`,
    bits,
    family,
    source,
    program: join(outputs[bits], family, name),
    flags: [...(bits === 32 ? ['-m32', '-Wno-sign-compare'] : []), ...words('flags')],
    libraries: words('library'),
    pty: words('needs').includes('pty'),
    partner: words('needs').includes('partner') ? join(outputs[bits === 64 ? 32 : 64], family, name) : undefined,
    type: field('type'),
    resize: columns === undefined || rows === undefined ? undefined : [columns, rows],
    signal: field('signal') as NodeJS.Signals | undefined,
    optional: words('optional'),
    churn: new Set(words('churn')),
    sabotage: words('sabotage'),
    alone: field('alone'),
    overtaken: field('overtaken'),
    twice: words('looks').includes('twice'),
    missing: field('missing'),
    attached: field('attached'),
    otherUser: field('other user'),
  };
}

export function findProbes(): Probe[] {
  return readdirSync(probeSources, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !helperFolders.has(entry.name))
    .flatMap((entry) =>
      readdirSync(join(probeSources, entry.name))
        .filter((file) => /\.(c|cpp)$/.test(file))
        .flatMap((file) => ([64, 32] as const).map((bits) => describe(entry.name, file, bits))),
    )
    .filter((probe) => probe !== undefined)
    .sort((a, b) => a.name.localeCompare(b.name));
}

/** Folder of the libraries that probes load. */
export const libraryFolder = join(probeOutput, 'libraries');
export const librariesOf = ({ bits }: Pick<Probe, 'bits'>): string => join(outputs[bits], 'libraries');
export const tamperProgram = join(probeOutput, 'tools/tamper');

const compiling = new Map<string, Promise<void>>();

/** Compiles one C or C++ file unless what is there is newer. */
export function compile(source: string, target: string, flags: readonly string[]): Promise<void> {
  // A program may be asked for by two at the same time: as a probe, and as its partner of the other kind.
  const before = compiling.get(target) ?? compileOnce(source, target, flags).finally(() => compiling.delete(target));
  compiling.set(target, before);
  return before;
}

async function compileOnce(source: string, target: string, flags: readonly string[]): Promise<void> {
  const made = existsSync(target) ? statSync(target).mtimeMs : 0;
  const newest = Math.max(statSync(source).mtimeMs, statSync(join(probeSources, 'probe.h')).mtimeMs);
  if (made > newest) return;
  mkdirSync(join(target, '..'), { recursive: true });
  const [compiler, standard] = source.endsWith('.cpp') ? ['g++', '-std=c++20'] : ['gcc', '-std=gnu11'];
  // Renamed when it is whole: another test may be running what is there.
  const partial = `${target}.${process.pid}`;
  const warnings = ['-Wall', '-Wextra', '-Werror', '-Wno-format-truncation', '-Wno-infinite-recursion'];
  const headers = `-I${inTree('native-agent/include')}`;
  await run(compiler, [standard, '-O1', '-g', ...warnings, headers, '-pthread', source, '-o', partial, ...flags]);
  renameSync(partial, target);
}

let known: Promise<string> | undefined;
/** What is missing here for 32-bit programs; empty: nothing. */
export function lacks32Bit(): Promise<string> {
  known ??= (async () => {
    if (!existsSync(inTree('dist/native/i386/libcairn.so'))) return 'dist/native has no parts for 32-bit programs';
    return partsLacking32Bit();
  })();
  return known;
}

/** Compiles what is out of date, two at a time; what cannot be built here for want of a compiler is left out. */
export async function buildProbes(all: readonly Probe[]): Promise<void> {
  const narrow = all.some(({ bits }) => bits === 32) && (await lacks32Bit()) === '';
  const probes = all.filter(({ bits }) => bits === 64 || narrow);
  const jobs: (() => Promise<void>)[] = [() => compile(join(probeSources, 'tools/tamper.c'), tamperProgram, [])];
  for (const bits of [64, 32] as const) {
    for (const library of new Set(probes.filter((probe) => probe.bits === bits).flatMap((probe) => probe.libraries))) {
      const target = join(librariesOf({ bits }), `lib${library}.so`);
      const flags = ['-shared', '-fPIC', ...(bits === 32 ? ['-m32'] : [])];
      jobs.push(() => compile(join(probeSources, 'libraries', `${library}.c`), target, flags));
    }
  }
  for (const { source, program, flags, partner, bits } of probes) {
    jobs.push(() => compile(source, program, flags));
    if (partner !== undefined && (await lacks32Bit()) === '')
      jobs.push(() => compile(source, partner, bits === 64 ? ['-m32'] : []));
  }
  await inParallel(jobs, Math.min(4, cpus().length));
}

/** Runs the jobs, at most `width` at a time. The first error is thrown when all have ended. */
export async function inParallel(jobs: readonly (() => Promise<void>)[], width: number): Promise<void> {
  const queue = [...jobs];
  const errors: unknown[] = [];
  const worker = async (): Promise<void> => {
    for (let job = queue.shift(); job !== undefined; job = queue.shift()) {
      try {
        await job();
      } catch (error) {
        errors.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: width }, worker));
  if (errors.length > 0) throw errors[0];
}

/** Probes that CAIRN_PROBES (a regular expression) selects; all of them without it. */
export function selectedProbes(): Probe[] {
  const pattern = process.env['CAIRN_PROBES'];
  const probes = findProbes();
  if (probes.length === 0) throw new Error(`no probes in ${probeSources}`);
  const selected = pattern ? probes.filter((probe) => new RegExp(pattern).test(probe.name)) : probes;
  if (selected.length === 0) throw new Error(`CAIRN_PROBES=${pattern} selects none of ${probes.length} probes`);
  return selected;
}
