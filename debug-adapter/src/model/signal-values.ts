/**
 * Values of design signals: Verilog's notation for people, and the digits that the plugin `hdl` takes and gives: bits from the most
 * significant one, 0, 1, x and z, behind the one that fills what is missing in front; of a real "r" and a number
 * (native-agent/plugins/hdl/request.h). Pure. Tests: test/unit/signal-values.test.ts.
 */
import { failure } from '../protocol/errors.js';

const BASES: Record<string, number> = { b: 1, o: 3, h: 4 };
const BITS_OF_HEX_DIGIT = 4;

/** "8'hff", "'b10xz", "-3", "1.5" → what the plugin takes. */
export function parseSignalValue(text: string): string {
  const value = text.trim().toLowerCase().replaceAll('_', '');
  if (/^[+-]?\d+(\.\d+(e[+-]?\d+)?|e[+-]?\d+)$/.test(value)) return `r${Number(value)}`;
  if (/^[+-]?\d+$/.test(value)) return ofNumber(BigInt(value.replace('+', '')));
  const hex = /^0x([\da-f]+)$/.exec(value)?.[1];
  const [, size, base, digits] = hex !== undefined ? ['', '', 'h', hex] : (/^(\d*)'s?([bohd])([\da-fxz?]+)$/.exec(value) ?? []);
  const bits = base === undefined || digits === undefined ? undefined : bitsOf(base, digits.replaceAll('?', 'z'));
  if (bits === undefined)
    throw failure('usage', {
      what: `"${text}" is no value`,
      remedy: `Write it as Verilog does: 42, 8'hff, 'b10xz, 'o17, or of a real 1.5`,
    });
  // Zeros in front say nothing, and of several x or z one.
  const said = bits.replace(/^0+/, '').replace(/^([xz])\1+/, '$1');
  if (size && said.length > Number(size))
    throw failure('usage', { what: `"${text}" has more than ${size} bits`, remedy: 'Give the size that it has, or none.' });
  const first = bits.at(0);
  return `${first === 'x' || first === 'z' ? first : '0'}${bits}`;
}

function ofNumber(value: bigint): string {
  if (value >= 0n) return `0${value.toString(2)}`;
  // Two's complement: as many digits as it needs, and ones in front.
  const width = (-value).toString(2).length + 1;
  return `1${BigInt.asUintN(width, value).toString(2).padStart(width, '1')}`;
}

function bitsOf(base: string, digits: string): string | undefined {
  if (base === 'd') {
    if (digits === 'x' || digits === 'z') return digits;
    return /^\d+$/.test(digits) ? BigInt(digits).toString(2) : undefined;
  }
  const width = BASES[base] ?? 0;
  const parts = Array.from(digits, (digit) => {
    if (digit === 'x' || digit === 'z') return digit.repeat(width);
    const number = Number.parseInt(digit, 16);
    return number < 2 ** width ? number.toString(2).padStart(width, '0') : undefined;
  });
  return parts.includes(undefined) ? undefined : parts.join('');
}

/** What the plugin gives → "8'h2a"; null: there is no value. */
export function formatSignalValue(given: string): string | null {
  if (given === '') return null;
  if (given.startsWith('r')) return formatReal(given.slice(1));
  const width = given.length;
  if (width === 1) return `1'b${given}`;
  const padded = given.padStart(
    Math.ceil(width / BITS_OF_HEX_DIGIT) * BITS_OF_HEX_DIGIT,
    given[0] === 'x' || given[0] === 'z' ? given[0] : '0',
  );
  let digits = '';
  for (let at = 0; at < padded.length; at += BITS_OF_HEX_DIGIT) {
    const part = padded.slice(at, at + BITS_OF_HEX_DIGIT);
    if (/^[01]+$/.test(part)) digits += Number.parseInt(part, 2).toString(16);
    else if (/^(x+|z+)$/.test(part)) digits += part[0];
    else return `${width}'b${given}`;
  }
  return `${width}'h${digits}`;
}

/** So that it is seen to be a real, and is read as one. */
function formatReal(text: string): string {
  const value = Number(text);
  return Number.isInteger(value) && Math.abs(value) < 1e15 ? value.toFixed(1) : String(value);
}
