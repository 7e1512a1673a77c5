/**
 * What a restart changes over what the snapshot has, for whoever is about to start it, and for the branch that comes of it. Pure.
 * Tests: test/unit/restart-changes.test.ts.
 */
import type { Plugin, RestartParams } from '../protocol/control.js';
import type { RestartChange } from '../protocol/snapshot.js';
import type { ProcessChanges } from './environment.js';
import { type NamedPlugin, nameOf } from './plugin-changes.js';

export interface Changed {
  env: Readonly<Record<string, string | null>>;
  processEnv: readonly ProcessChanges[];
  paths: RestartParams['paths'];
  plugins: readonly NamedPlugin[];
}

export interface Before {
  /** Of the first process. */
  env: ReadonlyMap<string, string>;
  plugins: readonly NamedPlugin[];
  clock: string;
}

type Choices = Partial<Pick<RestartParams, 'slot' | 'inPlace' | 'changedFiles' | 'clock' | 'files' | 'connections'>>;

export function restartChanges(now: Changed, before: Before, choices: Choices): RestartChange[] {
  return [
    ...(choices.slot === undefined ? [] : [change('run slot', '', choices.slot)]),
    ...(choices.inPlace ? [change('files that are written', 'in a run folder', 'in place')] : []),
    ...environment(now.env, before.env),
    ...now.processEnv.flatMap(({ process, env }) =>
      Object.entries(env).map(([name, value]) => change(`variable ${name} of ${process}`, '', value ?? '')),
    ),
    ...now.paths.filter(({ from, to }) => from !== to).map(({ from, to }) => change(`path ${from}`, from, to)),
    ...plugins(now.plugins, before.plugins),
    ...(choices.files ?? []).map(({ pattern, how }) => change(`files ${pattern}`, '', how)),
    ...(choices.connections ?? []).map(({ pattern, how }) => change(`connections ${pattern}`, '', how)),
    ...(choices.changedFiles === 'use' ? [change('files that have changed', 'refused', 'used')] : []),
    ...(choices.clock === undefined ? [] : [change('clock', before.clock, choices.clock)]),
  ].filter((one) => one.before !== one.now);
}

const change = (what: string, before: string, now: string): RestartChange => ({ what, before, now });

function environment(now: Changed['env'], before: ReadonlyMap<string, string>): RestartChange[] {
  return Object.entries(now).map(([name, value]) => change(`variable ${name}`, before.get(name) ?? '', value ?? ''));
}

function plugins(now: readonly NamedPlugin[], before: readonly NamedPlugin[]): RestartChange[] {
  const same = (one: Plugin) => (other: Plugin) => one.library === other.library;
  const stay = (list: readonly NamedPlugin[], others: readonly NamedPlugin[]): string =>
    list
      .filter((one) => others.some(same(one)))
      .map((one) => nameOf(before.find(same(one)) ?? one))
      .join(', ');
  return [
    ...before.filter((one) => !now.some(same(one))).map((one) => change(`plugin ${nameOf(one)}`, 'in use', 'taken out')),
    ...now.filter((one) => !before.some(same(one))).map((one) => change(`plugin ${nameOf(one)}`, '', 'added')),
    ...now.flatMap((one) => {
      const was = before.find(same(one));
      return settings(nameOf(was ?? one), one.settings, was?.settings);
    }),
    change('order of plugins', stay(before, now), stay(now, before)),
  ];
}

/** `before` undefined: there was no such plugin. */
function settings(name: string, now: string, before: string | undefined): RestartChange[] {
  const [after, was] = [valuesOf(now), valuesOf(before ?? '{}')];
  const unset = before === undefined ? '' : 'not set';
  const text = (value: unknown): string => (value === undefined ? unset : JSON.stringify(value));
  return [...new Set([...Object.keys(was), ...Object.keys(after)])].map((key) =>
    change(`setting ${name}.${key}`, text(was[key]), text(after[key])),
  );
}

function valuesOf(settings: string): Record<string, unknown> {
  try {
    const parsed: unknown = JSON.parse(settings);
    return typeof parsed === 'object' && parsed !== null ? (parsed as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
