/**
 * Commands on a live session: checkpoint, status, hold, resume, cancel, stop, logs.
 */
import { readFileSync } from 'node:fs';
import { allSessions } from '../../control/sessions.js';
import { runtimePaths } from '../../platform/runtime.js';
import type { SessionStatus } from '../../protocol/control.js';
import { failure } from '../../protocol/errors.js';
import {
  changeText,
  formatBytes,
  formatDuration,
  formatHoldOff,
  formatSimulatedTime,
  formatTable,
  formatTime,
  heldText,
  shellWord,
} from '../../protocol/format.js';
import type { OperationStatus } from '../../protocol/operation.js';
import { phaseLabel } from '../../protocol/phase-words.js';
import { fileRule } from '../choices.js';
import { Progress, print, printJson, printRaw } from '../output.js';
import { chooseSession, withSession } from '../sessions.js';

interface Common {
  session?: string;
  json: boolean;
}

function phaseText({ phases, heldOff, heldAt }: OperationStatus): string {
  if (heldAt !== '') return heldText(heldAt);
  if (heldOff.length > 0) return formatHoldOff(heldOff);
  const phase = phases.at(-1);
  return phase === undefined ? '' : phaseLabel(phase);
}

export async function checkpoint(
  options: Common & { name: string; then: string; file: string[]; holdAt: string[] },
): Promise<number> {
  const { name } = options;
  const then = options.then;
  if (then !== 'resume' && then !== 'hold' && then !== 'kill')
    throw failure('usage', { what: `--then ${then}: it has to be resume, hold or kill`, remedy: 'See cairn checkpoint --help' });
  const files = options.file.map(fileRule);
  const progress = new Progress();
  const result = await withSession(options.session, async (client) => {
    client.on(
      'session/changed',
      ({ operation }) => operation && !operation.finished && progress.show(`checkpoint: ${phaseText(operation)}`),
    );
    process.once('SIGINT', () => void client.request('session/cancel', { only: 'checkpoint' }).catch(() => undefined));
    return client.request('session/checkpoint', { name, then, files, holdAt: options.holdAt });
  }).finally(() => progress.clear());
  if (options.json) printJson(result);
  else {
    const time = result.simulatedTime === null ? '' : `, at ${formatSimulatedTime(result.simulatedTime)}`;
    print(
      `${result.snapshot}  ${formatBytes(result.bytes)}, held ${formatDuration(result.pauseMs)}, ${formatDuration(result.totalMs)} in all${time}`,
    );
  }
  return 0;
}

export async function status(options: Common & { all: boolean }): Promise<number> {
  if (options.all) {
    const sessions = await allSessions();
    if (options.json) printJson(sessions);
    else if (sessions.length === 0) print('no sessions');
    else
      print(
        formatTable([
          ['SESSION', 'STATE', 'STARTED', 'PROGRAM'],
          ...sessions.map((one) => [one.session, stateText(one), formatTime(one.startedAt), one.argv.map(shellWord).join(' ')]),
        ]),
      );
    return 0;
  }
  const name = await chooseSession(options.session);
  const ended = (await allSessions()).find((one) => one.session === name && one.state === 'exited');
  const found = ended ?? (await withSession(name, (client) => client.request('session/status', {})));
  if (options.json) printJson(found);
  else print(statusText(found));
  return 0;
}

function stateText({ state, exitStatus }: SessionStatus): string {
  return state === 'exited' && exitStatus !== null ? `exited (${exitStatus})` : state;
}

function statusText(one: SessionStatus): string {
  const rows: string[][] = [
    ['session', one.session],
    ['state', stateText(one)],
    ['program', one.argv.map(shellWord).join(' ')],
    ['folder', one.cwd],
    ['store', one.store],
    ['started', formatTime(one.startedAt)],
  ];
  if (one.heldBy !== null) rows.push(['held by', [one.heldBy.what, one.heldBy.why].filter((text) => text !== '').join(': ')]);
  if (one.chosenSignals.length > 0) rows.push(['notes signals', one.chosenSignals.join(', ')]);
  if (one.restartedFrom !== null) rows.push(['restarted from', one.restartedFrom]);
  for (const change of one.restartChanges) rows.push(['changed', changeText(change)]);
  if (one.listen !== null) rows.push(['listens at', `${one.listen}, secret: ${runtimePaths(one.session).secret}`]);
  const several = one.hosts.length > 1;
  for (const host of several ? one.hosts : []) {
    const where = host.address === '' ? 'here' : host.address;
    rows.push(['host', `${host.name}  ${where}${host.connected ? '' : ' (nobody answers)'}`]);
  }
  if (one.runFolder !== null) rows.push(['writes to', one.runFolder]);
  if (one.lastSnapshot !== null) rows.push(['last snapshot', one.lastSnapshot]);
  if (one.operation !== null && !one.operation.finished) rows.push([one.operation.kind, phaseText(one.operation)]);
  for (const process of one.processes) {
    rows.push([
      'process',
      `${process.virtualPid}${process.realPid === process.virtualPid ? '' : ` (now ${process.realPid})`}${several ? `  on ${process.host}` : ''}  ${process.executable}`,
    ]);
    if (process.problem !== '') rows.push(['', `cannot be checkpointed: ${process.problem}`]);
    for (const plugin of [...process.plugins].sort((a, b) => b.layer - a.layer)) {
      rows.push([
        '',
        `layer ${plugin.layer}: ${plugin.name} ${plugin.version}${plugin.error === '' ? '' : ` (refused: ${plugin.error})`}`,
      ]);
    }
  }
  return formatTable(rows);
}

export async function hold(options: Common): Promise<number> {
  return report(options, await withSession(options.session, (client) => client.request('session/hold', {})));
}

export async function resume(options: Common): Promise<number> {
  return report(options, await withSession(options.session, (client) => client.request('session/resume', {})));
}

export async function cancel(options: Common): Promise<number> {
  const status = await withSession(options.session, async (client) => {
    const { session, operation } = await client.request('session/status', {});
    if (operation === null || operation.finished) throw failure('nothingUnderWay', { name: session });
    const over = new Promise<SessionStatus>((resolve) => {
      client.on('session/changed', (now) => (now.operation?.id !== operation.id || now.operation.finished) && resolve(now));
    });
    await client.request('session/cancel', {});
    return Promise.race([over, client.closed.then(() => undefined)]);
  });
  return status === undefined ? 0 : report(options, status);
}

export async function stop(options: Common & { grace: string }): Promise<number> {
  const seconds = Number(options.grace);
  if (!(seconds >= 0))
    throw failure('usage', {
      what: `--grace ${options.grace}: it has to be a number of seconds`,
      remedy: 'See cairn stop --help',
    });
  return report(
    options,
    await withSession(options.session, (client) => client.request('session/stop', { graceMs: seconds * 1000 })),
  );
}

function report({ json }: Common, found: SessionStatus): number {
  if (json) printJson(found);
  else print(`${found.session}: ${stateText(found)}`);
  return 0;
}

/** The coordinator's log, or what the program printed in the coordinator's terminal. Also of a session that has ended. */
export async function logs(options: { session?: string; output: boolean }): Promise<number> {
  const name = await chooseSession(options.session);
  const paths = runtimePaths(name);
  const path = options.output ? paths.terminalLog : paths.log;
  try {
    printRaw(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw options.output
      ? failure('noTerminal', { name }, cause)
      : failure(
          'sessionNotFound',
          { name, sessions: (await allSessions()).map((one) => one.session).join(', ') || 'none' },
          cause,
        );
  }
  return 0;
}
