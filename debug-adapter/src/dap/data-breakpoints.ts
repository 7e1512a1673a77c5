/**
 * Data breakpoints: signals of the design whose change, or whose coming to meet a condition, holds the computation. Those that are set before the
 * simulation is there (it may be a script that starts it) are told to it then, and again to one that comes later, where the one that was told has gone.
 * Tests: test/dap/signals.test.ts, test/dap/data-breakpoints.test.ts.
 */
import type { DebugProtocol } from '@vscode/debugprotocol';
import { z } from 'zod';
import { parseSignalCondition } from '../model/signal-condition.js';
import type { ProcessStatus } from '../protocol/control.js';
import { CairnError } from '../protocol/errors.js';
import { WATCHES_AT_ONCE } from '../protocol/signals.js';
import type { Ask } from './design.js';
import { describeFailure, NOT_BEGUN, parseArguments } from './failure.js';

const Wanted = z.object({ dataId: z.string(), condition: z.string().optional(), hitCondition: z.string().optional() });
const SetArguments = z.object({ breakpoints: z.array(Wanted).default([]) });

/** Function breakpoints have the numbers below. */
const FIRST_ID = 100_000;
/** A simulation that is busy, as with a large design that it loads, is asked again after so long, and then ever less often. */
const AGAIN_MS = 1000;
const MOST_AGAIN_MS = 60_000;

/** A signal as clients keep it. Names have no tabs. `virtualPid`: of several simulations the one that is meant. */
export const dataIdOf = (name: string, virtualPid?: number): string =>
  virtualPid === undefined ? name : `${name}\t${virtualPid}`;

function partsOf(dataId: string): { name: string; virtualPid: number | undefined } {
  const [, name = dataId, virtualPid] = /^(.*)\t(\d+)$/.exec(dataId) ?? [];
  return { name, virtualPid: virtualPid === undefined ? undefined : Number(virtualPid) };
}

interface Fit {
  readonly at: number;
  readonly name: string;
  readonly condition: string | undefined;
}

export class DataBreakpoints {
  readonly #ask: Ask;
  /** undefined: the computation cannot be told. */
  readonly #processes: () => readonly ProcessStatus[] | undefined;
  readonly #changed: (breakpoint: DebugProtocol.Breakpoint) => void;
  #wanted: z.infer<typeof Wanted>[] = [];
  /** As the client knows them. */
  #answered: DebugProtocol.Breakpoint[] = [];
  /** Some are not watched, and may be when processes have changed. */
  #missed = false;
  /** Who watches: virtual pid → the program that it was then. */
  #told = new Map<number, string>();
  /** Processes when they were told last. */
  #seen = new Set<string>();
  #again: NodeJS.Timeout | undefined;
  #pause = AGAIN_MS;
  /** One at a time. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(
    ask: Ask,
    processes: () => readonly ProcessStatus[] | undefined,
    changed: (breakpoint: DebugProtocol.Breakpoint) => void,
  ) {
    this.#ask = ask;
    this.#processes = processes;
    this.#changed = changed;
  }

  async set(args: unknown): Promise<object> {
    const { breakpoints } = parseArguments(SetArguments, 'setDataBreakpoints', args);
    return { breakpoints: await this.#inTurn(() => this.#set(breakpoints)) };
  }

  /** Processes may have changed. Resolves when all that can be told is told. */
  async follow(): Promise<void> {
    if (this.#wanted.length > 0 && this.#processes() !== undefined) await this.#inTurn(() => this.#follow());
  }

  dispose(): void {
    clearTimeout(this.#again);
  }

  /** Those on this signal. */
  hit(name: string): number[] {
    return this.#wanted.flatMap(({ dataId }, at) => (partsOf(dataId).name === name ? [FIRST_ID + at] : []));
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#last.then(work);
    this.#last = mine.catch(() => undefined);
    return mine;
  }

  async #set(wanted: z.infer<typeof Wanted>[]): Promise<DebugProtocol.Breakpoint[]> {
    this.#wanted = wanted;
    this.#answered = await this.#tell();
    return this.#answered;
  }

  async #follow(): Promise<void> {
    const now = new Map(this.#processes()?.map((one) => [one.virtualPid, programOf(one)]));
    const gone = [...this.#told].some(([virtualPid, program]) => now.get(virtualPid) !== program);
    const fresh = [...now].some(([virtualPid, program]) => !this.#seen.has(`${virtualPid} ${program}`));
    if (!gone && !(this.#missed && fresh)) return;
    await this.#tellAgain();
  }

  async #tellAgain(): Promise<void> {
    const before = this.#answered;
    if (this.#processes() === undefined) return;
    this.#answered = await this.#tell();
    for (const one of this.#answered) {
      const known = before.find(({ id }) => id === one.id);
      if (known?.verified !== one.verified || known.message !== one.message) this.#changed(one);
    }
  }

  async #tell(): Promise<DebugProtocol.Breakpoint[]> {
    clearTimeout(this.#again);
    const answers = new Map<number, string>();
    this.#wanted.forEach((one, at) => {
      const why = at >= WATCHES_AT_ONCE ? `At most ${WATCHES_AT_ONCE} signals are watched at once.` : against(one);
      if (why !== '') answers.set(at, why);
    });
    const never = answers.size;
    const processes = this.#processes();
    const byProcess = new Map<number | undefined, Fit[]>();
    this.#wanted.forEach(({ dataId, condition }, at) => {
      if (answers.has(at)) return;
      if (processes === undefined) answers.set(at, NOT_BEGUN);
      const { name, virtualPid } = partsOf(dataId);
      byProcess.set(virtualPid, [...(byProcess.get(virtualPid) ?? []), { at, name, condition }]);
    });
    if (processes !== undefined) await this.#tellEach(byProcess, processes, answers);
    this.#missed = answers.size > never;
    return this.#wanted.map((_, at) => {
      const message = answers.get(at);
      return { id: FIRST_ID + at, verified: message === undefined, ...(message === undefined ? {} : { message }) };
    });
  }

  /** What a process is told is in place of what it was told before: all for one go together. */
  async #tellEach(
    byProcess: Map<number | undefined, Fit[]>,
    processes: readonly ProcessStatus[],
    answers: Map<number, string>,
  ): Promise<void> {
    const programs = new Map(processes.map((one) => [one.virtualPid, programOf(one)]));
    this.#seen = new Set([...programs].map(([virtualPid, program]) => `${virtualPid} ${program}`));
    const before = [...this.#told.keys()];
    this.#told = new Map();
    let later = false;
    const tell = async (virtualPid: number | undefined, fit: readonly Fit[]): Promise<void> => {
      try {
        const watches = fit.map(({ name, condition }) => ({ name, ...(condition === undefined ? {} : { condition }) }));
        const of = virtualPid === undefined ? {} : { virtualPid };
        const { watched, virtualPid: told } = await this.#ask('session/watchSignals', { watches, ...of });
        if (fit.length > 0) this.#told.set(told, programs.get(told) ?? '');
        fit.forEach(({ at }, index) => {
          const why = watched[index]?.why ?? '';
          if (why !== '') answers.set(at, why);
        });
      } catch (error) {
        later ||= error instanceof CairnError && error.code === 'simulationAway';
        for (const { at } of fit) answers.set(at, describeFailure(error).text);
      }
    };
    const any = byProcess.get(undefined);
    if (any !== undefined) await tell(undefined, any);
    for (const [virtualPid, fit] of byProcess) {
      if (virtualPid === undefined) continue;
      await tell(virtualPid, this.#told.has(virtualPid) ? [...(any ?? []), ...fit] : fit);
    }
    for (const virtualPid of before) if (programs.has(virtualPid) && !this.#told.has(virtualPid)) await tell(virtualPid, []);
    if (later) this.#again = setTimeout(() => void this.#inTurn(() => this.#tellAgain()), this.#pause);
    this.#pause = later ? Math.min(2 * this.#pause, MOST_AGAIN_MS) : AGAIN_MS;
  }
}

/** Another one has not been told; plugins are there when it can be. */
const programOf = ({ executable, argv, plugins }: ProcessStatus): string =>
  JSON.stringify([executable, argv, plugins.length > 0]);

function against({ condition, hitCondition }: z.infer<typeof Wanted>): string {
  if (hitCondition) return 'Changes are not counted: give a condition instead.';
  try {
    parseSignalCondition(condition);
    return '';
  } catch (error) {
    return describeFailure(error).text;
  }
}
