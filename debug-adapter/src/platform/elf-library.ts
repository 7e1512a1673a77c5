/**
 * What a shared library says of itself, read from its bytes without loading it: what it needs, exports and leaves undefined, and what of it
 * a loader has to run or to relocate. The bytes are anybody's: every offset and count is checked, and what does not fit throws
 * `BadLibrary` with the place.
 * Source: System V ABI, chapters 4 and 5; its supplements for x86-64 and i386; "ELF Handling For Thread-Local Storage".
 * Tests: test/unit/elf-library.test.ts.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

export class BadLibrary extends Error {}

export interface ElfLibrary {
  bits: 32 | 64;
  soname: string;
  /** Libraries that have to be there. */
  needed: string[];
  runpath: string;
  /** Functions and objects that others can use. */
  exported: string[];
  /** Functions and objects that somebody else has to define; weak ones may be missing. */
  undefined: { name: string; weak: boolean }[];
  /** Bytes of thread-local variables. */
  threadLocalBytes: number;
  /** Functions that run when it is loaded. */
  constructors: number;
  /** Functions that choose among versions for different processors, run when it is bound. */
  resolvers: number;
  packedRelocations: boolean;
  /** Its code has to be written to when it is loaded. */
  textRelocations: boolean;
  executableStack: boolean;
}

const MAX_BYTES = 1 << 30;
const MAX_SYMBOLS = 1 << 20;
const [PT_LOAD, PT_DYNAMIC, PT_TLS, PT_GNU_STACK] = [1, 2, 7, 0x6474e551];
const ET_DYN = 3;
const MACHINES = { 32: 3, 64: 62 } as const;
const [DT_NEEDED, DT_PLTRELSZ, DT_HASH, DT_STRTAB, DT_SYMTAB, DT_RELA, DT_RELASZ, DT_STRSZ] = [1, 2, 4, 5, 6, 7, 8, 10];
const [DT_INIT, DT_SONAME, DT_RPATH, DT_REL, DT_RELSZ, DT_TEXTREL, DT_JMPREL, DT_INIT_ARRAYSZ] = [12, 14, 15, 17, 18, 22, 23, 27];
const [DT_RUNPATH, DT_FLAGS, DT_RELR, DT_GNU_HASH] = [29, 30, 36, 0x6ffffef5];
const DF_TEXTREL = 4;
/** R_X86_64_IRELATIVE and R_386_IRELATIVE. */
const IRELATIVE = { 32: 42, 64: 37 } as const;
const STB_WEAK = 2;
const [STT_NOTYPE, STT_OBJECT, STT_FUNC, STT_TLS, STT_GNU_IFUNC] = [0, 1, 2, 6, 10];
const INTERESTING: ReadonlySet<number> = new Set([STT_NOTYPE, STT_OBJECT, STT_FUNC, STT_TLS, STT_GNU_IFUNC]);
/** Of the compiler's own start files. */
const OF_COMPILER: ReadonlySet<string> = new Set(
  '_init _fini _edata _end __bss_start __gmon_start__ __cxa_finalize _ITM_registerTMCloneTable _ITM_deregisterTMCloneTable'.split(
    ' ',
  ),
);
/** A number, not a place: the name of a version. */
const SHN_ABS = 0xfff1;

interface Segment {
  type: number;
  flags: number;
  offset: number;
  address: number;
  fileSize: number;
  memorySize: number;
}

/** Reads numbers of one width; throws where there are none. */
class Bytes {
  constructor(
    readonly data: Buffer,
    readonly bits: 32 | 64,
  ) {}

  get word(): number {
    return this.bits / 8;
  }

  part(at: number, length: number, what: string): Buffer {
    if (!Number.isSafeInteger(at) || !Number.isSafeInteger(length) || at < 0 || length < 0 || at + length > this.data.length)
      throw new BadLibrary(`${what} is not within the file`);
    return this.data.subarray(at, at + length);
  }
  u16(at: number, what: string): number {
    return this.part(at, 2, what).readUInt16LE(0);
  }
  u32(at: number, what: string): number {
    return this.part(at, 4, what).readUInt32LE(0);
  }
  /** An address or size. What is beyond all files becomes a number that is, too. */
  address(at: number, what: string): number {
    return this.bits === 32 ? this.u32(at, what) : Number(this.part(at, 8, what).readBigUInt64LE(0));
  }
  text(at: number, end: number, what: string): string {
    if (at >= end) throw new BadLibrary(`${what} is not within the names`);
    const bytes = this.part(at, end - at, what);
    const length = bytes.indexOf(0);
    if (length < 0) throw new BadLibrary(`${what} has no end`);
    return bytes.toString('utf8', 0, length);
  }
}

export function readLibrary(path: string): ElfLibrary {
  const file = openSync(path, 'r');
  let data: Buffer;
  try {
    const status = fstatSync(file);
    if (!status.isFile()) throw new BadLibrary('it is no file');
    if (status.size > MAX_BYTES) throw new BadLibrary('it is larger than a library can be');
    data = Buffer.alloc(status.size);
    data = data.subarray(0, readSync(file, data, 0, data.length, 0));
  } finally {
    closeSync(file);
  }
  return parseLibrary(data);
}

export function parseLibrary(data: Buffer): ElfLibrary {
  if (data.length < 52 || data.readUInt32BE(0) !== 0x7f454c46) throw new BadLibrary('it is no ELF file');
  const kind = data[4];
  if ((kind !== 1 && kind !== 2) || data[5] !== 1) throw new BadLibrary('it is for no x86 processor');
  const bytes = new Bytes(data, kind === 1 ? 32 : 64);
  if (bytes.u16(18, 'the machine') !== MACHINES[bytes.bits]) throw new BadLibrary('it is for no x86 processor');
  if (bytes.u16(16, 'the type') !== ET_DYN) throw new BadLibrary('it is no shared library');
  return new Reader(bytes).read();
}

class Reader {
  readonly #bytes: Bytes;
  readonly #segments: readonly Segment[];
  readonly #dynamic: readonly (readonly [number, number])[];
  readonly #names: { start: number; end: number };

  constructor(bytes: Bytes) {
    this.#bytes = bytes;
    this.#segments = this.#readSegments();
    this.#dynamic = this.#readDynamic();
    const table = this.#value(DT_STRTAB);
    if (table === undefined) throw new BadLibrary('it has no names');
    const start = this.#offset(table, 'the table of names');
    this.#names = { start, end: start + (this.#value(DT_STRSZ) ?? 0) };
    bytes.part(start, this.#names.end - start, 'the table of names');
  }

  read(): ElfLibrary {
    const symbols = this.#symbols();
    const stack = this.#segments.find(({ type }) => type === PT_GNU_STACK);
    const text = (tag: number): string => this.#texts(tag)[0] ?? '';
    return {
      bits: this.#bytes.bits,
      soname: text(DT_SONAME),
      needed: this.#texts(DT_NEEDED),
      runpath: text(DT_RUNPATH) || text(DT_RPATH),
      exported: symbols.exported,
      undefined: symbols.undefined,
      threadLocalBytes: this.#segments.find(({ type }) => type === PT_TLS)?.memorySize ?? 0,
      constructors: this.#constructors(),
      resolvers: symbols.resolvers + this.#resolvers(),
      packedRelocations: this.#value(DT_RELR) !== undefined,
      textRelocations: this.#value(DT_TEXTREL) !== undefined || ((this.#value(DT_FLAGS) ?? 0) & DF_TEXTREL) !== 0,
      executableStack: stack === undefined || (stack.flags & 1) !== 0,
    };
  }

  #readSegments(): Segment[] {
    const bytes = this.#bytes;
    const wide = bytes.bits === 64;
    const table = bytes.address(wide ? 32 : 28, 'the header');
    const size = bytes.u16(wide ? 54 : 42, 'the header');
    const count = bytes.u16(wide ? 56 : 44, 'the header');
    if (size !== (wide ? 56 : 32)) throw new BadLibrary('its program headers have another size than they should');
    bytes.part(table, size * count, 'the table of program headers');
    return Array.from({ length: count }, (_, index) => {
      const at = table + index * size;
      const what = 'a program header';
      const [flags, offset, address, fileSize, memorySize] = wide ? [4, 8, 16, 32, 40] : [24, 4, 8, 16, 20];
      return {
        type: bytes.u32(at, what),
        flags: bytes.u32(at + flags, what),
        offset: bytes.address(at + offset, what),
        address: bytes.address(at + address, what),
        fileSize: bytes.address(at + fileSize, what),
        memorySize: bytes.address(at + memorySize, what),
      };
    });
  }

  #readDynamic(): [number, number][] {
    const bytes = this.#bytes;
    const segment = this.#segments.find(({ type }) => type === PT_DYNAMIC);
    if (segment === undefined) throw new BadLibrary('it has no dynamic section: it is not linked as a shared library');
    bytes.part(segment.offset, segment.fileSize, 'the dynamic section');
    const found: [number, number][] = [];
    for (let at = segment.offset; at + 2 * bytes.word <= segment.offset + segment.fileSize; at += 2 * bytes.word) {
      const tag = bytes.address(at, 'the dynamic section');
      if (tag === 0) break;
      found.push([tag, bytes.address(at + bytes.word, 'the dynamic section')]);
    }
    return found;
  }

  #value(tag: number): number | undefined {
    return this.#dynamic.find(([one]) => one === tag)?.[1];
  }

  #texts(tag: number): string[] {
    const { start, end } = this.#names;
    return this.#dynamic
      .filter(([one]) => one === tag)
      .map(([, value]) => this.#bytes.text(start + value, end, 'a name in the dynamic section'));
  }

  /** Where in the file an address of the loaded library is. */
  #offset(address: number, what: string): number {
    const segment = this.#segments.find(
      ({ type, address: start, fileSize }) => type === PT_LOAD && address >= start && address < start + fileSize,
    );
    if (segment === undefined) throw new BadLibrary(`${what} is in no part of the file that is loaded`);
    return segment.offset + (address - segment.address);
  }

  #symbols(): { exported: string[]; undefined: { name: string; weak: boolean }[]; resolvers: number } {
    const bytes = this.#bytes;
    const exported: string[] = [];
    const missing: { name: string; weak: boolean }[] = [];
    let resolvers = 0;
    const table = this.#value(DT_SYMTAB);
    if (table === undefined) throw new BadLibrary('it has no symbols');
    const start = this.#offset(table, 'the table of symbols');
    const [size, info, section] = bytes.bits === 64 ? [24, 4, 6] : [16, 12, 14];
    const count = this.#symbolCount();
    bytes.part(start, count * size, 'the table of symbols');
    for (let index = 1; index < count; index++) {
      const at = start + index * size;
      const name = bytes.text(this.#names.start + bytes.u32(at, 'a symbol'), this.#names.end, "a symbol's name");
      const kind = bytes.data[at + info] ?? 0;
      if (name === '' || !INTERESTING.has(kind & 0xf) || OF_COMPILER.has(name)) continue;
      const place = bytes.u16(at + section, 'a symbol');
      if (place === SHN_ABS) continue;
      if (place === 0) missing.push({ name, weak: kind >> 4 === STB_WEAK });
      else if (kind >> 4 !== 0) {
        exported.push(name);
        if ((kind & 0xf) === STT_GNU_IFUNC) resolvers++;
      }
    }
    return { exported: exported.sort(), undefined: missing.sort((a, b) => a.name.localeCompare(b.name)), resolvers };
  }

  /** The table of symbols does not say how long it is: the tables by which they are found do. */
  #symbolCount(): number {
    const bytes = this.#bytes;
    const hash = this.#value(DT_HASH);
    const gnuHash = this.#value(DT_GNU_HASH);
    let count = 0;
    if (hash !== undefined) count = bytes.u32(this.#offset(hash, 'the hash table') + 4, 'the hash table');
    else if (gnuHash !== undefined) count = this.#countByGnuHash(this.#offset(gnuHash, 'the hash table'));
    else throw new BadLibrary('it has no hash table, by which its symbols are found');
    if (count > MAX_SYMBOLS) throw new BadLibrary('it claims to have more symbols than a library can have');
    return count;
  }

  #countByGnuHash(at: number): number {
    const bytes = this.#bytes;
    const what = 'the hash table';
    const [buckets, first, bloom] = [bytes.u32(at, what), bytes.u32(at + 4, what), bytes.u32(at + 8, what)];
    const bucketsAt = at + 16 + bloom * bytes.word;
    bytes.part(bucketsAt, buckets * 4, what);
    let last = 0;
    for (let index = 0; index < buckets; index++) last = Math.max(last, bytes.u32(bucketsAt + index * 4, what));
    if (last < first) return first;
    const chains = bucketsAt + buckets * 4;
    while ((bytes.u32(chains + (last - first) * 4, what) & 1) === 0) last++;
    return last + 1;
  }

  #constructors(): number {
    const array = (this.#value(DT_INIT_ARRAYSZ) ?? 0) / this.#bytes.word;
    // The compiler's own: frame_dummy in the array, and an _init that does nothing.
    return Math.max(0, Math.floor(array) - 1) + (this.#value(DT_INIT) !== undefined && array === 0 ? 1 : 0);
  }

  /** Relocations that are made by running a function. */
  #resolvers(): number {
    const bytes = this.#bytes;
    const wide = bytes.bits === 64;
    const entry = wide ? 24 : 8;
    let found = 0;
    for (const [tag, sizeTag] of [wide ? [DT_RELA, DT_RELASZ] : [DT_REL, DT_RELSZ], [DT_JMPREL, DT_PLTRELSZ]] as const) {
      const [table, size] = [this.#value(tag), this.#value(sizeTag)];
      if (table === undefined || size === undefined || size === 0) continue;
      const start = this.#offset(table, 'a table of relocations');
      bytes.part(start, size, 'a table of relocations');
      for (let at = start; at + entry <= start + size; at += entry) {
        const type = wide ? bytes.u32(at + 8, 'a relocation') : bytes.u32(at + 4, 'a relocation') & 0xff;
        if (type === IRELATIVE[bytes.bits]) found++;
      }
    }
    return found;
  }
}
