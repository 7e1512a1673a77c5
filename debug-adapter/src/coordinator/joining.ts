/**
 * How hosts come to a computation: the port that the coordinator listens on, what a program that joins from another host is told, and
 * what one that starts a program there hands on. The other side is `cairn join` (cli/commands/join.ts).
 *
 * Invariant: the first who joins from a host sets it up (runtime folder, service); whoever comes meanwhile waits for that.
 * Tests: test/protocol/remote.test.ts, test/hosts.
 */
import { randomBytes } from 'node:crypto';
import { lookup } from 'node:dns/promises';
import { existsSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { hostname, networkInterfaces } from 'node:os';
import { dirname, join } from 'node:path';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { machineIdentity, ownAddresses } from '../platform/host.js';
import { distFolder } from '../platform/installation.js';
import { addressText, ownSecret } from '../platform/proof.js';
import { ensureHostFolder, hostFolder, makeNames } from '../platform/runtime.js';
import type { NetworkAddress } from '../protocol/control.js';
import { CairnError, failure, reason } from '../protocol/errors.js';
import type { InvitationSchema, JoinReplySchema, JoinRequest } from '../protocol/generated/agent_pb.js';
import type { AgentConnection } from './agent-connection.js';
import type { Agents } from './agents.js';
import type { Context } from './context.js';
import type { Host } from './hosts.js';
import { sharedVariables } from './launch.js';
import { Listener } from './listener.js';

type JoinReply = MessageInitShape<typeof JoinReplySchema>;

const SET_UP_MS = 20_000;
/** In the store; see JoinReply.store_mark. */
const MARK = '.joined-';

const anyAddress = new Set(['0.0.0.0', '::']);

export class Joining {
  readonly #context: Context;
  readonly #agents: Agents;
  readonly #settingUp = new Set<Host>();
  /** For a host that is being restarted elsewhere: the arguments of cairn-restore. */
  readonly restored = new Map<number, string[]>();
  #listener: Listener | undefined;
  #mark = '';

  constructor(context: Context, agents: Agents) {
    this.#context = context;
    this.#agents = agents;
  }

  /** The host of the coordinator, which is the computation's first unless a restart says otherwise. */
  addOwn(known: { name?: string; number?: number; addresses?: readonly string[] } = {}): Host {
    return this.#context.session.hosts.add({ name: hostname(), ...known, identity: machineIdentity(), local: true });
  }

  /** Where this machine is reached from others. */
  get ownAddress(): string {
    const { listen } = this.#context.session;
    if (listen === null) return ownAddresses()[0] ?? '127.0.0.1';
    return anyAddress.has(listen.address) ? outwardAddress(listen.address) : listen.address;
  }

  /** A host that was another one is on the coordinator's machine now: it gets a runtime folder beside the session's own. */
  setUpHere(host: Host): string {
    const { session, paths } = this.#context;
    const folder = hostFolder(dirname(paths.folder), session.name, host.name);
    ensureHostFolder(folder);
    makeNames(join(folder, 'names'), host);
    host.socket = join(folder, 'agent.sock');
    rmSync(host.socket, { force: true });
    symlinkSync(paths.agentSocket, host.socket);
    return folder;
  }

  async listen(wanted: NetworkAddress): Promise<void> {
    const { session, paths, store, log } = this.#context;
    const { address } = await lookup(wanted.address).catch((cause: unknown) => {
      throw failure('cannotListen', { where: wanted.address, why: reason(cause) }, cause);
    });
    this.#listener = new Listener(ownSecret(paths.secret), log, (socket) => this.#agents.accept(socket));
    session.listen = await this.#listener.listen({ address, port: wanted.port });
    store.create();
    this.#mark = join(store.path, `${MARK}${randomBytes(8).toString('hex')}`);
    writeFileSync(this.#mark, '');
    log.add('info', `listening at ${addressText(session.listen)}`);
    session.changed();
  }

  async join(one: AgentConnection, request: JoinRequest): Promise<JoinReply> {
    try {
      return await this.#join(one, request);
    } catch (error) {
      if (!(error instanceof CairnError)) throw error;
      this.#context.log.add('warning', error.message);
      return { error: error.message, remedy: error.remedy };
    }
  }

  /** What whoever starts a program elsewhere hands to it there. */
  invite(one: AgentConnection): MessageInitShape<typeof InvitationSchema> {
    return this.invitation(one.host);
  }

  invitation(from: number): MessageInitShape<typeof InvitationSchema> {
    const { session, paths } = this.#context;
    const { listen, hosts } = session;
    if (listen === null) return { error: 'this session does not listen for other hosts; start it with --listen' };
    const own = this.ownAddress;
    const host = hosts.byNumber(from);
    return {
      coordinator: addressText({ ...listen, address: own }),
      secret: ownSecret(paths.secret),
      secretFile: paths.secret,
      command: join(distFolder(), '..', 'bin', 'cairn'),
      // Its host is reached where it is seen to come from.
      address: host === undefined || host.local ? own : (host.service?.remoteAddress ?? own).replace(/^::ffff:/i, ''),
    };
  }

  close(): void {
    this.#listener?.close();
    if (this.#mark !== '') rmSync(this.#mark, { force: true });
  }

  /** The session's other folders on this machine, when nothing of the computation is left. */
  removeFolders(): void {
    const { session, paths } = this.#context;
    const prefix = hostFolder('', session.name, '');
    for (const name of existsSync(dirname(paths.folder)) ? readdirSync(dirname(paths.folder)) : []) {
      // Those of hosts elsewhere that only share the folder are their services'.
      const folder = join(dirname(paths.folder), name);
      if (name.startsWith(prefix) && session.hosts.list.some((one) => one.local && one.socket === join(folder, 'agent.sock')))
        rmSync(folder, { recursive: true, force: true });
    }
  }

  async #join(one: AgentConnection, request: JoinRequest): Promise<JoinReply> {
    const { session, paths } = this.#context;
    if (session.computation === '')
      throw failure('cannotJoin', { why: 'the session has no computation yet', remedy: 'Start its program first.' });
    const host = request.restart ? this.#restarted(request) : this.#hostOf(request);
    const known = {
      hostNumber: host.number,
      hostName: host.name,
      machine: host.machine,
      session: session.name,
      computation: session.computation,
      storeMark: this.#mark,
      environment: Object.entries(sharedVariables(this.#context)).map(([name, value]) => `${name}=${value}`),
      restore: this.restored.get(host.number) ?? [],
    };
    if (host.local) return { ...known, served: true, folder: dirname(host.socket || paths.agentSocket) };
    const folder = hostFolder(request.sessions, session.name, host.name);
    host.socket = join(folder, 'agent.sock');
    host.library = request.library;
    host.present = request.addresses;
    if (host.addresses.length === 0) host.addresses = request.addresses;
    if (host.service === undefined && this.#settingUp.has(host)) await session.hosts.served(host, SET_UP_MS);
    const served = host.service !== undefined;
    if (!served) {
      this.#settingUp.add(host);
      void session.hosts.served(host, SET_UP_MS).then(() => this.#settingUp.delete(host));
    }
    this.#context.log.add('info', `a program joins from ${host.name} (${one.remoteAddress ?? 'here'})`);
    return { ...known, served, folder };
  }

  #hostOf({ identity, name }: JoinRequest): Host {
    const { hosts } = this.#context.session;
    // Several hosts may be on one machine; none that joins is to be told apart from the first of them.
    const there = hosts.list.find((host) => host.identity === identity);
    if (there !== undefined) return there;
    const host = hosts.add({ name: name || 'host', identity, local: identity === machineIdentity() });
    if (host.local) this.setUpHere(host);
    return host;
  }

  #restarted({ hostNumber, identity }: JoinRequest): Host {
    const { session } = this.#context;
    const host = session.hosts.byNumber(hostNumber);
    if (host === undefined || session.state !== 'restarting' || !this.restored.has(hostNumber))
      throw failure('cannotJoin', {
        why: `no processes of host ${hostNumber} are being restarted`,
        remedy: 'Use cairn restart.',
      });
    session.hosts.move(host, identity, identity === machineIdentity());
    if (host.local && host.socket === '') this.setUpHere(host);
    return host;
  }
}

/** Of this machine, where others may see it. */
function outwardAddress(any: string): string {
  const family = any === '::' ? 'IPv6' : 'IPv4';
  const all = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  const found = all.find((one) => !one.internal && one.family === family && !one.address.startsWith('fe80'));
  return found?.address ?? (family === 'IPv6' ? '::1' : '127.0.0.1');
}
