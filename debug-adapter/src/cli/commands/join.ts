/**
 * `cairn join`: a program on this host becomes a process of a computation whose coordinator is elsewhere. Sets the host up for the
 * session where that has not been done, and becomes the program, as `cairn run` does.
 *
 * The secret comes from a file that only this user can read, or from standard input; never from the command line, which others see.
 */
import { lookup } from 'node:dns/promises';
import { existsSync, readSync } from 'node:fs';
import { hostname } from 'node:os';
import { join as joinPath } from 'node:path';
import { HostPeer } from '../../control/host-peer.js';
import { setUpHost } from '../../control/host-set-up.js';
import { machineIdentity, ownAddresses } from '../../platform/host.js';
import { nativeFile, othersPreloaded, preloadPath } from '../../platform/installation.js';
import { OUTSIDE, thisProcess } from '../../platform/processes.js';
import { isSecret, readSecret } from '../../platform/proof.js';
import { ensureSessionsFolder, sessionsFolder } from '../../platform/runtime.js';
import type { NetworkAddress } from '../../protocol/control.js';
import { failure } from '../../protocol/errors.js';
import { type JoinReply, Role } from '../../protocol/generated/agent_pb.js';
import { currentEnvironment, networkAddress } from '../choices.js';
import { handOver, planDescriptor } from '../replace.js';

interface JoinOptions {
  coordinator: string;
  secretFile?: string;
  secretStdin: boolean;
  name?: string;
  restart?: string;
  detach: boolean;
}

const NEW_LINE = 10;
const MAX_LINE = 256;

/** One line; who starts this on another host writes it before anything else. */
function secretFromInput(): string {
  const byte = Buffer.alloc(1);
  let secret = '';
  // Not more than the line: the rest may be the program's.
  while (secret.length <= MAX_LINE && readSync(0, byte) === 1 && byte[0] !== NEW_LINE) secret += byte.toString('latin1');
  if (!isSecret(secret))
    throw failure('usage', {
      what: 'Standard input does not begin with the secret of a session',
      remedy: 'Give it by --secret-file FILE.',
    });
  return secret;
}

function secretOf({ secretFile, secretStdin }: JoinOptions): string {
  if (secretFile !== undefined && (existsSync(secretFile) || !secretStdin)) return readSecret(secretFile);
  if (secretStdin) return secretFromInput();
  throw failure('usage', {
    what: 'cairn join needs the secret of the session',
    remedy: 'Give it by --secret-file FILE; see cairn status.',
  });
}

async function ask(to: NetworkAddress, secret: string, { name, restart }: JoinOptions): Promise<JoinReply> {
  const { pid, startTime } = thisProcess();
  const sessions = sessionsFolder();
  ensureSessionsFolder(sessions);
  const peer = await HostPeer.open(to, secret, {
    role: Role.JOINER,
    realPid: pid,
    startTime: BigInt(startTime),
    host: hostname(),
  });
  const { body } = await peer.ask({
    case: 'joinRequest',
    value: {
      identity: machineIdentity(),
      name: name ?? hostname(),
      restart: restart !== undefined,
      hostNumber: Number(restart ?? 0),
      sessions,
      library: preloadPath(sessions),
      addresses: ownAddresses(),
    },
  });
  peer.close();
  if (body.case !== 'joinReply') throw failure('cannotJoin', { why: 'the coordinator does not answer', remedy: 'See its log.' });
  const { error, remedy, storeMark } = body.value;
  if (error !== '') throw failure('cannotJoin', { why: error, remedy });
  if (storeMark !== '' && !existsSync(storeMark))
    throw failure('cannotJoin', {
      why: `the store of the session (${joinPath(storeMark, '..')}) is not to be seen here`,
      remedy: 'Put the store on a file system that all hosts share, at the same path: cairn run --store DIR.',
    });
  return body.value;
}

export async function join(argv: string[], options: JoinOptions): Promise<number> {
  const restarts = options.restart !== undefined;
  if (argv.length === 0 && !restarts)
    throw failure('usage', { what: 'There is no program to run', remedy: 'cairn join [OPTIONS] -- PROGRAM [ARGS...]' });
  planDescriptor();
  const given = networkAddress(options.coordinator, '--coordinator');
  const { address } = await lookup(given.address).catch((cause: unknown) => {
    throw failure('coordinatorUnreachable', { where: options.coordinator, why: 'there is no such host' }, cause);
  });
  const to = { ...given, address };
  const secret = secretOf(options);
  const reply = await ask(to, secret, options);
  if (!reply.served) await setUpHost(reply, to, secret);

  const socket = joinPath(reply.folder, 'agent.sock');
  const host = String(reply.hostNumber);
  const launcher = [nativeFile('cairn-launch'), '--socket', socket, '--session', reply.session, '--host', host];
  if (options.detach) launcher.push('--detach');
  const { LD_PRELOAD, [OUTSIDE]: _, ...env } = currentEnvironment();
  const variables = Object.fromEntries(
    reply.environment.map((one): [string, string] => [one.slice(0, one.indexOf('=')), one.slice(one.indexOf('=') + 1)]),
  );
  const inside = { ...env, ...variables, CAIRN_AGENT_SOCKET: socket };
  const preload = [preloadPath(sessionsFolder()), ...othersPreloaded(LD_PRELOAD)].join(':');
  const restorer = [
    nativeFile('cairn-restore'),
    ...reply.restore,
    '--socket',
    socket,
    '--error-file',
    joinPath(reply.folder, 'restore-error'),
  ];
  handOver({
    command: restarts ? [...launcher, '--standard-only', '--', ...restorer] : [...launcher, '--', ...argv],
    env: restarts ? inside : { ...inside, LD_PRELOAD: preload },
    cwd: restarts ? '/' : process.cwd(),
    runFolder: null,
    warnings: [],
  });
  return 0;
}
