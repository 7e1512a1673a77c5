/**
 * Rules for the names of sessions and snapshots. Pure. Tests: test/unit/names.test.ts.
 */
import { failure } from '../protocol/errors.js';

/** A session's name is also a folder's, and part of a socket's path: short and plain. */
const sessionPattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,47}$/;

export const isSessionName = (name: string): boolean => sessionPattern.test(name);

export function checkSessionName(name: string): string {
  if (!isSessionName(name)) throw failure('badSessionName', { name });
  return name;
}

/** A name made from a program's path: `/usr/bin/vvp` → `vvp`. */
export function sessionNameFor(program: string): string {
  const base = program
    .slice(program.lastIndexOf('/') + 1)
    .replace(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '')
    .slice(0, 40);
  return base === '' ? 'session' : base;
}

/** `wanted`, or the first of `wanted-2`, `wanted-3`… that is not taken. */
export function freeName(wanted: string, taken: (name: string) => boolean): string {
  if (!taken(wanted)) return wanted;
  for (let count = 2; ; count++) {
    const name = `${wanted}-${count}`;
    if (!taken(name)) return name;
  }
}

/** Names need not be unique; empty means none. Gives the name without blanks around it. */
export function checkSnapshotName(text: string): string {
  const name = text.trim();
  if (Array.from(name).length > 120)
    throw failure('badSnapshotName', { name: `${name.slice(0, 20)}…`, why: 'it is longer than 120 characters' });
  if (/[\p{Cc}\p{Cs}\u2028\u2029]/u.test(name))
    throw failure('badSnapshotName', { name: JSON.stringify(name), why: 'it holds a control character' });
  return name;
}
