/**
 * Where a restart brings the hosts of a snapshot back: here, or on another host by a launcher (ssh and its like). Hosts that are here
 * and not the first process's have a runtime folder of their own, and are started by the coordinator.
 * Test: test/hosts.
 */
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { expandLauncher } from '../model/launcher.js';
import { OUTSIDE } from '../platform/processes.js';
import { makeNames } from '../platform/runtime.js';
import type { RestartParams } from '../protocol/control.js';
import { failure } from '../protocol/errors.js';
import type { Manifest, PreflightFinding } from '../protocol/snapshot.js';
import type { Context } from './context.js';
import type { Host } from './hosts.js';
import type { Joining } from './joining.js';
import { restoreArguments, restoreCommand, usualLaunchers } from './launch.js';

/** How a user names the coordinator's own host where a launcher's host is asked for. */
const HERE = new Set(['here', '.']);
const MAX_SAID = 2000;

export interface Placed {
  /** Arguments of cairn-restore for the first process's host. */
  first: string[];
  findings: PreflightFinding[];
  /** Starts what is not started by the caller. */
  start(env: Readonly<Record<string, string>>): void;
}

/** Of a host, in the snapshot's folder. */
export function listName(manifest: Pick<Manifest, 'processes'>, host: number): string {
  return host === manifest.processes[0]?.host ? 'processes' : `processes.${host}`;
}

export function hostsOf({ hosts, host, processes }: Manifest): Manifest['hosts'] {
  return hosts.length > 0 ? hosts : [{ number: processes[0]?.host ?? 0, name: host.name, addresses: [] }];
}

/** Makes the session's hosts. Throws where that cannot be. */
export function placeHosts(
  context: Context,
  joining: Joining,
  params: RestartParams,
  manifest: Manifest,
  folder: string,
): Placed {
  const { session, paths } = context;
  const all = hostsOf(manifest);
  const wanted = new Map((params.hosts ?? []).map(({ name, to }) => [name, to]));
  for (const name of wanted.keys()) {
    if (!all.some((one) => one.name === name))
      throw failure('usage', {
        what: `The snapshot has no host "${name}"`,
        remedy: `Its hosts: ${all.map((one) => one.name).join(', ')}.`,
      });
  }
  session.rootHost = manifest.processes[0]?.host ?? 0;
  const isHere = ({ name }: { name: string }): boolean => HERE.has(wanted.get(name) ?? 'here');
  // The coordinator's own machine is the first.
  const ordered = [...all.filter(isHere), ...all.filter((one) => !isHere(one))];
  const starts: ((env: Readonly<Record<string, string>>) => void)[] = [];
  let first: string[] = [];
  for (const one of ordered) {
    const arguments_ = restoreArguments(folder, listName(manifest, one.number), params.paths);
    if (one.number === session.rootHost) first = arguments_;
    if (!isHere(one)) {
      if (one.number === session.rootHost)
        throw failure('usage', {
          what: `The first process of the computation was on ${one.name}, which is to be restarted elsewhere`,
          remedy: `Restart it from there: on that host, cairn restart … --host OTHER=… for the other hosts.`,
        });
      if (session.listen === null)
        throw failure('usage', {
          what: `Processes of ${one.name} are to be restarted on another host, and the coordinator does not listen`,
          remedy: 'Give --listen ADDRESS, at which that host reaches this one.',
        });
      const host = session.hosts.add({ ...one, identity: `${one.number} is on its way`, local: false });
      joining.restored.set(host.number, arguments_);
      starts.push((env) => launch(context, joining, host, wanted.get(one.name) ?? '', env));
      continue;
    }
    const host = joining.addOwn(one);
    if (one.number === session.rootHost) {
      makeNames(paths.names, host);
      continue;
    }
    joining.setUpHere(host);
    const command = restoreCommand(
      session.name,
      { host: host.number, socket: host.socket, restoreError: paths.restoreError },
      arguments_,
    );
    starts.push((env) => startHere(context, host, command, env));
  }
  session.hosts.next = Math.max(session.hosts.next, manifest.nextHost);
  return {
    first,
    findings: all.length > 1 && ordered.every(isHere) ? [allHere(all.map((one) => one.name))] : [],
    start: (env) => {
      for (const one of starts) one(env);
    },
  };
}

function allHere(names: readonly string[]): PreflightFinding {
  return {
    severity: 'warning',
    code: 'hosts',
    message: `The processes of ${names.length} hosts (${names.join(', ')}) are restarted on this one.`,
    remedy: 'To use others: --listen ADDRESS --host NAME=WHERE.',
  };
}

/** Beside what the caller starts: nobody's terminal, no pipes. */
function startHere(
  { log }: Context,
  host: Host,
  [file = '', ...args]: readonly string[],
  env: Readonly<Record<string, string>>,
): void {
  const child = spawn(file, args, {
    cwd: '/',
    env: { ...env, CAIRN_AGENT_SOCKET: host.socket },
    stdio: 'ignore',
    detached: true,
  });
  child.on('error', (error) => log.add('error', `the processes of ${host.name} cannot be started: ${error.message}`));
  child.unref();
}

/** Runs `cairn join --restart` there. It returns when it has started what it has to. */
function launch(context: Context, joining: Joining, host: Host, to: string, env: Readonly<Record<string, string>>): void {
  const { session, paths, log } = context;
  const { coordinator = '', command = '', secret = '', secretFile = '' } = joining.invitation(0);
  const join_ = [command, 'join', '--coordinator', coordinator, '--secret-file', secretFile, '--secret-stdin'];
  const words = [...join_, '--name', host.name, '--restart', String(host.number), '--detach'];
  const [file = '', ...args] = expandLauncher(session.launchers[0] ?? usualLaunchers[0] ?? '', to, words);
  log.add('info', `${host.name} is restarted at ${to}: ${[file, ...args].join(' ')}`);
  const { LD_PRELOAD: _, ...plain } = env;
  const child = spawn(file, args, { cwd: '/', env: { ...plain, [OUTSIDE]: '1' }, stdio: ['pipe', 'pipe', 'pipe'] });
  let said = '';
  const take = (data: Buffer): void => {
    said = `${said}${data.toString()}`.slice(-MAX_SAID);
  };
  const failed = (why: string): void => {
    const text = `${host.name} could not be restarted at ${to}: ${why}`;
    log.add('error', text);
    // As cairn-restore would say it: the others are ended, and the restart fails with these words.
    if (session.state === 'restarting') writeFileSync(paths.restoreError, `${text}\n`);
  };
  child.stdout.on('data', take);
  child.stderr.on('data', take);
  child.stdin.on('error', () => undefined);
  child.stdin.end(`${secret}\n`);
  child.on('error', (error) => failed(error.message));
  child.on('close', (code, signal) => {
    if (code !== 0) failed(said.trim() || `${file} ended with ${code ?? signal ?? 'nothing'}`);
    else if (said.trim() !== '') log.add('info', `${basename(file)}: ${said.trim()}`);
  });
}
