/**
 * Runtime folders: one a session, for its sockets, its record and its logs. Only its user may look into it (0700, checked:
 * /tmp is shared), because whoever reaches control.sock commands the session.
 */
import {
  closeSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import type { NetworkAddress } from '../protocol/control.js';
import { failure, reason } from '../protocol/errors.js';
import { CONTROL_SOCKET, runtimeRoot, SESSION_FILE } from '../protocol/runtime.js';
import { ensurePrivateFolder, readIfThere } from './files.js';
import { isSecret } from './proof.js';

/** sockaddr_un.sun_path holds 108 bytes, the last one NUL. */
const MAX_SOCKET_PATH = 107;
/** As native-agent/src/events/names.cc has it; in its last bytes which host it is of. */
const NAMES_BYTES = 1 << 20;
const HOST_NOTE_BYTES = 8;

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
  /** The session's secret, for connections over a network; see proof.ts. */
  secret: string;
}

/** A host of a computation, as its processes know it. */
export interface HostNote {
  /** In the computation; 0: its first. */
  number: number;
  /** Equal for hosts that are on one machine now. */
  machine: number;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Of whoever runs this. */
export function userId(): number {
  return process.getuid?.() ?? userInfo().uid;
}

/** XDG_RUNTIME_DIR of another user, as su and runuser leave it behind, is not one. */
function usable(folder: string): boolean {
  try {
    const found = statSync(folder);
    return found.isDirectory() && found.uid === userId();
  } catch {
    return false;
  }
}

/** The folder that holds one folder a session. */
export function sessionsFolder(env: Environment = process.env): string {
  const xdg = env['XDG_RUNTIME_DIR'];
  return runtimeRoot(xdg && !usable(xdg) ? { ...env, XDG_RUNTIME_DIR: undefined } : env, userId());
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
    secret: join(folder, 'secret'),
  };
}

/** The runtime folder of another host of the session: names, and where the agents there find the coordinator. */
export function hostFolder(sessions: string, session: string, host: string): string {
  return join(sessions, `${session}${HOST_MARK}${host}`);
}

/** No session's name holds it. */
const HOST_MARK = '@';

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
  if (base === `/tmp/cairn-${userId()}`) ensurePrivate(base);
  ensurePrivate(sessions);
}

/** Throws `socketPathTooLong`. */
export function checkSocketPaths(paths: RuntimePaths): void {
  for (const path of [paths.controlSocket, paths.agentSocket]) {
    const length = Buffer.byteLength(path);
    if (length > MAX_SOCKET_PATH) throw failure('socketPathTooLong', { path, length });
  }
}

/** Makes the folder of a host of a session; throws where it is not safe, or its socket's path too long. */
export function ensureHostFolder(folder: string): void {
  const path = join(folder, 'agent.sock');
  if (Buffer.byteLength(path) > MAX_SOCKET_PATH) throw failure('socketPathTooLong', { path, length: Buffer.byteLength(path) });
  ensureSessionsFolder(dirname(folder));
  ensurePrivate(folder);
}

/** Makes the folders of a session; throws where they are not safe, or the sockets' paths too long. */
export function ensureRuntime(paths: RuntimePaths): void {
  checkSocketPaths(paths);
  ensureSessionsFolder(dirname(paths.folder));
  ensurePrivate(paths.folder);
}

/** The file of shared names, empty: a new one, for those of an earlier computation may still be mapped. */
export function makeNames(path: string, host: HostNote = { number: 0, machine: 0 }): void {
  rmSync(path, { force: true });
  // What the agents of an earlier session wrote for programs to come.
  rmSync(join(dirname(path), 'paths'), { force: true });
  writeFileSync(path, '', { mode: 0o600, flag: 'wx' });
  truncateSync(path, NAMES_BYTES);
  if (host.number === 0 && host.machine === 0) return;
  const note = Buffer.alloc(HOST_NOTE_BYTES);
  note.writeUInt32LE(host.number, 0);
  note.writeUInt32LE(host.machine, 4);
  const fd = openSync(path, 'r+');
  try {
    writeSync(fd, note, 0, note.length, NAMES_BYTES - HOST_NOTE_BYTES);
  } finally {
    closeSync(fd);
  }
}

/** Where agents of a host look for their socket: another file says where on a network the coordinator is; native-agent/src/wire/remote.h. */
export function writeCoordinatorFile(path: string, { address, port }: NetworkAddress, secret: string): void {
  writeWhole(path, `cairn-coordinator 1\n${address} ${port}\n${secret}\n`);
}

export function readCoordinatorFile(path: string): (NetworkAddress & { secret: string }) | undefined {
  const [head, where = '', secret = ''] = (readIfThere(path) ?? '').split('\n');
  const [address = '', port = ''] = where.split(' ');
  return head === 'cairn-coordinator 1' && isSecret(secret) ? { address, port: Number(port), secret } : undefined;
}

/** At once for every reader. */
function writeWhole(path: string, text: string): void {
  const beside = `${path}.new`;
  rmSync(beside, { force: true });
  writeFileSync(beside, text, { mode: 0o600, flag: 'wx' });
  renameSync(beside, path);
}

/** Names of all sessions that have a folder, live or not. */
export function sessionNames(env: Environment = process.env): string[] {
  try {
    return readdirSync(sessionsFolder(env), { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && !entry.name.includes(HOST_MARK))
      .map((entry) => entry.name)
      .sort();
  } catch {
    return [];
  }
}

/** Of which host a file of shared names is. */
export function readHostNote(path: string): HostNote {
  const note = readFileSync(path).subarray(NAMES_BYTES - HOST_NOTE_BYTES);
  return { number: note.readUInt32LE(0), machine: note.readUInt32LE(4) };
}

/** Real pids of the processes that have a name there; some may have ended. As native-agent/src/events/names.cc lays it out. */
export function namedProcesses(path: string): number[] {
  const entryBytes = 24;
  const places = 4096;
  const live = 2;
  const processes = 1;
  const table = readFileSync(path).subarray(0, places * entryBytes);
  const found: number[] = [];
  for (let at = 0; at + entryBytes <= table.length; at += entryBytes) {
    if (table.readUInt32LE(at) === live && table.readUInt32LE(at + 4) === processes)
      found.push(Number(table.readBigInt64LE(at + 16)));
  }
  return found;
}

/** Which process answers for the host that the folder is of. */
export function markService(folder: string): void {
  writeWhole(join(folder, 'service'), String(process.pid));
}
