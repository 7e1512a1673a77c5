/**
 * The build id of an ELF file: the GNU note, in hexadecimal. Tests: test/unit/preflight.test.ts.
 * Source: System V ABI, chapter 4; LSB, "NT_GNU_BUILD_ID".
 */
import { closeSync, openSync, readSync } from 'node:fs';

const PT_NOTE = 4;
const NT_GNU_BUILD_ID = 3;
const ELF64 = 2;
/** Where the header has the table of segments, their number and size, and a segment its place, length and alignment. */
const places64 = { table: 32, size: 54, count: 56, offset: 8, length: 32, alignment: 48 };
const places32 = { table: 28, size: 42, count: 44, offset: 4, length: 16, alignment: 28 };

function read(file: number, position: number, length: number): Buffer | undefined {
  const bytes = Buffer.alloc(length);
  return readSync(file, bytes, 0, length, position) === length ? bytes : undefined;
}

/** Empty: no ELF file, or none that has one. */
export function buildId(path: string): string {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch {
    return '';
  }
  try {
    const header = read(file, 0, 64);
    // Little-endian.
    if (header === undefined || header.readUInt32BE(0) !== 0x7f454c46 || header[5] !== 1) return '';
    const at = header[4] === ELF64 ? places64 : places32;
    const word = (bytes: Buffer, place: number): number =>
      header[4] === ELF64 ? Number(bytes.readBigUInt64LE(place)) : bytes.readUInt32LE(place);
    const count = header.readUInt16LE(at.count);
    const size = header.readUInt16LE(at.size);
    const table = read(file, word(header, at.table), count * size);
    for (let index = 0; table !== undefined && index < count; index++) {
      const entry = table.subarray(index * size, (index + 1) * size);
      if (entry.readUInt32LE(0) !== PT_NOTE) continue;
      const length = word(entry, at.length);
      const notes = length < 1 << 16 ? read(file, word(entry, at.offset), length) : undefined;
      const found = notes && idInNotes(notes, word(entry, at.alignment));
      if (found) return found;
    }
    return '';
  } catch {
    return '';
  } finally {
    closeSync(file);
  }
}

function idInNotes(notes: Buffer, alignment: number): string | undefined {
  const align = alignment === 8 ? 8 : 4;
  const up = (value: number): number => Math.ceil(value / align) * align;
  for (let at = 0; at + 12 <= notes.length; ) {
    const nameSize = notes.readUInt32LE(at);
    const size = notes.readUInt32LE(at + 4);
    const content = at + up(12 + nameSize);
    if (notes.readUInt32LE(at + 8) === NT_GNU_BUILD_ID && notes.toString('latin1', at + 12, at + 15) === 'GNU') {
      return notes.toString('hex', content, content + size);
    }
    at = content + up(size);
  }
  return undefined;
}
