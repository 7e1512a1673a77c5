/**
 * `cairn plugin trace`: every callback of every plugin in the last checkpoint or restart, by process, with its times. With --follow, of
 * each operation as it ends, and with --calls each call of a function that plugins wrap; with --snapshot, of those that are kept with a
 * snapshot.
 */
import type { ControlClient } from '../../control/client.js';
import type { WrapperCall } from '../../protocol/control.js';
import { failure } from '../../protocol/errors.js';
import { formatDuration, formatTable } from '../../protocol/format.js';
import { phaseLabel, processName } from '../../protocol/phase-words.js';
import type { OperationTimeline } from '../../protocol/timeline.js';
import { note, print, printJson } from '../output.js';
import { withSession } from '../sessions.js';
import { headline, keptTimelines } from '../timelines.js';

interface Options {
  session?: string;
  snapshot?: string;
  store?: string;
  plugin: string[];
  pid?: string;
  json: boolean;
  follow: boolean;
  calls: boolean;
  seconds?: string;
}

type Wanted = (plugin: string, virtualPid: number) => boolean;

export interface TracedCall {
  operation: number;
  kind: OperationTimeline['kind'];
  phase: string;
  virtualPid: number;
  program: string;
  host: string;
  plugin: string;
  callback: string;
  /** Milliseconds since the operation began. */
  atMs: number;
  ms: number;
  count: number;
}

/** In the order of their times. */
export function tracedCalls(timeline: OperationTimeline, wanted: Wanted = () => true): TracedCall[] {
  const { id: operation, kind, processes } = timeline;
  const calls = timeline.phases.flatMap((phase) =>
    phase.arrivals.flatMap(({ virtualPid, atMs, ownMs, calls }) => {
      const { program, host } = processes.find((one) => one.virtualPid === virtualPid) ?? { program: '', host: '' };
      // The process's own clock is another one: its part of the phase ended when it arrived.
      const began = Math.max(phase.startedMs, atMs - (ownMs ?? 0));
      return calls
        .filter(({ plugin }) => wanted(plugin, virtualPid))
        .map((call) => ({
          operation,
          kind,
          phase: phaseLabel(phase),
          virtualPid,
          program,
          host,
          ...call,
          atMs: began + call.atMs,
        }));
    }),
  );
  return calls.sort((a, b) => a.atMs - b.atMs);
}

const titles = ['AT', 'PROCESS', 'PHASE', 'PLUGIN', 'CALLBACK', 'CALLS', 'TOOK'];

function printTrace(timeline: OperationTimeline, wanted: Wanted, json: boolean): void {
  const calls = tracedCalls(timeline, wanted);
  if (json) {
    for (const call of calls) print(JSON.stringify(call));
    return;
  }
  print(headline(timeline));
  const rows = calls.map(({ atMs, virtualPid, phase, plugin, callback, count, ms }) => [
    formatDuration(atMs),
    processName(virtualPid, timeline),
    phase,
    plugin,
    callback,
    `${count}`,
    formatDuration(ms),
  ]);
  if (rows.length > 0) print(formatTable([titles, ...rows]));
}

/** Microseconds since 1970, in local time: `06:13:49.123456`. */
function clockText(atUs: number): string {
  const time = new Date(Math.floor(atUs / 1000));
  const two = (value: number): string => `${value}`.padStart(2, '0');
  const micros = `${Math.floor(atUs % 1e6)}`.padStart(6, '0');
  return `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}.${micros}`;
}

function callLine({ atUs, virtualPid, program, thread, plugin, function: name, ms }: WrapperCall): string {
  const where = thread === virtualPid ? '' : `, thread ${thread}`;
  return `${clockText(atUs)}  ${virtualPid} (${program})${where}  ${plugin}  call ${name}  ${ms < 1 ? `${(ms * 1000).toFixed(1)} us` : formatDuration(ms)}`;
}

/** Prints calls of wrapped functions until the client closes. */
async function followCalls(client: ControlClient, wanted: Wanted, json: boolean): Promise<void> {
  client.on('session/calls', ({ calls, dropped, untraced }) => {
    for (const call of calls) if (wanted(call.plugin, call.virtualPid)) print(json ? JSON.stringify(call) : callLine(call));
    if (dropped > 0) note(`${dropped} calls more were not noted: they came faster than they are read`);
    if (untraced.length > 0)
      note(`calls in ${untraced.join(', ')} cannot all be seen: there are too many, or it is of an older version of Cairn`);
  });
  await client.request('session/trace', { on: true });
}

/** What a timer of Node.js can wait for. */
const MOST_SECONDS = 2_000_000;

function secondsOf(text: string): number {
  const seconds = Number(text);
  if (seconds > 0 && seconds <= MOST_SECONDS) return seconds;
  throw failure('usage', {
    what: `--seconds ${text}: it has to be a number of seconds, up to ${MOST_SECONDS}`,
    remedy: 'See cairn plugin trace --help',
  });
}

/** Lets what was seen until then be told. */
async function stopCalls(client: ControlClient, calls: boolean): Promise<void> {
  if (calls) await client.request('session/trace', { on: false }).catch(() => undefined);
  client.close();
}

export async function tracePlugins(options: Options): Promise<number> {
  const { session, snapshot, store, json, calls } = options;
  const follow = options.follow || calls || options.seconds !== undefined;
  const limit = options.seconds === undefined ? undefined : secondsOf(options.seconds);
  const pid = options.pid === undefined ? undefined : Number(options.pid);
  const wanted: Wanted = (plugin, virtualPid) =>
    (options.plugin.length === 0 || options.plugin.includes(plugin)) && (pid === undefined || pid === virtualPid);
  const show = (timelines: readonly OperationTimeline[]): void => {
    if (json && !follow) printJson(timelines.flatMap((one) => tracedCalls(one, wanted)));
    else for (const one of timelines) printTrace(one, wanted, json);
  };
  if (snapshot !== undefined) {
    show(keptTimelines(snapshot, store));
    return 0;
  }
  return withSession(session, async (client) => {
    const timelines = async (): Promise<OperationTimeline[]> => (await client.request('session/timelines', {})).timelines;
    if (!follow) {
      const last = (await timelines()).at(-1);
      if (last === undefined) throw failure('noOperation', { name: (await client.request('session/status', {})).session });
      show([last]);
      return 0;
    }
    let shown = -1;
    let asking = Promise.resolve();
    const look = async (): Promise<void> => {
      const fresh = (await timelines()).filter(({ id, finished }) => finished && id > shown);
      shown = fresh.at(-1)?.id ?? shown;
      show(fresh);
    };
    client.on('session/changed', ({ operation, state }) => {
      if (operation?.finished && operation.id > shown) asking = asking.then(look).catch(() => undefined);
      // The coordinator stays for whoever is connected.
      if (state === 'exited') void asking.then(() => client.close());
    });
    await look();
    const stop = (): void => void stopCalls(client, calls);
    process.once('SIGINT', stop);
    if (limit !== undefined) setTimeout(stop, limit * 1000);
    if (calls) await followCalls(client, wanted, json);
    if ((await client.request('session/status', {})).state === 'exited') client.close();
    await client.closed;
    return 0;
  });
}
