/**
 * A look into the names that the agents of one host share: the file that they map (native-agent/src/events/names.cc). Only ever read.
 * Test: test/probes/plugins.test.ts.
 */
import { readFileSync } from 'node:fs';

/** As in names.cc: state, space, key, value. */
const ENTRY_BYTES = 24;
const LIVE = 2;
/** CAIRN_NAMES_CALL in native-agent/include/cairn/plugin.h. */
const NAMES_CALL = 12;

/** The value of a name; undefined: nobody has set it, or there is no such file any more. */
export function readName(file: string, space: number, key: number): bigint | undefined {
  let table: Buffer;
  try {
    table = readFileSync(file);
  } catch {
    return undefined;
  }
  for (let at = 0; at + ENTRY_BYTES <= table.length; at += ENTRY_BYTES) {
    if (table.readUInt32LE(at) !== LIVE || table.readUInt32LE(at + 4) !== space) continue;
    if (table.readBigInt64LE(at + 8) === BigInt(key)) return table.readBigInt64LE(at + 16);
  }
  return undefined;
}

/** Which callback of a plugin from outside runs in a process, as its agent has noted it; 0n: none. */
export function callbackIn(file: string, virtualPid: number): bigint {
  return BigInt.asUintN(64, readName(file, NAMES_CALL, virtualPid) ?? 0n);
}
