/**
 * The defaults of the command: which session, which store, which environment. Tests: test/unit/choices.test.ts.
 */
import { existsSync, readFileSync } from 'node:fs';
import { isIPv6 } from 'node:net';
import { resolve } from 'node:path';
import { settingOf } from '../model/plugin-changes.js';
import { pluginLibrary } from '../platform/installation.js';
import { existing } from '../platform/plugin-profiles.js';
import type { PluginSetting } from '../protocol/control.js';
import { failure, reason } from '../protocol/errors.js';
import { ConnectionRule, FileRule } from '../protocol/rules.js';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Absolute: --store, else CAIRN_STORE, else .cairn in the working directory. */
export function storePath(option: string | undefined, env: Environment = process.env): string {
  return resolve(option ?? (env['CAIRN_STORE'] || '.cairn'));
}

/** The session that is asked for by name, or undefined: the only one that runs. */
export function namedSession(option: string | undefined, env: Environment = process.env): string | undefined {
  return option ?? (env['CAIRN_SESSION'] || undefined);
}

/**
 * The name that a new session is to have, or undefined: one made from the program's. Within a computation CAIRN_SESSION is the
 * name of its own session, not of a new one.
 */
export function newSessionName(option: string | undefined, env: Environment = process.env): string | undefined {
  return option ?? (env['CAIRN_AGENT_SOCKET'] ? undefined : env['CAIRN_SESSION'] || undefined);
}

/** `K=V` → [K, V]. */
export function assignment(text: string, option: string): [string, string] {
  const equals = text.indexOf('=');
  if (equals < 1)
    throw failure('usage', { what: `${option} ${text}: it has to be NAME=VALUE`, remedy: `For example: ${option} SEED=7` });
  return [text.slice(0, equals), text.slice(equals + 1)];
}

const LOOPBACK = '127.0.0.1';

/** `ADDRESS`, `ADDRESS:PORT`, `[ADDRESS]:PORT`; true: this machine only. */
export function networkAddress(text: string | true, option: string): { address: string; port: number } {
  if (text === true) return { address: LOOPBACK, port: 0 };
  const found = /^(?:\[([^\]]+)\]|([^:]*))(?::(\d+))?$/.exec(text);
  const port = Number(found?.[3] ?? 0);
  // More than one colon: an address of IPv6 without a port.
  if (found === null && isIPv6(text)) return { address: text, port: 0 };
  if (found === null || port > 65535)
    throw failure('usage', {
      what: `${option} ${text}: it has to be ADDRESS or ADDRESS:PORT`,
      remedy: `For example: ${option} 192.0.2.1:7000`,
    });
  return { address: found[1] ?? (found[2] || LOOPBACK), port };
}

/** `PATTERN=save|check|ignore`. */
export function fileRule(text: string): FileRule {
  const equals = text.lastIndexOf('=');
  const parsed = FileRule.safeParse({ pattern: text.slice(0, Math.max(equals, 0)), how: text.slice(equals + 1) });
  if (!parsed.success)
    throw failure('usage', {
      what: `--file ${text}: it has to be PATTERN=save, PATTERN=check or PATTERN=ignore`,
      remedy: "For example: --file '*.vcd=save'",
    });
  return parsed.data;
}

/** `PATTERN=refuse|close|external`. */
export function connectionRule(text: string): ConnectionRule {
  const equals = text.lastIndexOf('=');
  const parsed = ConnectionRule.safeParse({ pattern: text.slice(0, Math.max(equals, 0)), how: text.slice(equals + 1) });
  if (!parsed.success)
    throw failure('usage', {
      what: `--connection ${text}: it has to be PATTERN=refuse, PATTERN=close or PATTERN=external`,
      remedy: "For example: --connection '10.0.0.1:*=close'",
    });
  return parsed.data;
}

/** The value of an option that has to be one of a few words. */
export function word<T extends string>(text: string | undefined, known: readonly T[], option: string): T | undefined {
  if (text === undefined) return undefined;
  const found = known.find((one) => one === text);
  if (found === undefined)
    throw failure('usage', { what: `${option} ${text}: it has to be ${known.join(' or ')}`, remedy: 'See --help.' });
  return found;
}

/** `FROM=TO` with two absolute paths. */
export function pathChange(text: string): { from: string; to: string } {
  const [from, to] = assignment(text, '--path');
  if (!from.startsWith('/'))
    throw failure('usage', {
      what: `--path ${text}: ${from} is not an absolute path`,
      remedy: 'For example: --path /tools/old=/tools/new',
    });
  return { from: from.length > 1 ? from.replace(/\/+$/, '') : from, to: resolve(to) };
}

/** Where the library ends; -1: there is nothing behind it. Paths may have "=" in them, too. */
function endOfLibrary(text: string): number {
  if (existsSync(text)) return -1;
  for (let at = text.indexOf('='); at >= 0; at = text.indexOf('=', at + 1))
    if (existsSync(pluginLibrary(text.slice(0, at), '.'))) return at;
  return text.lastIndexOf('=');
}

/** `LIB` or `LIB=SETTINGS.json`; the settings are read and checked to be JSON. */
export function plugin(text: string): { library: string; settings: string } {
  const equals = endOfLibrary(text);
  const library = existing(pluginLibrary(equals < 0 ? text : text.slice(0, equals), '.'));
  if (equals < 0) return { library, settings: '{}' };
  const path = resolve(text.slice(equals + 1));
  try {
    const settings = readFileSync(path, 'utf8');
    JSON.parse(settings);
    return { library, settings };
  } catch (cause) {
    throw failure('fileNotReadable', { what: 'settings file', path, why: reason(cause) }, cause);
  }
}

/** `PLUGIN.KEY=VALUE`. */
export function pluginSetting(text: string, option: string): PluginSetting {
  const found = settingOf(text);
  if (found === undefined)
    throw failure('usage', {
      what: `${option} ${text}: it has to be PLUGIN.KEY=VALUE`,
      remedy: `For example: ${option} emulator.slot=2`,
    });
  return found;
}

/** The descriptor on which cairn-launch waits for what it is to start. */
export const PLAN = 'CAIRN_PLAN';

/** Set by cairn-launch: signals that whoever called it ignores. Node.js begins with the default actions. */
const IGNORED = 'CAIRN_IGNORED';

export const isIgnored = (signal: NodeJS.Signals, env: Environment = process.env): boolean =>
  (env[IGNORED] ?? '').split(' ').includes(signal);

/** Set by bin/cairn for itself: where the plan goes, and that a desktop editor's runtime is to be a Node.js. */
const OURS: ReadonlySet<string> = new Set([PLAN, IGNORED, 'ELECTRON_RUN_AS_NODE']);

/** The environment of whoever called the command. */
export function currentEnvironment(env: Environment = process.env): Record<string, string> {
  const plain: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) if (value !== undefined && !OURS.has(name)) plain[name] = value;
  return plain;
}

/** Of an option. Throws what it has to be. */
export function wholeNumber(text: string, option: string, least: number, most = Number.MAX_SAFE_INTEGER): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= least && value <= most) return value;
  throw failure('usage', {
    what: `${option} ${text}: it is no whole number from ${least} ${most === Number.MAX_SAFE_INTEGER ? 'on' : `to ${most}`}`,
    remedy: `For example: ${option} ${least}`,
  });
}
