/**
 * `cairn signals`: design signals of the simulation: their values, other values for them, and holds when they change.
 */
import { failure } from '../../protocol/errors.js';
import { formatSimulatedTime, formatTable } from '../../protocol/format.js';
import {
  type DesignSignal,
  SIGNALS_AT_ONCE,
  type SignalAction,
  type SignalsResult,
  type SignalWatch,
  WATCHES_AT_ONCE,
  WRITES_AT_ONCE,
} from '../../protocol/signals.js';
import { wholeNumber } from '../choices.js';
import { note, print, printJson } from '../output.js';
import { withSession } from '../sessions.js';

interface Options {
  session?: string;
  pid?: string;
  json: boolean;
}

export async function signals(
  pattern: string | undefined,
  options: Options & { offset: string; limit: string },
): Promise<number> {
  const params = {
    pattern: pattern ?? '',
    offset: wholeNumber(options.offset, '--offset', 0),
    limit: wholeNumber(options.limit, '--limit', 1, SIGNALS_AT_ONCE),
    ...processOf(options),
  };
  const result = await withSession(options.session, (client) => client.request('session/signals', params));
  if (options.json) {
    printJson(result);
    return 0;
  }
  print(heading(result));
  const lines = result.signals.map((one) => [one.name, one.kind, extent(one), one.value ?? '']);
  if (lines.length === 0)
    note(pattern ? `the design has no signal like "${pattern}"` : 'the design has no signals that can be seen');
  else print(formatTable([['NAME', 'KIND', 'BITS', 'VALUE'], ...lines]));
  if (result.next !== null) note(`there are more: --offset ${result.next}`);
  return 0;
}

export async function writeSignals(action: SignalAction, texts: readonly string[], options: Options): Promise<number> {
  if (texts.length > WRITES_AT_ONCE)
    throw failure('usage', { what: `${texts.length} signals are too many at once`, remedy: `At most ${WRITES_AT_ONCE}.` });
  const writes = texts.map((text) => {
    // A name may have a "=" in it where it is an escaped one; a value has none.
    const at = text.lastIndexOf('=');
    if (action === 'release') return { action, name: text };
    if (at < 1) throw failure('usage', { what: `"${text}" gives no value`, remedy: 'Write NAME=VALUE.' });
    return { action, name: text.slice(0, at), value: text.slice(at + 1) };
  });
  const result = await withSession(options.session, (client) =>
    client.request('session/writeSignals', { writes, ...processOf(options) }),
  );
  if (options.json) printJson(result);
  else {
    print(heading(result));
    const lines = result.written.map((one) => [one.name, one.outcome, one.before ?? '', one.after ?? '']);
    print(formatTable([['NAME', 'OUTCOME', 'BEFORE', 'AFTER'], ...lines]));
    for (const { name, why } of result.written) if (why !== '') note(`${name}: ${why}`);
  }
  return result.written.every(({ outcome }) => outcome === 'effective') ? 0 : 1;
}

/** NAME, or NAME and a condition behind it: `top.count==8'h2a`. */
function watchOf(text: string): SignalWatch {
  const [, name = '', condition = ''] = /^([^=!<>]*)(.*)$/s.exec(text) ?? [];
  if (name.trim() === '')
    throw failure('usage', {
      what: `"${text}" names no signal`,
      remedy: 'Write NAME, or NAME==VALUE, NAME>VALUE and so on, quoted.',
    });
  return { name: name.trim(), condition };
}

export async function watchSignals(texts: readonly string[], options: Options): Promise<number> {
  if (texts.length > WATCHES_AT_ONCE)
    throw failure('usage', { what: `${texts.length} signals are too many at once`, remedy: `At most ${WATCHES_AT_ONCE}.` });
  const params = { watches: texts.map(watchOf), ...processOf(options) };
  const result = await withSession(options.session, (client) => client.request('session/watchSignals', params));
  if (options.json) printJson(result);
  else {
    print(heading(result));
    for (const { name, why } of result.watched) print(why === '' ? `watched: ${name}` : `not watched: ${name}: ${why}`);
    if (texts.length === 0) note('no signal is watched any more');
  }
  return result.watched.every(({ why }) => why === '') ? 0 : 1;
}

export async function chooseSignals(names: readonly string[], options: Options & { none: boolean }): Promise<number> {
  const change = names.length > 0 || options.none;
  const result = await withSession(options.session, (client) =>
    client.request('session/chooseSignals', change ? { names: [...names] } : {}),
  );
  if (options.json) printJson(result);
  else if (result.names.length === 0) note('no signal is noted with snapshots');
  else for (const name of result.names) print(name);
  return 0;
}

export async function signalTree(
  scope: string | undefined,
  options: Options & { offset: string; limit: string },
): Promise<number> {
  const params = {
    scope: scope ?? '',
    offset: wholeNumber(options.offset, '--offset', 0),
    limit: wholeNumber(options.limit, '--limit', 1, SIGNALS_AT_ONCE),
    ...processOf(options),
  };
  const result = await withSession(options.session, (client) => client.request('session/scope', params));
  if (options.json) {
    printJson(result);
    return 0;
  }
  print(heading(result));
  const scopes = result.scopes.map((one) => [one.name, one.module, `${one.scopes} scopes, ${one.signals} signals`, '']);
  const signals = result.signals.map((one) => [one.name, one.kind, extent(one), one.value ?? '']);
  const lines = [...scopes, ...signals];
  if (lines.length === 0) note('there is nothing in it');
  else print(formatTable([['NAME', 'KIND', 'BITS', 'VALUE'], ...lines]));
  if (result.next !== null) note(`there are more: --offset ${result.next}`);
  return 0;
}

function heading({
  time,
  simulator,
  virtualPid,
  program,
}: Pick<SignalsResult, 'time' | 'simulator' | 'virtualPid' | 'program'>): string {
  return `at ${formatSimulatedTime(time)} in process ${virtualPid} (${program}, ${simulator})`;
}

function extent({ kind, width, range }: DesignSignal): string {
  const limits = range === null ? '' : `[${range.left}:${range.right}]`;
  return kind === 'memory' ? `${width} × ${limits}` : limits === '' ? String(width) : `${width} ${limits}`;
}

function processOf({ pid }: Options): { virtualPid?: number } {
  return pid === undefined ? {} : { virtualPid: wholeNumber(pid, '--pid', 1) };
}
