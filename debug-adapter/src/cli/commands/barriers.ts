/**
 * `cairn barriers`: the phases of the last checkpoint or restart, each plugin's barriers among them: how long each took, who has arrived,
 * who came last or is waited for. With --follow, live, until the session ends.
 */
import type { OperationStatus, PhaseStatus, SessionStatus } from '../../protocol/control.js';
import { failure } from '../../protocol/errors.js';
import { formatDuration, formatHoldOff, formatTable } from '../../protocol/format.js';
import { note, print, printJson } from '../output.js';
import { withSession } from '../sessions.js';

interface Options {
  session?: string;
  json: boolean;
  follow: boolean;
}

type Programs = ReadonlyMap<number, string>;

function programsOf({ processes }: SessionStatus): Programs {
  return new Map(processes.map(({ virtualPid, executable }) => [virtualPid, executable.split('/').at(-1) ?? '']));
}

function nameOf(virtualPid: number, programs: Programs): string {
  const program = programs.get(virtualPid);
  return program === undefined ? `${virtualPid}` : `${virtualPid} (${program})`;
}

/** In words, at most three of them. */
function some(pids: readonly number[], programs: Programs): string {
  const more = pids.length > 3 ? ` and ${pids.length - 3} more` : '';
  return pids
    .slice(0, 3)
    .map((pid) => nameOf(pid, programs))
    .join(', ')
    .concat(more);
}

function remark({ arrived, waiting, endedMs, error }: PhaseStatus, programs: Programs): string {
  if (error !== '') return error.split('\n')[0] ?? '';
  if (waiting.length > 0) return `${endedMs === null ? 'waits for' : 'without'} ${some(waiting, programs)}`;
  const last = arrived.at(-1);
  return arrived.length > 1 && last !== undefined ? `last: ${nameOf(last, programs)}` : '';
}

function cells(phase: PhaseStatus, programs: Programs): string[] {
  const { phase: name, barrier, startedMs, endedMs, arrived, waiting } = phase;
  return [
    barrier || name,
    formatDuration(startedMs),
    endedMs === null ? '…' : formatDuration(endedMs - startedMs),
    `${arrived.length} of ${arrived.length + waiting.length}`,
    remark(phase, programs),
  ];
}

function headline({ kind, startedAt, finished, error }: OperationStatus): string {
  const outcome = error !== '' ? `failed: ${error}` : finished ? 'done' : 'goes on';
  return `${kind} of ${startedAt}: ${outcome}`;
}

const titles = ['PHASE', 'AT', 'TOOK', 'ARRIVED', ''];

export async function barriers({ session, json, follow }: Options): Promise<number> {
  return withSession(session, async (client) => {
    const found = await client.request('session/status', {});
    if (!follow) {
      const { operation } = found;
      if (operation === null) throw failure('noOperation', { name: found.session });
      if (json) {
        printJson(operation);
        return 0;
      }
      const programs = programsOf(found);
      print(headline(operation));
      print(formatTable([titles, ...operation.phases.map((phase) => cells(phase, programs))]));
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
      if (!this.#json) print(headline(operation));
    }
    // What was tried and given up, as behind a critical section, is begun anew.
    this.#printed = Math.min(this.#printed, operation.phases.length);
    const programs = programsOf(status);
    for (
      let phase = operation.phases[this.#printed];
      phase !== undefined && phase.endedMs !== null;
      phase = operation.phases[this.#printed]
    ) {
      if (this.#json) print(JSON.stringify({ operation: operation.id, kind: operation.kind, ...phase }));
      else
        print(
          `  ${cells(phase, programs)
            .filter((cell) => cell !== '')
            .join('  ')}`,
        );
      this.#printed++;
    }
    const heldOff = operation.heldOff.length > 0 ? formatHoldOff(operation.heldOff) : '';
    if (heldOff !== this.#heldOff && heldOff !== '' && !this.#json) note(heldOff);
    this.#heldOff = heldOff;
    this.#ended = operation.finished;
    if (operation.finished && !this.#json) print(headline(operation));
  }
}
