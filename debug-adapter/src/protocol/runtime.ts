/**
 * Where a live session is found: the names in its runtime folder. Part of the control protocol, because a client that
 * follows sessions (the extension) has to look there without asking anybody. Pure; the caller gives environment and uid.
 */

/** Socket of the control protocol; whoever connects here speaks to the session's coordinator. */
export const CONTROL_SOCKET = 'control.sock';
/** SessionStatus as it was when the session began. */
export const SESSION_FILE = 'session.json';

/** Folder that holds one folder a session, named like the session. */
export function runtimeRoot(env: Readonly<Record<string, string | undefined>>, uid: number): string {
  const base = env['CAIRN_RUNTIME_DIR'] || env['XDG_RUNTIME_DIR'] || `/tmp/cairn-${uid}`;
  return `${base.replace(/\/+$/, '')}/cairn`;
}
