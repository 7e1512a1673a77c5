/**
 * Design signals: asks the plugin `hdl` of the process that is the simulation, which serves one request at a time
 * (native-agent/plugins/hdl/request.h has the texts). Between operations, or while the threads are stopped: then the plugin answers from a copy.
 * Tests: test/protocol/signals.test.ts, test/simulators/signals.test.ts, test/simulators/held-signals.test.ts.
 */
import { parseSignalCondition } from '../model/signal-condition.js';
import { formatSignalValue, parseSignalValue } from '../model/signal-values.js';
import { type CairnError, failure } from '../protocol/errors.js';
import type {
  InstancesParams,
  InstancesResult,
  ReadSignalsParams,
  ReadSignalsResult,
  ScopeParams,
  ScopeResult,
  SignalsParams,
  SignalsResult,
  SignalWritesParams,
  SignalWritesResult,
  WatchSignalsParams,
  WatchSignalsResult,
} from '../protocol/signals.js';
import { DesignScope, DesignSignal, WrittenSignal } from '../protocol/signals.js';
import { type AgentConnection, ConnectionLost, type PluginAnswer } from './agent-connection.js';
import type { Session } from './session.js';
import { bounded } from './strand.js';

const PLUGIN = 'hdl';
/** For the simulation to come to where it can be asked. */
const PATIENCE_MS = 5000;
/** For an answer of which the process itself sees to it that it comes. */
const ANSWER_MS = 10_000;
const ENOENT = 2;
const EAGAIN = 11;
const EBUSY = 16;
const EALREADY = 114;
const ETIMEDOUT = 110;

export async function listSignals(session: Session, params: SignalsParams): Promise<SignalsResult> {
  const { pattern, offset, limit } = params;
  const { one, lines } = await ask(session, params.virtualPid, ['list', offset, limit, oneField(pattern)].join('\t'));
  return { ...facts(one, lines), signals: signalsOf(lines), next: nextOf(lines) };
}

export async function listScope(session: Session, params: ScopeParams): Promise<ScopeResult> {
  const { scope, offset, limit } = params;
  const { one, lines } = await ask(session, params.virtualPid, ['scope', offset, limit, oneField(scope)].join('\t'));
  if (missingOf(lines).length > 0) throw failure('noSuchSignal', { name: scope });
  const [, scopes = '0', signals = '0'] = lines.find(([what]) => what === 'total') ?? [];
  const total = { scopes: Number(scopes), signals: Number(signals) };
  return { ...facts(one, lines), total, scopes: scopesOf(lines), signals: signalsOf(lines), next: nextOf(lines) };
}

export async function listInstances(session: Session, params: InstancesParams): Promise<InstancesResult> {
  const { module, offset, limit } = params;
  const { one, lines } = await ask(session, params.virtualPid, ['instances', offset, limit, oneField(module)].join('\t'));
  return { ...facts(one, lines), instances: scopesOf(lines), next: nextOf(lines) };
}

export async function readSignals(session: Session, params: ReadSignalsParams): Promise<ReadSignalsResult> {
  const { one, lines } = await ask(session, params.virtualPid, ['read', ...params.names.map(oneField)].join('\n'));
  return { ...facts(one, lines), signals: signalsOf(lines), missing: missingOf(lines) };
}

export async function watchSignals(session: Session, params: WatchSignalsParams): Promise<WatchSignalsResult> {
  const asked = params.watches.map(({ name, condition }) => {
    const { operation, value } = parseSignalCondition(condition);
    return [oneField(name), operation, value].join('\t');
  });
  const { one, lines } = await ask(session, params.virtualPid, ['watch', ...asked].join('\n'));
  const watched = lines.filter(([what]) => what === 'watched').map(([, name = '', why = '']) => ({ name, why }));
  return { ...facts(one, lines), watched };
}

export async function writeSignals(session: Session, params: SignalWritesParams): Promise<SignalWritesResult> {
  return written(await ask(session, params.virtualPid, writeText('write', params)));
}

/**
 * Of a held computation: asked for now, done when it goes on, and then the simulation asks to be held. Whether it is a simulation at all, and
 * can be looked at, is known before that.
 */
export async function beginHeldWrite(
  session: Session,
  params: SignalWritesParams,
): Promise<{ result: Promise<SignalWritesResult> }> {
  const text = writeText('write\thold', params);
  const { one } = await ask(session, params.virtualPid, ['read', ...params.writes.map(({ name }) => oneField(name))].join('\n'));
  const result = request(one, text).then((answer) => written(taken(one, answer)));
  result.catch(() => undefined);
  return { result };
}

function writeText(first: string, { writes }: SignalWritesParams): string {
  const asked = writes.map(({ action, name, value }) => {
    if (action !== 'release' && value === undefined)
      throw failure('usage', { what: `No value for ${name}`, remedy: 'Give one: NAME=VALUE' });
    return [action, oneField(name), action === 'release' ? '' : parseSignalValue(value ?? '')].join('\t');
  });
  return [first, ...asked].join('\n');
}

function written({ one, lines }: Asked): SignalWritesResult {
  return { ...facts(one, lines), written: lines.filter(([what]) => what === 'written').map(writtenOf) };
}

const signalsOf = (lines: Lines): DesignSignal[] => lines.filter(([what]) => what === 'signal').map(signalOf);
const scopesOf = (lines: Lines): DesignScope[] => lines.filter(([what]) => what === 'scope').map(scopeOf);
const missingOf = (lines: Lines): string[] => lines.flatMap(([what, name = '']) => (what === 'missing' ? [name] : []));

function nextOf(lines: Lines): number | null {
  const more = lines.find(([what]) => what === 'more')?.[1];
  return more === undefined ? null : Number(more);
}

function scopeOf([, name = '', scopes = '', signals = '', module = '']: readonly string[]): DesignScope {
  return DesignScope.parse({ name, scopes: Number(scopes), signals: Number(signals), module });
}

function oneField(text: string): string {
  if (/[\t\n\0]/.test(text))
    throw failure('usage', { what: 'A name of a signal has no tabs and is in one line', remedy: 'See cairn signals.' });
  return text;
}

function signalOf([, name = '', kind = '', width = '', left = '', right = '', value = '']: readonly string[]): DesignSignal {
  return DesignSignal.parse({
    name,
    kind,
    width: Number(width),
    range: left === '' ? null : { left: Number(left), right: Number(right) },
    value: formatSignalValue(value),
  });
}

function writtenOf([, name = '', outcome = '', before = '', after = '', why = '']: readonly string[]): WrittenSignal {
  return WrittenSignal.parse({
    name,
    outcome,
    before: formatSignalValue(before),
    after: formatSignalValue(after),
    why,
  });
}

type Lines = readonly (readonly string[])[];
interface Asked {
  one: AgentConnection;
  lines: Lines;
}

function facts(one: AgentConnection, lines: Lines): Omit<SignalsResult, 'signals' | 'next'> {
  const of = (what: string): readonly string[] => lines.find(([first]) => first === what) ?? [];
  const [, ticks = '0', unit = '0'] = of('time');
  const [, simulator = ''] = of('simulator');
  return { virtualPid: one.virtualPid, program: one.program, simulator, time: { ticks, unit: Number(unit) } };
}

async function ask(session: Session, virtualPid: number | undefined, text: string): Promise<Asked> {
  if (!['running', 'held', 'checkpointing'].includes(session.state))
    throw failure('wrongState', {
      name: session.name,
      state: session.state,
      what: 'reading or writing design signals',
      remedy: 'Try again when it runs; see cairn status.',
    });
  const one = await findSimulation(session, virtualPid);
  return taken(one, await request(one, text));
}

function taken(one: AgentConnection, answer: PluginAnswer): Asked {
  if (answer.errorNumber < 0) throw refusal(one, answer);
  return {
    one,
    lines: answer.text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => line.split('\t')),
  };
}

/** Of several processes, the one that is a simulation. */
async function findSimulation({ processes, name }: Session, virtualPid: number | undefined): Promise<AgentConnection> {
  const all = processes.filter((one) => one.isReady && (virtualPid === undefined || one.virtualPid === virtualPid));
  const [only] = all;
  if (only === undefined)
    throw virtualPid === undefined ? failure('noProcess', { name }) : failure('unknownProcess', { name, pid: virtualPid });
  if (all.length === 1) return only;
  const looked = await Promise.allSettled(all.map((one) => request(one, 'look')));
  const answers = looked.flatMap((one, index) => {
    const process = all[index];
    return one.status === 'fulfilled' && process !== undefined ? [{ one: process, answer: one.value }] : [];
  });
  const found = answers.filter(({ answer }) => answer.errorNumber >= 0);
  const [simulation] = found;
  if (found.length > 1)
    throw failure('severalSimulations', {
      all: found.map(({ one }) => `${one.virtualPid} (${one.program})`).join(', '),
    });
  if (simulation !== undefined) return simulation.one;
  // A simulation that is busy is one; else who has something of a simulation knows best what is missing.
  const telling =
    answers.find(({ answer }) => isLater(answer)) ??
    answers.find(({ answer }) => answer.errorNumber !== -ENOENT && /VPI|GHDL|strip/.test(answer.error)) ??
    answers[0];
  throw telling === undefined ? failure('noProcess', { name }) : refusal(telling.one, telling.answer);
}

async function request(one: AgentConnection, text: string): Promise<PluginAnswer> {
  const { virtualPid: pid, program } = one;
  const away = (why: string): CairnError => failure('simulationAway', { pid, program, why });
  try {
    return await bounded(one.askPlugin(PLUGIN, text, PATIENCE_MS), PATIENCE_MS + ANSWER_MS, () =>
      away('it did not answer in time'),
    );
  } catch (error) {
    throw error instanceof ConnectionLost ? away('it ended, or executed another program, before it answered') : error;
  }
}

const isLater = ({ errorNumber }: Pick<PluginAnswer, 'errorNumber'>): boolean =>
  [-ETIMEDOUT, -EAGAIN, -EBUSY, -EALREADY].includes(errorNumber);

function refusal({ virtualPid: pid, program }: AgentConnection, { errorNumber, error: why }: PluginAnswer): Error {
  return failure(isLater({ errorNumber }) ? 'simulationAway' : 'noSignals', { pid, program, why });
}
