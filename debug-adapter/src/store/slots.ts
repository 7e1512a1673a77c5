/**
 * Run slots: places in which a computation can be restarted, each with its folder, paths and environment. Named ones stand in the
 * file slots.json of the store; a folder is a slot by itself. Tests: test/unit/slots.test.ts.
 */
import { existsSync, mkdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import * as z from 'zod';
import { readIfThere } from '../platform/files.js';
import { failure, reason } from '../protocol/errors.js';

export const SLOTS = 'slots.json';

export const Slot = z.object({
  /** Takes what the run writes; relative to the folder that the store is in, as the paths are. Made where it is not there. */
  folder: z.string().min(1).optional(),
  /** Virtual prefix → where it is in this slot. */
  paths: z.record(z.string().startsWith('/'), z.string()).default({}),
  /** Changes of the environment; null removes a variable; PROGRAM:NAME is for one program. */
  env: z.record(z.string(), z.string().nullable()).default({}),
});
export type Slot = z.infer<typeof Slot>;

const Slots = z.record(z.string(), Slot);

function read(store: string): Record<string, Slot> {
  const path = join(store, SLOTS);
  const text = readIfThere(path);
  if (text === undefined) return {};
  try {
    return Slots.parse(JSON.parse(text));
  } catch (cause) {
    const why =
      cause instanceof z.ZodError
        ? cause.issues.map((one) => `"${one.path.join('.')}": ${one.message}`).join('; ')
        : reason(cause);
    throw failure('fileNotReadable', { what: 'list of run slots', path, why }, cause);
  }
}

/** By its name, else by its folder. Its folder and paths are absolute. */
export function findSlot(store: string, text: string, cwd: string): Slot {
  const slots = read(store);
  const named = slots[text];
  const base = resolve(store, '..');
  if (named !== undefined) {
    return {
      ...named,
      ...(named.folder === undefined ? {} : { folder: resolve(base, named.folder) }),
      paths: Object.fromEntries(Object.entries(named.paths).map(([from, to]) => [from, resolve(base, to)])),
    };
  }
  const folder = resolve(cwd, text);
  if (text.includes('/') || existsSync(folder)) return { folder, paths: {}, env: {} };
  const known = Object.keys(slots);
  throw failure('usage', {
    what: `There is no run slot "${text}"${known.length === 0 ? `, and no ${join(store, SLOTS)} that could name one` : `; there are: ${known.join(', ')}`}`,
    remedy: 'Give the name of a slot, or a folder.',
  });
}

/** What a request names a slot by: its name, or an absolute folder. */
export function slotArgument(store: string, text: string, cwd: string): string {
  return Object.hasOwn(read(store), text) ? text : (findSlot(store, text, cwd).folder ?? text);
}

/** The folder of a slot, made where it is not there. */
export function slotFolder(path: string): string {
  try {
    mkdirSync(path, { recursive: true });
    if (statSync(path).isDirectory()) return path;
  } catch (cause) {
    throw failure('folderNotUsable', { path, why: reason(cause) }, cause);
  }
  throw failure('folderNotUsable', { path, why: 'it is no folder' });
}
