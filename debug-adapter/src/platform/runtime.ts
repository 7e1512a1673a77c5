/**
 * Runtime folders: one a session, for its sockets, its record and its logs. Only its user may look into it (0700, checked:
 * /tmp is shared), because whoever reaches control.sock commands the session.
 */
import { readdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { failure, reason } from '../protocol/errors.js';
import { CONTROL_SOCKET, runtimeRoot, SESSION_FILE } from '../protocol/runtime.js';
import { ensurePrivateFolder } from './files.js';

/** sockaddr_un.sun_path holds 108 bytes, the last one NUL. */
const MAX_SOCKET_PATH = 107;
/** As native-agent/src/events/names.cc has it. */
const NAMES_BYTES = 1 << 20;

export interface RuntimePaths {
  folder: string;
  controlSocket: string;
  agentSocket: string;
  /** Names that the agents share; see native-agent/src/events/names.h. */
  names: string;
  /** Session record: what a client needs to find the session, and a new coordinator to take it over. */
  record: string;
  log: string;
  terminalLog: string;
  /** Written by cairn-restore when it fails. */
  restoreError: string;
  lock: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

function uid(): number {
  return process.getuid?.() ?? userInfo().uid;
}

/** XDG_RUNTIME_DIR of another user, as su and runuser leave it behind, is not one. */
function usable(folder: string): boolean {
  try {
    const found = statSync(folder);
    return found.isDirectory() && found.uid === uid();
  } catch {
    return false;
  }
}

/** The folder that holds one folder a session. */
export function sessionsFolder(env: Environment = process.env): string {
  const xdg = env['XDG_RUNTIME_DIR'];
  return runtimeRoot(xdg && !usable(xdg) ? { ...env, XDG_RUNTIME_DIR: undefined } : env, uid());
}

export function runtimePaths(session: string, env: Environment = process.env): RuntimePaths {
  const folder = join(sessionsFolder(env), session);
  return {
    folder,
    controlSocket: join(folder, CONTROL_SOCKET),
    agentSocket: join(folder, 'agent.sock'),
    names: join(folder, 'names'),
    record: join(folder, SESSION_FILE),
    log: join(folder, 'coordinator.log'),
    terminalLog: join(folder, 'terminal.log'),
    restoreError: join(folder, 'restore-error'),
    lock: join(folder, 'lock.db'),
  };
}

/** Makes a folder that only its user may enter, or throws where there is another kind of thing. */
function ensurePrivate(path: string): void {
  let why: string | undefined;
  try {
    why = ensurePrivateFolder(path);
  } catch (cause) {
    why = reason(cause);
  }
  if (why !== undefined) throw failure('runtimeUnsafe', { path, why });
}

/** The folder of all sessions. A base of our own making in /tmp is checked too; another one is the user's or the system's. */
export function ensureSessionsFolder(sessions = sessionsFolder()): void {
  const base = dirname(sessions);
  if (base === `/tmp/cairn-${uid()}`) ensurePrivate(base);
  ensurePrivate(sessions);
}

/** Throws `socketPathTooLong`. */
export function checkSocketPaths(paths: RuntimePaths): void {
  for (const path of [paths.controlSocket, paths.agentSocket]) {
    const length = Buffer.byteLength(path);
    if (length > MAX_SOCKET_PATH) throw failure('socketPathTooLong', { path, length });
  }
}

/** Makes the folders of a session; throws where they are not safe, or the sockets' paths too long. */
export function ensureRuntime(paths: RuntimePaths): void {
  checkSocketPaths(paths);
  ensureSessionsFolder(dirname(paths.folder));
  ensurePrivate(paths.folder);
}

/** The file of shared names, empty: a new one, for those of an earlier computation may still be mapped. */
export function makeNames(path: string): void {
  rmSync(path, { force: true });
  // What the agents of an earlier session wrote for programs to come.
  rmSync(join(dirname(path), 'paths'), { force: true });
  writeFileSync(path, '', { mode: 0o600, flag: 'wx' });
  truncateSync(path, NAMES_BYTES);
}

/** Names of all sessions that have a folder, live or not. */
export function sessionNames(env: Environment = process.env): string[] {
  try {
    return readdirSync(sessionsFolder(env), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name)
      .sort();
  } catch {
    return [];
  }
}
