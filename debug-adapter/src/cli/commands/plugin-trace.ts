/**
 * `cairn plugin trace`: every callback of every plugin in the last checkpoint or restart, by process, with its times. With --follow, of
 * each operation as it ends; with --snapshot, of those that are kept with a snapshot.
 */
import { failure } from '../../protocol/errors.js';
import { formatDuration, formatTable } from '../../protocol/format.js';
import { phaseLabel, processName } from '../../protocol/phase-words.js';
import type { OperationTimeline } from '../../protocol/timeline.js';
import { print, printJson } from '../output.js';
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

export async function tracePlugins(options: Options): Promise<number> {
  const { session, snapshot, store, json, follow } = options;
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
    process.once('SIGINT', () => client.close());
    if ((await client.request('session/status', {})).state === 'exited') client.close();
    await client.closed;
    return 0;
  });
}
