/**
 * What the first program of a computation on a host needs there: the runtime folder with the names that its processes will share, where
 * their agents find the coordinator, and the host's service. Used by `cairn join`, which the coordinator lets do this one at a time.
 * Test: test/hosts.
 */
import { join } from 'node:path';
import { startDaemon } from '../platform/daemon.js';
import { distFolder } from '../platform/installation.js';
import { ensureHostFolder, makeNames, writeCoordinatorFile } from '../platform/runtime.js';
import type { NetworkAddress } from '../protocol/control.js';
import { failure } from '../protocol/errors.js';
import type { JoinReply } from '../protocol/generated/agent_pb.js';

/** One that has ended is seen at once; one on a machine that is busy needs its time. */
const START_MS = 60_000;

export async function setUpHost(reply: JoinReply, coordinator: NetworkAddress, secret: string): Promise<void> {
  const { folder, computation, hostNumber, machine } = reply;
  ensureHostFolder(folder);
  makeNames(join(folder, 'names'), { number: hostNumber, machine });
  writeCoordinatorFile(join(folder, 'agent.sock'), coordinator, secret);
  // A service is no part of the computation.
  const { LD_PRELOAD: _preload, CAIRN_AGENT_SOCKET: _socket, CAIRN_PLAN: _plan, ...env } = process.env;
  const said = await startDaemon({
    script: join(distFolder(), 'host-service.js'),
    args: ['--folder', folder, '--computation', computation],
    env,
    log: join(folder, 'service.log'),
    deadlineMs: START_MS,
  });
  if (said !== 'ready')
    throw failure('cannotJoin', {
      why: `the service of this host did not start: ${said || 'it said nothing in time'}`,
      remedy: `Log: ${folder}`,
    });
}
