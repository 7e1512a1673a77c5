/**
 * A coordinator in this process, with a store and a runtime folder of its own, for tests that speak to it over its real sockets.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { type Deadlines, defaultDeadlines } from '../../debug-adapter/src/coordinator/context.js';
import { Coordinator } from '../../debug-adapter/src/coordinator/coordinator.js';
import { Log, type LogEntry } from '../../debug-adapter/src/coordinator/log.js';
import { systemClock } from '../../debug-adapter/src/platform/clock.js';
import { ensureRuntime, type RuntimePaths, runtimePaths } from '../../debug-adapter/src/platform/runtime.js';
import type { LaunchParams, RestartParams } from '../../debug-adapter/src/protocol/control.js';
import { Store } from '../../debug-adapter/src/store/store.js';
import { AgentPeer, type PeerOptions } from './agent-peer.js';

export interface Fixture {
  folder: string;
  store: Store;
  paths: RuntimePaths;
  coordinator: Coordinator;
  log: LogEntry[];
  /** A process of the computation. */
  join: (options?: Partial<PeerOptions>) => Promise<AgentPeer>;
}

export interface FixtureOptions {
  session?: string;
  folder?: string;
  deadlines?: Partial<Deadlines>;
  compression?: 'none' | 'zstd';
  takeOver?: boolean;
}

const cleanups = new WeakMap<TestContext, (() => void)[]>();

/** When the test has ended; what was asked for last comes first. */
export function atEnd(t: TestContext, work: () => void): void {
  const before = cleanups.get(t);
  if (before) return void before.push(work);
  const all = [work];
  cleanups.set(t, all);
  t.after(() => {
    for (const one of all.reverse()) one();
  });
}

export function scratch(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'cairn-p-'));
  atEnd(t, () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export async function openCoordinator(t: TestContext, options: FixtureOptions = {}): Promise<Fixture> {
  const folder = options.folder ?? scratch(t);
  const session = options.session ?? 'test';
  const paths = runtimePaths(session, { CAIRN_RUNTIME_DIR: folder });
  ensureRuntime(paths);
  const store = new Store(join(folder, 'store'));
  const entries: LogEntry[] = [];
  const log = new Log(() => undefined);
  log.onEntry((entry) => entries.push(entry));
  const coordinator = new Coordinator({
    // Scripted agents give the ids of processes that are none of the computation.
    obstacles: () => [],
    session,
    store,
    paths,
    clock: systemClock,
    log,
    deadlines: { ...defaultDeadlines, ...options.deadlines },
    compression: options.compression ?? 'none',
    env: { PATH: '/usr/bin:/bin' },
  });
  await coordinator.open(options.takeOver ?? false);
  const peers: AgentPeer[] = [];
  atEnd(t, () => {
    for (const peer of peers) peer.close();
    coordinator.close();
  });
  return {
    folder,
    store,
    paths,
    coordinator,
    log: entries,
    join: async (peerOptions = {}) => {
      const peer = await AgentPeer.join(paths.agentSocket, { computation: coordinator.status.computation, ...peerOptions });
      peers.push(peer);
      return peer;
    },
  };
}

export const launchParams: LaunchParams = {
  argv: ['simulator', 'design.vvp'],
  cwd: '/tmp',
  env: { PATH: '/usr/bin' },
  plugins: [],
  owner: 'caller',
};

export const restartParams = (snapshot: string): RestartParams => ({
  snapshot,
  env: {},
  paths: [],
  plugins: [],
  inPlace: false,
  owner: 'caller',
});

/** A session whose computation runs: launched, and joined by one process. */
export async function running(
  t: TestContext,
  options: FixtureOptions & { peer?: Partial<PeerOptions> } = {},
): Promise<Fixture & { peer: AgentPeer }> {
  const fixture = await openCoordinator(t, options);
  await fixture.coordinator.launch(launchParams);
  const peer = await fixture.join(options.peer);
  await fixture.coordinator.started(5000);
  return { ...fixture, peer };
}
