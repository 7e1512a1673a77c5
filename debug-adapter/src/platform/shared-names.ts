/**
 * A look into the names that the agents of one host share: the file that they map (native-agent/src/events/names.cc). Only ever read.
 * Tests: test/probes/plugins.test.ts, test/probes/processes (orphans).
 */
import { readFileSync } from 'node:fs';

/** As in names.cc: state, space, key, value. */
const ENTRY_BYTES = 24;
const LIVE = 2;
/** CAIRN_NAMES_CALL in native-agent/include/cairn/plugin.h. */
const NAMES_CALL = 12;

/** CAIRN_NAMES_OWN, likewise. */
const NAMES_OWN = 13;

/** The names of a space; none: there is no such file any more. */
function* namesIn(file: string, space: number): Generator<{ key: bigint; value: bigint }> {
  let table: Buffer;
  try {
    table = readFileSync(file);
  } catch {
    return;
  }
  for (let at = 0; at + ENTRY_BYTES <= table.length; at += ENTRY_BYTES) {
    if (table.readUInt32LE(at) !== LIVE || table.readUInt32LE(at + 4) !== space) continue;
    yield { key: table.readBigInt64LE(at + 8), value: table.readBigInt64LE(at + 16) };
  }
}

/** The value of a name; undefined: nobody has set it. */
export function readName(file: string, space: number, key: number): bigint | undefined {
  for (const name of namesIn(file, space)) if (name.key === BigInt(key)) return name.value;
  return undefined;
}

/** Real ids of the processes that agents have made for themselves, as they have noted them. */
export const ownProcessesIn = (file: string): Set<number> => new Set([...namesIn(file, NAMES_OWN)].map(({ key }) => Number(key)));

/** Which callback of a plugin from outside runs in a process, as its agent has noted it; 0n: none. */
export function callbackIn(file: string, virtualPid: number): bigint {
  return BigInt.asUintN(64, readName(file, NAMES_CALL, virtualPid) ?? 0n);
}
