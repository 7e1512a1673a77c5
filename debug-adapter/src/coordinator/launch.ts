/**
 * The command that starts a program, or brings a snapshot back, under this coordinator; and its environment.
 * Tests: test/protocol/restart.test.ts.
 */

import { dirname } from 'node:path';
import { nativeFile, othersPreloaded, preloadPath } from '../platform/installation.js';
import { OUTSIDE } from '../platform/processes.js';
import type { RuntimePaths } from '../platform/runtime.js';
import type { RestartParams } from '../protocol/control.js';

export interface Identity {
  session: string;
  computation: string;
  store: string;
  paths: RuntimePaths;
}

function launcher({ paths, session }: Identity): string[] {
  return [nativeFile('cairn-launch'), '--socket', paths.agentSocket, '--session', session];
}

export function launchCommand(identity: Identity, argv: readonly string[], strict = false): string[] {
  return [...launcher(identity), ...(strict ? ['--strict'] : []), '--', ...argv];
}

export function restoreCommand(identity: Identity, folder: string, paths: RestartParams['paths']): string[] {
  const { agentSocket, restoreError } = identity.paths;
  return [
    ...launcher(identity),
    // The image says what else is open.
    '--standard-only',
    '--',
    nativeFile('cairn-restore'),
    '--folder',
    folder,
    '--socket',
    agentSocket,
    '--error-file',
    restoreError,
    // Mapped files have to be found before there is an agent that knows of paths.
    ...paths.flatMap(({ from, to }) => ['--path', `${from}=${to}`]),
  ];
}

/** Names that say to a program, and to what it starts, where it belongs. */
export function identityVariables({ session, computation, store, paths }: Identity): Record<string, string> {
  return { CAIRN_AGENT_SOCKET: paths.agentSocket, CAIRN_COMPUTATION: computation, CAIRN_SESSION: session, CAIRN_STORE: store };
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
