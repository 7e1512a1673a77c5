/**
 * Who answers for the processes of a host that is not the coordinator's, dist/host-service.js: composition root and nothing else. One a
 * host and session, started by the first `cairn join` there. It tells which processes live, and passes signals on.
 *
 *   node host-service.js --folder RUNTIME_FOLDER --computation ID
 *
 * It leaves, and takes the runtime folder along, when the coordinator says that the computation has ended, or when it has lost the
 * coordinator and no process of the computation lives on this host. Test: test/hosts.
 */
import { closeSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { sleep } from '../platform/clock.js';
import { closeInherited } from '../platform/daemon.js';
import { factsOf, isAlive, type ProcessId, signalNumber, thisProcess } from '../platform/processes.js';
import { markService, namedProcesses, readCoordinatorFile, readHostNote } from '../platform/runtime.js';
import { callbackIn } from '../platform/shared-names.js';
import { reason } from '../protocol/errors.js';
import { type Message, type ProcessRef, Role } from '../protocol/generated/agent_pb.js';
import { HostPeer } from './host-peer.js';

const READY = 3;
const RETRY_MS = 1000;
/** How long a coordinator is looked for though nothing of the computation lives here. */
const PATIENCE_MS = 20_000;

function say(word: string): void {
  try {
    writeSync(READY, word);
    closeSync(READY);
  } catch {
    // Nobody listens any more.
  }
}

function place(ref: ProcessRef | undefined): ProcessId {
  return { pid: ref?.pid ?? 0, startTime: Number(ref?.startTime ?? 0n) };
}

class Service {
  readonly #folder: string;
  readonly #computation: string;
  #dismissed = false;

  constructor(folder: string, computation: string) {
    this.#folder = folder;
    this.#computation = computation;
  }

  async run(): Promise<void> {
    let said = false;
    for (let lostAt = Date.now(); !this.#dismissed && this.#folderIsOurs(); await sleep(RETRY_MS)) {
      try {
        const peer = await this.#connect();
        if (!said) say('ready');
        said = true;
        await peer.closed;
        lostAt = Date.now();
      } catch (error) {
        if (!said) {
          say(reason(error));
          return;
        }
        if (Date.now() - lostAt > PATIENCE_MS && !this.#anyLives()) break;
      }
    }
    // A later session of this name may have begun to use it.
    if (this.#folderIsOurs()) rmSync(this.#folder, { recursive: true, force: true });
  }

  async #connect(): Promise<HostPeer> {
    const to = readCoordinatorFile(join(this.#folder, 'agent.sock'));
    if (to === undefined) throw new Error('nothing says where the coordinator is');
    const { pid, startTime } = thisProcess();
    const peer = await HostPeer.open(to, to.secret, {
      role: Role.HOST,
      realPid: pid,
      startTime: BigInt(startTime),
      host: hostname(),
      sessionId: this.#computation,
      hostNumber: readHostNote(join(this.#folder, 'names')).number,
    });
    peer.onMessage((message) => this.#take(peer, message));
    return peer;
  }

  #take(peer: HostPeer, { id, body }: Message): void {
    switch (body.case) {
      case 'processLook': {
        const facts = body.value.processes
          .map((one) => ({ ...factsOf(place(one)), callback: this.#callback(one) }))
          .map(({ ended, ...fact }) => ({ ...fact, ended: ended !== undefined, waitStatus: ended ?? 0 }));
        peer.send(id, { case: 'processFacts', value: { facts } });
        return;
      }
      case 'processSignal':
        signalNumber(place(body.value.process), body.value.signal);
        return;
      case 'refusal':
        this.#dismissed = true;
        peer.close();
        return;
      default:
        if (id !== 0n) peer.send(id, { case: 'refusal', value: { reason: 'a host does not answer this' } });
    }
  }

  #callback({ virtualPid }: ProcessRef): bigint {
    return virtualPid === 0 ? 0n : callbackIn(join(this.#folder, 'names'), virtualPid);
  }

  #anyLives(): boolean {
    return namedProcesses(join(this.#folder, 'names')).some((pid) => isAlive({ pid, startTime: 0 }));
  }

  /** Its mark says who made it. */
  #folderIsOurs(): boolean {
    try {
      return readFileSync(join(this.#folder, 'service'), 'utf8') === String(process.pid);
    } catch {
      return false;
    }
  }
}

const { values } = parseArgs({ options: { folder: { type: 'string' }, computation: { type: 'string' } } });
closeInherited(READY);
// As daemon.ts.
for (const signal of ['SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const) process.on(signal, () => undefined);
if (values.folder === undefined || values.computation === undefined) {
  say('host-service.js needs --folder and --computation');
} else {
  markService(values.folder);
  await new Service(values.folder, values.computation).run();
}
process.exit(0);
