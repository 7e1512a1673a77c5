/**
 * `cairn run` and `cairn restart`: a new session, and a computation in it. In the foreground this process becomes the program;
 * with --detach the coordinator runs it in a terminal of its own.
 */
import { constants } from 'node:os';
import type { ControlClient } from '../../control/client.js';
import { expandPatterns, fitsName, isNamePattern, splitChanges } from '../../model/environment.js';
import { distinct } from '../../model/plugin-changes.js';
import { profilePlugins } from '../../platform/plugin-profiles.js';
import { checkProgram } from '../../platform/program.js';
import type { NetworkAddress, StartResult } from '../../protocol/control.js';
import { failure } from '../../protocol/errors.js';
import { changeText, formatTime, heldText } from '../../protocol/format.js';
import { ChangedFile, ClockRule, type ConnectionRule, type FileRule } from '../../protocol/rules.js';
import { isFatal, preflightText } from '../../store/preflight.js';
import { checkRestart, plannedChanges } from '../../store/restart-plan.js';
import { slotArgument } from '../../store/slots.js';
import { Store } from '../../store/store.js';
import {
  assignment,
  connectionRule,
  currentEnvironment,
  fileRule,
  isIgnored,
  networkAddress,
  pathChange,
  plugin,
  pluginSetting,
  storePath,
  word,
} from '../choices.js';
import { note, print, printError, printJson } from '../output.js';
import { handOver, planDescriptor } from '../replace.js';
import { newSession } from '../sessions.js';

const START_MS = 60_000;

interface StartOptions {
  session?: string;
  store?: string;
  env: string[];
  unset: string[];
  plugin: string[];
  profile?: string;
  file: string[];
  connection: string[];
  clock?: string;
  detach: boolean;
  compress: boolean;
  listen?: string | true;
  launcher: string[];
  json: boolean;
}

export interface RunOptions extends StartOptions {
  strict: boolean;
}

export interface RestartOptions extends StartOptions {
  path: string[];
  host: string[];
  inPlace: boolean;
  check: boolean;
  changedFile?: string;
  slot?: string;
  without: string[];
  order?: string;
  set: string[];
  holdAt: string[];
}

function network({ listen, launcher }: StartOptions): { listen?: NetworkAddress; launchers?: string[] } {
  return {
    ...(listen === undefined ? {} : { listen: networkAddress(listen, '--listen') }),
    ...(launcher.length === 0 ? {} : { launchers: launcher.map(launcherPattern) }),
  };
}

/** Where a program's host and its command go has to be said. */
function launcherPattern(text: string): string {
  if (/^[^\s{]\S*\s/.test(text) && text.includes('{host}') && /\{(command|shell)\}/.test(text)) return text;
  throw failure('usage', {
    what: `--launcher "${text}": it has to be a command with {host}, and {command} or {shell}`,
    remedy: 'For example: --launcher "ip netns exec {host} {command}"',
  });
}

function terminalSize(): { columns?: number; rows?: number } {
  const columns = Number(process.env['COLUMNS']);
  const rows = Number(process.env['LINES']);
  return { ...(columns > 0 ? { columns } : {}), ...(rows > 0 ? { rows } : {}) };
}

/** What --env and --unset say. A value given wins over a removal. Of a pattern: as here, those that are not set here are removed. */
function changesOf({ env, unset }: StartOptions): ReturnType<typeof splitChanges> {
  const changes: Record<string, string | null> = {};
  for (const name of unset) changes[name] = null;
  for (const one of env) {
    if (isNamePattern(one)) {
      const here = Object.entries(currentEnvironment()).filter(([name]) => fitsName(one, name));
      Object.assign(changes, { [one]: null }, Object.fromEntries(here));
      continue;
    }
    const [name, value] = assignment(one, '--env');
    changes[name] = value;
  }
  return splitChanges(changes);
}

function rulesOf(options: StartOptions): { files: FileRule[]; connections: ConnectionRule[]; clock?: ClockRule } {
  const how = word(options.clock, ClockRule.options, '--clock');
  const rules = { files: options.file.map(fileRule), connections: options.connection.map(connectionRule) };
  return { ...rules, ...(how === undefined ? {} : { clock: how }) };
}

/** A profile's are below those that are named by themselves, which may be of the profile, with other settings. */
function pluginsOf({ plugin: named, profile }: StartOptions, ...more: string[]): ReturnType<typeof plugin>[] {
  const own = named.map(plugin);
  const places = [process.cwd(), ...more];
  const given = profile === undefined ? [] : profilePlugins(profile, places, `--profile ${profile}`);
  return distinct([...given, ...own]);
}

export async function run(argv: string[], options: RunOptions): Promise<number> {
  const [program] = argv;
  if (program === undefined)
    throw failure('usage', { what: 'There is no program to run', remedy: 'cairn run [OPTIONS] -- PROGRAM [ARGS...]' });
  const env = currentEnvironment();
  const { env: changes, processEnv } = changesOf(options);
  for (const [name, value] of Object.entries(expandPatterns(changes, Object.keys(env)))) {
    if (value === null) delete env[name];
    else env[name] = value;
  }
  const plugins = pluginsOf(options);
  const rules = rulesOf(options);
  const cwd = process.cwd();
  checkProgram(program, env, cwd);
  if (!options.detach) planDescriptor();
  const client = await newSession(options.session, program, { store: storePath(options.store), compress: options.compress });
  const owner = options.detach ? 'coordinator' : 'caller';
  return givenUp(client, async (isGivenUp) => {
    const started = await client.request('session/launch', {
      argv,
      cwd,
      env,
      processEnv,
      plugins,
      ...rules,
      strict: options.strict,
      owner,
      ...terminalSize(),
      ...network(options),
    });
    for (const { message, remedy } of started.warnings) note(`warning: ${message} ${remedy}`);
    return options.detach ? detached(client, options, isGivenUp) : foreground(client, started, isGivenUp);
  });
}

export async function restart(text: string, options: RestartOptions): Promise<number> {
  const store = new Store(storePath(options.store));
  const paths = options.path.map(pathChange);
  const hosts = options.host.map((one) => {
    const [name, to] = assignment(one, '--host');
    return { name, to };
  });
  const snapshot = store.find(text);
  const changedFiles = word(options.changedFile, ChangedFile.options, '--changed-file');
  const asked = {
    ...changesOf(options),
    paths,
    ...rulesOf(options),
    plugins: pluginsOf(options, store.path),
    withoutPlugins: options.without,
    ...(options.order === undefined ? {} : { pluginOrder: options.order.split(',') }),
    pluginSettings: options.set.map((text) => pluginSetting(text, '--set')),
    ...(changedFiles === undefined ? {} : { changedFiles }),
    ...(options.slot === undefined ? {} : { slot: slotArgument(store.path, options.slot, process.cwd()) }),
  };
  if (options.check) {
    const wanted = { ...asked, inPlace: options.inPlace };
    const findings = await checkRestart(store, snapshot, wanted);
    const changes = plannedChanges(store, snapshot, wanted);
    if (options.json) printJson({ snapshot: snapshot.id, restartable: !isFatal(findings), findings, changes });
    else {
      print(
        findings.length === 0
          ? `${snapshot.id} can be restarted here`
          : `${snapshot.id} ${isFatal(findings) ? 'cannot' : 'can'} be restarted here\n${preflightText(findings)}`,
      );
      for (const one of changes) print(changeText(one));
    }
    return isFatal(findings) ? 1 : 0;
  }
  if (!options.detach) planDescriptor();
  if (snapshot.problem !== '') throw failure('snapshotDamaged', { id: snapshot.id, why: snapshot.problem });
  const client = await newSession(options.session, snapshot.session, { store: store.path, compress: options.compress });
  const owner = options.detach ? 'coordinator' : 'caller';
  const params = {
    snapshot: snapshot.path,
    ...asked,
    inPlace: options.inPlace,
    owner,
    hosts,
    holdAt: options.holdAt,
    ...terminalSize(),
    ...network(options),
  } as const;
  return givenUp(client, async (isGivenUp) => {
    const started = await client.request('session/restart', params);
    if (!options.json) {
      for (const { message, remedy } of started.warnings) note(`warning: ${message} ${remedy}`);
      const label = snapshot.name === '' ? formatTime(snapshot.createdAt) : snapshot.name;
      note(
        `session ${client.session}, restarted from ${snapshot.id} (${label})${started.runFolder === null ? '; files are written in place' : `; files are written to ${started.runFolder}`}`,
      );
    }
    if (options.detach) return detached(client, options, isGivenUp);
    if (options.holdAt.length > 0)
      note(`${options.holdAt.join(', ')}: it is held there until cairn resume --session ${client.session}`);
    return foreground(client, started, isGivenUp);
  });
}

/**
 * Until the computation has begun, the session is nothing without its client: a signal by which the user gives up ends it, too. In the
 * foreground that is so as long as this process is there; then the signal reaches what it has started.
 */
async function givenUp(client: ControlClient, work: (isGivenUp: () => boolean) => Promise<number>): Promise<number> {
  let stopped: Promise<unknown> | undefined;
  let status = 0;
  const stop = (signal: NodeJS.Signals): void => {
    // Who insists does not wait for a coordinator that does not answer.
    if (status !== 0) process.exit(status);
    status = 128 + constants.signals[signal];
    stopped ??= client.request('session/stop', {}).catch(() => undefined);
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, isIgnored(signal) ? () => undefined : stop);
  try {
    const result = await work(() => status !== 0);
    await stopped;
    return status || result;
  } catch (error) {
    if (status === 0) throw error;
    await stopped;
    printError(error);
    return status;
  } finally {
    client.close();
  }
}

function foreground(client: ControlClient, started: StartResult, isGivenUp: () => boolean): number {
  if (isGivenUp()) return 0;
  client.close();
  handOver(started);
  return 0;
}

async function detached(client: ControlClient, { json }: StartOptions, isGivenUp: () => boolean): Promise<number> {
  const status = await client.request('session/started', { timeoutMs: START_MS });
  if (isGivenUp()) return 0;
  if (json) printJson(status);
  else print(status.session);
  const heldAt = status.operation?.heldAt ?? '';
  if (heldAt !== '') note(heldText(heldAt));
  return 0;
}
