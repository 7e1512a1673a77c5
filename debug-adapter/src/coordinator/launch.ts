/**
 * The command that starts a program, or brings a snapshot back, under this coordinator; and its environment.
 * Tests: test/protocol/restart.test.ts.
 */

import { dirname } from 'node:path';
import { nativeFile, othersPreloaded, preloadPath } from '../platform/installation.js';
import { OUTSIDE } from '../platform/processes.js';
import type { RuntimePaths } from '../platform/runtime.js';
import type { RestartParams } from '../protocol/control.js';
import { PROCESSES } from '../store/snapshot-folder.js';
import type { Session } from './session.js';

export interface Identity {
  session: string;
  computation: string;
  store: string;
  paths: RuntimePaths;
  /** Commands that start programs on other hosts; see native-agent/src/remote/patterns.h. Empty: none can join. */
  launchers: readonly string[];
}

function launcher({ paths, session }: Identity): string[] {
  return [nativeFile('cairn-launch'), '--socket', paths.agentSocket, '--session', session];
}

export function launchCommand(identity: Identity, argv: readonly string[], strict = false): string[] {
  return [...launcher(identity), ...(strict ? ['--strict'] : []), '--', ...argv];
}

/** Which processes of a snapshot are restarted together, and by whom they are known. */
export interface Place {
  host: number;
  socket: string;
  restoreError: string;
  /** The file of the snapshot that lists them. */
  list: string;
}

/** Arguments of cairn-restore, besides those that only the machine knows where it runs. */
export function restoreArguments(folder: string, list: string, paths: RestartParams['paths']): string[] {
  const chosen = list === PROCESSES ? [] : ['--list', list];
  // Mapped files have to be found before there is an agent that knows of paths.
  return ['--folder', folder, ...chosen, ...paths.flatMap(({ from, to }) => ['--path', `${from}=${to}`])];
}

export function restoreCommand(session: string, place: Omit<Place, 'list'>, given: readonly string[]): string[] {
  const { socket, host, restoreError } = place;
  return [
    nativeFile('cairn-launch'),
    '--socket',
    socket,
    '--session',
    session,
    ...(host === 0 ? [] : ['--host', String(host)]),
    // The image says what else is open.
    '--standard-only',
    '--',
    nativeFile('cairn-restore'),
    ...given,
    '--socket',
    socket,
    '--error-file',
    restoreError,
  ];
}

/** What a program of the computation is told wherever it runs. */
export function sharedVariables({ session, store }: { session: Session; store: { path: string } }): Record<string, string> {
  return {
    CAIRN_COMPUTATION: session.computation,
    CAIRN_SESSION: session.name,
    CAIRN_STORE: store.path,
    ...launcherVariables(session),
  };
}

/** Commands that start programs on other hosts into the computation; none where nobody can join. */
export function activeLaunchers({ listen, launchers }: Session): string[] {
  return listen === null ? [] : [...launchers, ...usualLaunchers];
}

function launcherVariables(session: Session): Record<string, string> {
  const active = activeLaunchers(session);
  return active.length === 0 ? {} : { CAIRN_LAUNCHERS: active.join('\n') };
}

/** As native-agent/src/remote/patterns.h reads them. */
export const usualLaunchers: readonly string[] = [
  'ssh {options:BbcDEeFIiJLlmOoPpQRSWw} {host} {shell}',
  'rsh {options:l} {host} {shell}',
];

/** Names that say to a program, and to what it starts, where it belongs. */
export function identityVariables({ session, computation, store, paths, launchers }: Identity): Record<string, string> {
  return {
    CAIRN_AGENT_SOCKET: paths.agentSocket,
    CAIRN_COMPUTATION: computation,
    CAIRN_SESSION: session,
    CAIRN_STORE: store,
    ...(launchers.length > 0 && { CAIRN_LAUNCHERS: launchers.join('\n') }),
  };
}

/** As programs of this computation preload it. */
export function agentLibrary({ paths }: Identity): string {
  return preloadPath(dirname(paths.folder));
}

/** The program's environment: the caller's, our library before what it preloads itself, and who it belongs to. */
export function launchEnvironment(identity: Identity, env: Readonly<Record<string, string>>): Record<string, string> {
  const { [OUTSIDE]: _, ...inside } = env;
  const preloaded = [agentLibrary(identity), ...othersPreloaded(env['LD_PRELOAD'])];
  return { ...inside, ...identityVariables(identity), LD_PRELOAD: preloaded.join(':') };
}
