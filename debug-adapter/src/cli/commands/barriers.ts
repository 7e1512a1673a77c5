/**
 * `cairn barriers`: the phases of the last checkpoint or restart, each plugin's barriers among them: how long each took, who has arrived,
 * who came last or is waited for, and which plugin's callback took longest. With --follow, live, until the session ends; with --snapshot,
 * of the checkpoint that made a snapshot and of the restarts from it.
 */

import type { SessionStatus } from '../../protocol/control.js';
import { failure } from '../../protocol/errors.js';
import { formatDuration, formatHoldOff, formatTable } from '../../protocol/format.js';
import { lastArrival, longestCall, phaseLabel, processName, slowestOf, slowestText } from '../../protocol/phase-words.js';
import type { OperationTimeline, PhaseTimeline } from '../../protocol/timeline.js';
import { note, print, printJson } from '../output.js';
import { withSession } from '../sessions.js';
import { headline, keptTimelines } from '../timelines.js';

interface Options {
  session?: string;
  snapshot?: string;
  store?: string;
  json: boolean;
  follow: boolean;
}

/** A callback that took less says nothing about who was waited for. */
const WORTH_NAMING_MS = 0.1;

/** In words, at most three of them. */
function some(pids: readonly number[], timeline: OperationTimeline): string {
  const more = pids.length > 3 ? ` and ${pids.length - 3} more` : '';
  return pids
    .slice(0, 3)
    .map((pid) => processName(pid, timeline))
    .join(', ')
    .concat(more);
}

function remark(phase: PhaseTimeline, timeline: OperationTimeline): string {
  const { arrivals, missing, endedMs, error } = phase;
  if (error !== '') return error.split('\n')[0] ?? '';
  if (missing.length > 0) return `${endedMs === null ? 'waits for' : 'without'} ${some(missing, timeline)}`;
  const last = lastArrival(phase);
  const call = longestCall(last ?? arrivals[0] ?? { calls: [] });
  const slow =
    call !== undefined && call.ms >= WORTH_NAMING_MS ? `${call.plugin}, ${call.callback}: ${formatDuration(call.ms)}` : '';
  return [last === undefined ? '' : `last: ${processName(last.virtualPid, timeline)}`, slow]
    .filter((text) => text !== '')
    .join('; ');
}

function cells(phase: PhaseTimeline, timeline: OperationTimeline): string[] {
  const { startedMs, endedMs, arrivals, missing } = phase;
  return [
    phaseLabel(phase),
    formatDuration(startedMs),
    endedMs === null ? '…' : formatDuration(endedMs - startedMs),
    `${arrivals.length} of ${arrivals.length + missing.length}`,
    remark(phase, timeline),
  ];
}

const titles = ['PHASE', 'AT', 'TOOK', 'ARRIVED', ''];

function printWhole(timeline: OperationTimeline): void {
  print(headline(timeline));
  print(formatTable([titles, ...timeline.phases.map((phase) => cells(phase, timeline))]));
  const slowest = slowestOf(timeline);
  if (slowest === undefined || slowest.call.ms < WORTH_NAMING_MS) return;
  print(`slowest: ${slowestText(slowest, timeline)}`);
}

export async function barriers({ session, snapshot, store, json, follow }: Options): Promise<number> {
  if (snapshot !== undefined) {
    const kept = keptTimelines(snapshot, store);
    if (json) printJson(kept);
    else kept.forEach(printWhole);
    return 0;
  }
  return withSession(session, async (client) => {
    const found = await client.request('session/status', {});
    const latest = async (): Promise<OperationTimeline | undefined> =>
      (await client.request('session/timelines', {})).timelines.at(-1);
    if (!follow) {
      const { operation } = found;
      const timeline = await latest();
      if (operation === null || timeline === undefined) throw failure('noOperation', { name: found.session });
      if (json) {
        printJson(operation);
        return 0;
      }
      printWhole(timeline);
      if (operation.heldOff.length > 0) print(formatHoldOff(operation.heldOff));
      return 0;
    }
    const followed = new Followed(json);
    const see = (status: SessionStatus): void => {
      followed.see(status);
      // The coordinator stays for whoever is connected.
      if (status.state === 'exited') client.close();
    };
    client.on('session/changed', see);
    see(found);
    process.once('SIGINT', () => client.close());
    await client.closed;
    return 0;
  });
}

/** Prints what is new in each state that is seen. */
class Followed {
  readonly #json: boolean;
  #id = -1;
  #printed = 0;
  #ended = false;
  #heldOff = '';

  constructor(json: boolean) {
    this.#json = json;
  }

  see(status: SessionStatus): void {
    const { operation } = status;
    if (operation === null || (operation.id === this.#id && this.#ended)) return;
    if (operation.id !== this.#id) {
      this.#id = operation.id;
      this.#printed = 0;
      this.#ended = false;
      if (!this.#json) print(headline({ ...operation, phases: [] }));
    }
    // What was tried and given up, as behind a critical section, is begun anew.
    this.#printed = Math.min(this.#printed, operation.phases.length);
    const timeline = asTimeline(status, operation);
    for (
      let phase = operation.phases[this.#printed];
      phase !== undefined && phase.endedMs !== null;
      phase = operation.phases[this.#printed]
    ) {
      const line = timeline.phases[this.#printed];
      if (this.#json) print(JSON.stringify({ operation: operation.id, kind: operation.kind, ...phase }));
      else if (line !== undefined)
        print(
          `  ${cells(line, timeline)
            .filter((cell) => cell !== '')
            .join('  ')}`,
        );
      this.#printed++;
    }
    const heldOff = operation.heldOff.length > 0 ? formatHoldOff(operation.heldOff) : '';
    if (heldOff !== this.#heldOff && heldOff !== '' && !this.#json) note(heldOff);
    this.#heldOff = heldOff;
    this.#ended = operation.finished;
    if (operation.finished && !this.#json) print(headline(timeline));
  }
}

/** What is told at every change has the order of arrivals, but neither their times nor callbacks. */
function asTimeline(
  { session, processes }: SessionStatus,
  operation: NonNullable<SessionStatus['operation']>,
): OperationTimeline {
  const programs = processes.map(({ virtualPid, executable, host }) => ({
    virtualPid,
    program: executable.split('/').at(-1) ?? '',
    host,
  }));
  const phases = operation.phases.map(({ arrived, waiting, ...phase }) => ({
    ...phase,
    arrivals: arrived.map((virtualPid) => ({ virtualPid, atMs: phase.endedMs ?? phase.startedMs, ownMs: null, calls: [] })),
    missing: waiting,
  }));
  const { id, kind, startedAt, finished, error } = operation;
  return { id, kind, session, snapshot: null, startedAt, finished, error, processes: programs, phases };
}
