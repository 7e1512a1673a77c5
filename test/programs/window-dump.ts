/** Pictures of a screen as xwd writes them. */

/**
 * The pixels, here of 4 bytes each, row by row: what follows the header and a table of colours, of which each entry has a byte that xwd does
 * not set.
 */
export function pixelsOf(dump: Buffer): Buffer {
  const [headerSize, colours] = [dump.readUInt32BE(0), dump.readUInt32BE(19 * 4)];
  return dump.subarray(headerSize + 12 * colours);
}
