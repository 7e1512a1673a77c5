/**
 * Design signals: asks the plugin `hdl` of the process that is the simulation, which serves one request at a time
 * (native-agent/plugins/hdl/request.h has the texts). Between operations.
 * Tests: test/protocol/signals.test.ts, test/simulators/signals.test.ts.
 */
import { formatSignalValue, parseSignalValue } from '../model/signal-values.js';
import { type CairnError, failure } from '../protocol/errors.js';
import type { SignalsParams, SignalsResult, SignalWritesParams, SignalWritesResult } from '../protocol/signals.js';
import { DesignSignal, WrittenSignal } from '../protocol/signals.js';
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
const ETIMEDOUT = 110;

export async function listSignals(session: Session, params: SignalsParams): Promise<SignalsResult> {
  const { pattern, offset, limit } = params;
  const text = ['list', offset, limit, oneField(pattern)].join('\t');
  const { one, lines } = await ask(session, params.virtualPid, text);
  const more = lines.find(([what]) => what === 'more')?.[1];
  return {
    ...facts(one, lines),
    signals: lines.filter(([what]) => what === 'signal').map(signalOf),
    next: more === undefined ? null : Number(more),
  };
}

export async function writeSignals(session: Session, params: SignalWritesParams): Promise<SignalWritesResult> {
  const asked = params.writes.map(({ action, name, value }) => {
    if (action !== 'release' && value === undefined)
      throw failure('usage', { what: `No value for ${name}`, remedy: 'Give one: NAME=VALUE' });
    return [action, oneField(name), action === 'release' ? '' : parseSignalValue(value ?? '')].join('\t');
  });
  const { one, lines } = await ask(session, params.virtualPid, ['write', ...asked].join('\n'));
  return { ...facts(one, lines), written: lines.filter(([what]) => what === 'written').map(writtenOf) };
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

function facts(one: AgentConnection, lines: readonly (readonly string[])[]): Omit<SignalsResult, 'signals' | 'next'> {
  const of = (what: string): readonly string[] => lines.find(([first]) => first === what) ?? [];
  const [, ticks = '0', unit = '0'] = of('time');
  const [, simulator = ''] = of('simulator');
  return { virtualPid: one.virtualPid, program: one.program, simulator, time: { ticks, unit: Number(unit) } };
}

async function ask(
  session: Session,
  virtualPid: number | undefined,
  text: string,
): Promise<{ one: AgentConnection; lines: string[][] }> {
  if (session.state !== 'running')
    throw failure('wrongState', {
      name: session.name,
      state: session.state,
      what: 'reading or writing design signals',
      remedy: session.state === 'held' ? 'Resume it first: cairn resume' : 'Try again when it runs; see cairn status.',
    });
  const one = await findSimulation(session, virtualPid);
  const answer = await request(one, text);
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
  [-ETIMEDOUT, -EAGAIN, -EBUSY].includes(errorNumber);

function refusal({ virtualPid: pid, program }: AgentConnection, { errorNumber, error: why }: PluginAnswer): Error {
  return failure(isLater({ errorNumber }) ? 'simulationAway' : 'noSignals', { pid, program, why });
}
