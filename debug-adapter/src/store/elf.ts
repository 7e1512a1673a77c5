/**
 * The build id of an ELF file: the GNU note, in hexadecimal. Tests: test/unit/preflight.test.ts.
 * Source: System V ABI, chapter 4; LSB, "NT_GNU_BUILD_ID".
 */
import { closeSync, openSync, readSync } from 'node:fs';

const PT_NOTE = 4;
const NT_GNU_BUILD_ID = 3;

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
    // 64 bits, little-endian.
    if (header === undefined || header.readUInt32BE(0) !== 0x7f454c46 || header[4] !== 2 || header[5] !== 1) return '';
    const count = header.readUInt16LE(56);
    const size = header.readUInt16LE(54);
    const table = read(file, Number(header.readBigUInt64LE(32)), count * size);
    for (let index = 0; table !== undefined && index < count; index++) {
      const entry = table.subarray(index * size, (index + 1) * size);
      if (entry.readUInt32LE(0) !== PT_NOTE) continue;
      const length = Number(entry.readBigUInt64LE(32));
      const notes = length < 1 << 16 ? read(file, Number(entry.readBigUInt64LE(8)), length) : undefined;
      const found = notes && idInNotes(notes, Number(entry.readBigUInt64LE(48)));
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
