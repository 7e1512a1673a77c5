/**
 * A restart by somebody else, where every old id is taken: with tools/taken.c, as another user in a process namespace of its own whose
 * processes with the ids of the computation are others. It needs root; where that is not to be had it is said what is missing.
 */
import { chmodSync, chownSync, existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Program } from '../support/program.js';
import type { Scratch, StartOptions } from '../support/scratch.js';
import { cairnCommand } from '../support/tree.js';
import { tool } from './tools.js';

/** Nobody's: no process and no file of the system is theirs. */
const OTHER = { uid: 65_534, gid: 65_534 };

/** Undefined: it can be. */
export function whyNoOtherUser(): string | undefined {
  if (process.getuid?.() !== 0) return 'only root can restart as another user';
  for (let folder = dirname(cairnCommand); folder !== '/'; folder = dirname(folder)) {
    if ((statSync(folder).mode & 0o5) !== 0o5) return `other users may not enter ${folder}`;
  }
  return undefined;
}

function giveAway(path: string): void {
  const status = lstatSync(path);
  if (status.isSymbolicLink()) return;
  chownSync(path, OTHER.uid, OTHER.gid);
  if (status.isDirectory()) for (const name of readdirSync(path)) giveAway(join(path, name));
}

function showToAll(folder: string): void {
  chmodSync(folder, 0o755);
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) showToAll(join(folder, entry.name));
    else chmodSync(join(folder, entry.name), 0o644);
  }
}

/** Real ids of processes, groups, sessions and threads at the time of the snapshot. */
function idsOf(snapshot: string): string[] {
  const tables = JSON.parse(readFileSync(join(snapshot, 'tables.json'), 'utf8')) as Record<string, { real: string }[]>;
  const rows = [...(tables['pid'] ?? []), ...(tables['thread'] ?? [])];
  return [...new Set(rows.map(({ real }) => real).filter((real) => Number(real) > 1))];
}

export const otherRuntime = (scratch: Scratch): string => join(scratch.folder, 'o', 'r');

/** The environment in which the other user's own `cairn` works. */
function environmentOf(scratch: Scratch): Record<string, string> {
  const home = join(scratch.folder, 'o');
  const [runtime, store] = [otherRuntime(scratch), join(home, 's')];
  if (!existsSync(home)) {
    for (const folder of [home, runtime, store]) mkdirSync(folder, { mode: 0o700 });
    giveAway(home);
  }
  return { HOME: home, CAIRN_RUNTIME_DIR: runtime, CAIRN_STORE: store };
}

/** `working`: the computation's folder, which becomes theirs: what it makes there it may make. */
export async function restartAsOther(
  scratch: Scratch,
  snapshot: string,
  session: string,
  working: string,
  options: StartOptions,
): Promise<Program> {
  const folder = join(scratch.store, 'snapshots', snapshot);
  const program = await tool('taken');
  showToAll(folder);
  giveAway(working);
  const command = [
    program,
    String(OTHER.uid),
    String(OTHER.gid),
    idsOf(folder).join(),
    cairnCommand,
    'restart',
    folder,
    '--session',
    session,
  ];
  return scratch.start(command, { ...options, env: environmentOf(scratch) });
}
