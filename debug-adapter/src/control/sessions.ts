/**
 * Finding sessions, connecting to them, and starting coordinators: a new one for a new session, or one in place of a
 * coordinator that died while its computation lives.
 * Tests: test/protocol/takeover.test.ts.
 */
import { join } from 'node:path';
import { computationLives, readRecord, type SessionRecord } from '../coordinator/record.js';
import { checkSessionName, freeName } from '../model/names.js';
import { sleep } from '../platform/clock.js';
import { startDaemon, TAKEN } from '../platform/daemon.js';
import { errorCode } from '../platform/files.js';
import { distFolder, environmentOutside } from '../platform/installation.js';
import { checkSocketPaths, ensureRuntime, type RuntimePaths, runtimePaths, sessionNames } from '../platform/runtime.js';
import { CONTROL_PROTOCOL, type SessionStatus } from '../protocol/control.js';
import { CairnError, failure } from '../protocol/errors.js';
import { ControlClient } from './client.js';

/** One that has ended is seen at once; one on a machine that is busy needs its time. */
const START_MS = 60_000;

/** A client of the coordinator that listens there, or undefined; one that is just leaving resets the connection. */
async function reach(name: string, paths: RuntimePaths): Promise<ControlClient | undefined> {
  checkSocketPaths(paths);
  try {
    return await ControlClient.open(name, paths.controlSocket, paths.log);
  } catch (error) {
    if (['ENOENT', 'ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ENOTDIR', 'EACCES'].includes(errorCode(error))) return undefined;
    throw error;
  }
}

interface StartOptions {
  store: string;
  compress?: boolean;
  takeOver?: boolean;
}

async function startCoordinator(name: string, paths: RuntimePaths, options: StartOptions): Promise<void> {
  const args = ['--session', name, '--store', options.store];
  if (options.takeOver) args.push('--take-over');
  if (options.compress) args.push('--compress');
  // A coordinator is no part of a computation, even when it is started from within one.
  const said = await startDaemon({
    script: join(distFolder(), 'coordinator.js'),
    args,
    log: paths.log,
    deadlineMs: START_MS,
    env: environmentOutside(),
  });
  if (said === TAKEN) throw failure('sessionExists', { name });
  if (said !== 'ready')
    throw failure('coordinatorStart', { name, why: said || 'it ended, or said nothing in time', log: paths.log });
}

/** Whether a session of that name lives: has a coordinator with a computation, or a computation that lost its coordinator. */
async function isLive(name: string): Promise<boolean> {
  const paths = runtimePaths(name);
  const client = await reach(name, paths);
  if (client === undefined) {
    const record = readRecord(paths.record);
    return record !== undefined && record.state !== 'exited' && computationLives(record);
  }
  try {
    return (await client.request('session/status', {})).state !== 'exited';
  } catch {
    return true;
  } finally {
    client.close();
  }
}

/** A new session, with a coordinator that waits for what to launch or restart. Throws `sessionExists`. */
export async function createSession(name: string, options: { store: string; compress?: boolean }): Promise<ControlClient> {
  checkSessionName(name);
  const paths = runtimePaths(name);
  ensureRuntime(paths);
  const there = await reach(name, paths);
  if (there !== undefined) {
    await leaveIfEnded(there, name);
  } else if (await isLive(name)) throw failure('sessionExists', { name });
  await startCoordinator(name, paths, options);
  const client = await reach(name, paths);
  if (client === undefined) throw failure('coordinatorStart', { name, why: 'it does not answer', log: paths.log });
  return client;
}

/** A new session named `wanted`, or `wanted-2`… where that is taken, in `used` or by somebody who was faster. */
export async function createSessionNamedAfter(
  wanted: string,
  options: { store: string; compress?: boolean },
  used: readonly string[] = [],
): Promise<ControlClient> {
  const taken = new Set(used);
  for (;;) {
    const name = freeName(wanted, (candidate) => taken.has(candidate));
    try {
      return await createSession(name, options);
    } catch (error) {
      if (!(error instanceof CairnError && error.code === 'sessionExists')) throw error;
    }
    taken.add(name);
  }
}

/** A coordinator whose computation has ended stays a moment for its clients; a new session may have its name when it has gone. */
async function leaveIfEnded(client: ControlClient, name: string): Promise<void> {
  // Undefined: it is leaving just now.
  const found = await client.request('session/status', {}).catch(() => undefined);
  client.close();
  if (found !== undefined && found.state !== 'exited') throw failure('sessionExists', { name });
  try {
    if (found !== undefined) process.kill(found.coordinator, 'SIGTERM');
  } catch {
    return;
  }
  const paths = runtimePaths(name);
  for (let waited = 0; waited < 5000; waited += 20) {
    const again = await reach(name, paths);
    if (again === undefined) return;
    const now = await again.request('session/status', {}).catch(() => undefined);
    again.close();
    // Another one has taken its place.
    if (now !== undefined && now.coordinator !== found?.coordinator) break;
    await sleep(20);
  }
  throw failure('sessionExists', { name });
}

/** Connects to a live session; gives it a coordinator again where its own died. Throws `sessionNotFound`, `sessionEnded`. */
export async function openSession(name: string): Promise<ControlClient> {
  checkSessionName(name);
  const paths = runtimePaths(name);
  const client = await reach(name, paths);
  if (client !== undefined) {
    try {
      return await checkVersion(client);
    } catch (error) {
      // One that is dying closes its clients' connections before it stops to take new ones.
      if (!(error instanceof CairnError && error.code === 'coordinatorLost')) throw error;
    }
  }
  const record = readRecord(paths.record);
  if (record === undefined) {
    throw failure('sessionNotFound', { name, sessions: (await liveSessions()).map((one) => one.session).join(', ') || 'none' });
  }
  if (record.state === 'exited' || !computationLives(record)) {
    throw failure('sessionEnded', { name, status: record.exitStatus === null ? '' : ` (status ${record.exitStatus})` });
  }
  ensureRuntime(paths);
  // Two may find this at once: one coordinator gets the lock, the other start fails, and both connect to the first.
  await startCoordinator(name, paths, { store: record.store, takeOver: true }).catch(async (error: unknown) => {
    const other = await reach(name, paths);
    if (other === undefined) throw error;
    other.close();
  });
  const again = await reach(name, paths);
  if (again === undefined) throw failure('coordinatorStart', { name, why: 'it does not answer', log: paths.log });
  await waitForAgents(again, record);
  return again;
}

/** Agents that lost their coordinator try again within a second or so; nothing can be asked of them before. */
async function waitForAgents(client: ControlClient, record: SessionRecord): Promise<void> {
  const there = (status: SessionStatus): boolean => status.state !== 'starting' || status.processes.length >= record.live.length;
  const all = new Promise<void>((resolve) => client.on('session/changed', (status) => there(status) && resolve()));
  if (there(await client.request('session/status', {}))) return;
  await Promise.race([all, sleep(10_000, true), client.closed]);
}

async function checkVersion(client: ControlClient): Promise<ControlClient> {
  const { protocol } = await client.request('session/status', {});
  if (protocol === CONTROL_PROTOCOL) return client;
  client.close();
  throw failure('coordinatorVersion', { name: client.session, theirs: protocol, ours: CONTROL_PROTOCOL });
}

/** Status of a session as it is known without starting anything. */
async function look(name: string): Promise<{ status: SessionStatus; live: boolean } | undefined> {
  const paths = runtimePaths(name);
  const client = await reach(name, paths);
  if (client === undefined) {
    const record = readRecord(paths.record);
    if (record === undefined) return undefined;
    const { live: _, ...status } = record;
    const live = record.state !== 'exited' && computationLives(record);
    return { status: live ? status : { ...status, state: 'exited', processes: [] }, live };
  }
  try {
    const status = await client.request('session/status', {});
    return { status, live: status.state !== 'exited' };
  } catch {
    return undefined;
  } finally {
    client.close();
  }
}

/** All sessions that have a record; those that have ended too, until their name is used again. */
export async function allSessions(): Promise<SessionStatus[]> {
  const found = await Promise.all(sessionNames().map(look));
  return found.filter((one) => one !== undefined).map((one) => one.status);
}

export async function liveSessions(): Promise<SessionStatus[]> {
  const found = await Promise.all(sessionNames().map(look));
  return found.flatMap((one) => (one?.live ? [one.status] : []));
}
