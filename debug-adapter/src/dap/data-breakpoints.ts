/**
 * Data breakpoints: signals of the design whose change, or whose coming to meet a condition, holds the computation. Those that are set before the
 * computation is there are told to it then. Tests: test/dap/signals.test.ts.
 */
import type { DebugProtocol } from '@vscode/debugprotocol';
import { z } from 'zod';
import { parseSignalCondition } from '../model/signal-condition.js';
import { WATCHES_AT_ONCE } from '../protocol/signals.js';
import type { Ask } from './design.js';
import { describeFailure, parseArguments } from './failure.js';

const Wanted = z.object({ dataId: z.string(), condition: z.string().optional(), hitCondition: z.string().optional() });
const SetArguments = z.object({ breakpoints: z.array(Wanted).default([]) });

/** Function breakpoints have the numbers below. */
const FIRST_ID = 100_000;

export class DataBreakpoints {
  readonly #ask: Ask;
  #wanted: z.infer<typeof Wanted>[] = [];
  #told = false;

  constructor(ask: Ask) {
    this.#ask = ask;
  }

  get any(): boolean {
    return this.#wanted.length > 0;
  }

  /** `there`: the computation can be told. */
  async set(args: unknown, there: boolean): Promise<object> {
    this.#wanted = parseArguments(SetArguments, 'setDataBreakpoints', args).breakpoints;
    return { breakpoints: await this.tell(there) };
  }

  async tell(there: boolean): Promise<DebugProtocol.Breakpoint[]> {
    const answers = new Map<number, string>();
    this.#wanted.forEach((one, at) => {
      const why = at >= WATCHES_AT_ONCE ? `At most ${WATCHES_AT_ONCE} signals are watched at once.` : against(one);
      if (why !== '') answers.set(at, why);
    });
    const fit = this.#wanted.flatMap((one, at) => (answers.has(at) ? [] : [{ at, name: one.dataId, condition: one.condition }]));
    if (!there) for (const { at } of fit) answers.set(at, 'The simulation has not begun.');
    else if (fit.length > 0 || this.#told) {
      try {
        const watches = fit.map(({ name, condition }) => ({ name, ...(condition === undefined ? {} : { condition }) }));
        const { watched } = await this.#ask('session/watchSignals', { watches });
        this.#told = fit.length > 0;
        fit.forEach(({ at }, index) => {
          const why = watched[index]?.why ?? '';
          if (why !== '') answers.set(at, why);
        });
      } catch (error) {
        for (const { at } of fit) answers.set(at, describeFailure(error).text);
      }
    }
    return this.#wanted.map((_, at) => {
      const message = answers.get(at);
      return { id: FIRST_ID + at, verified: message === undefined, ...(message === undefined ? {} : { message }) };
    });
  }

  /** Those on this signal. */
  hit(name: string): number[] {
    return this.#wanted.flatMap((one, at) => (one.dataId === name ? [FIRST_ID + at] : []));
  }
}

function against({ condition, hitCondition }: z.infer<typeof Wanted>): string {
  if (hitCondition) return 'Changes are not counted: give a condition instead.';
  try {
    parseSignalCondition(condition);
    return '';
  } catch (error) {
    return describeFailure(error).text;
  }
}
