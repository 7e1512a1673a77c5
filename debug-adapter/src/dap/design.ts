/**
 * Design signals as DAP variables: a scope of the design is a variable whose named children are the scopes in it and whose indexed children are
 * its signals, so that a client fetches a large one page by page, and only where it is opened. Also `evaluate`: a signal by its name, and in the
 * debug console `NAME = VALUE`, `force NAME = VALUE` and `release NAME`. Tests: test/dap/design.test.ts, test/dap/signals.test.ts.
 */
import type { RequestName } from '../protocol/control.js';
import { CairnError, failure } from '../protocol/errors.js';
import { formatSimulatedTime } from '../protocol/format.js';
import type { DesignScope, DesignSignal, SignalAction } from '../protocol/signals.js';
import { SIGNALS_AT_ONCE } from '../protocol/signals.js';
import type { Params, Result } from './computation.js';
import type { DapVariable } from './variables.js';

export type Ask = <M extends RequestName>(method: M, params: Params<M>) => Promise<Result<M>>;

/** A scope or memory; its name is empty for the top of the design. */
export interface DesignPlace {
  readonly design: string;
  readonly memory: boolean;
  readonly virtualPid: number | undefined;
  /** Scopes directly in it: what is indexed begins behind them. */
  readonly scopes: number;
  readonly signals: number;
}

/** Which of several simulations is meant: that of a place in the variables; without one that of the frame that the user has chosen. */
export interface Which {
  readonly place?: number | undefined;
  readonly frame?: number | undefined;
}

export interface Page {
  readonly filter?: 'named' | 'indexed' | undefined;
  readonly start?: number | undefined;
  readonly count?: number | undefined;
}

export interface Evaluated {
  readonly result: string;
  readonly type?: string;
  readonly variablesReference: number;
  readonly namedVariables?: number;
  readonly indexedVariables?: number;
}

/** Of a list of what a pattern finds. */
const MOST_FOUND = 50;
const FIRST_PAGE = 1000;

export class Design {
  readonly #ask: Ask;
  readonly #refer: (place: DesignPlace) => number;
  /** Names as they are shown, within each place. */
  readonly #names = new Map<string, Map<string, string>>();

  constructor(ask: Ask, refer: (place: DesignPlace) => number) {
    this.#ask = ask;
    this.#refer = refer;
  }

  async children(place: DesignPlace, page: Page): Promise<DapVariable[]> {
    if (place.design === '') return this.#top(place);
    const { filter, start = 0, count } = page;
    const end = place.scopes + place.signals;
    const first = filter === 'indexed' ? place.scopes + start : start;
    const last = Math.min(count ? first + count : end, filter === 'named' ? place.scopes : end);
    const variables: DapVariable[] = [];
    for (let offset = first; offset < last; ) {
      const limit = Math.min(last - offset, SIGNALS_AT_ONCE);
      const { scopes, signals } = await this.#ask('session/scope', { ...of(place), scope: place.design, offset, limit });
      variables.push(
        ...scopes.map((one) => this.#scope(place, one)),
        ...signals.map((one) => this.#signal(place.virtualPid, place, one)),
      );
      // An answer has room for so much; a design that has changed meanwhile ends it.
      if (scopes.length + signals.length === 0) break;
      offset += scopes.length + signals.length;
    }
    return variables;
  }

  /** The simulated time, and the modules at the top; where they cannot be told, why, in the place where they would be. */
  async #top(place: DesignPlace): Promise<DapVariable[]> {
    try {
      const { scopes, time, simulator } = await this.#ask('session/scope', { ...of(place), scope: '', limit: FIRST_PAGE });
      const now = plain('simulated time', formatSimulatedTime(time), simulator);
      return [now, ...scopes.map((one) => this.#scope(place, one))];
    } catch (error) {
      if (!(error instanceof CairnError)) throw error;
      return [plain('not available', `${error.message} ${error.remedy}`.trim())];
    }
  }

  /** The whole name of what stands in this place under this name. */
  nameOf(place: DesignPlace, name: string): string {
    return this.#names.get(place.design)?.get(name) ?? (place.memory ? `${place.design}${name}` : `${place.design}.${name}`);
  }

  reset(): void {
    this.#names.clear();
  }

  /** What the signal is afterwards. */
  async write(action: SignalAction, name: string, value: string | undefined, which: Which): Promise<string> {
    const writes = [{ action, name, ...(value === undefined ? {} : { value }) }];
    const { written } = await this.#askOne('session/writeSignals', { writes }, which);
    const [one] = written;
    if (one === undefined || one.outcome !== 'effective')
      throw failure('signalNotWritten', { name, why: one?.why ?? 'the simulation has not answered' });
    return one.after ?? '';
  }

  /** Of the place's process; else of whichever is a simulation, and of several the frame's. */
  async #askOne<M extends 'session/scope' | 'session/signals' | 'session/readSignals' | 'session/writeSignals'>(
    method: M,
    params: Params<M>,
    { place, frame }: Which,
  ): Promise<Result<M>> {
    if (place !== undefined) return this.#ask(method, { ...params, virtualPid: place });
    try {
      return await this.#ask(method, params);
    } catch (error) {
      if (frame === undefined || !isSeveral(error)) throw error;
      return this.#ask(method, { ...params, virtualPid: frame });
    }
  }

  /** In the debug console also what writes. */
  async evaluate(expression: string, writes: boolean, which: Which = {}): Promise<Evaluated> {
    const text = expression.trim();
    const [, action, target, value] = /^(?:(force|release)\s+)?(\S+?)(?:\s*=(?!=)\s*(.+))?$/.exec(text) ?? [];
    if (target === undefined) throw failure('noSuchSignal', { name: text });
    if (action !== undefined || value !== undefined) {
      if (!writes) throw failure('noSuchSignal', { name: text });
      const after = await this.write((action ?? 'set') as SignalAction, target, action === 'release' ? undefined : value, which);
      return { result: after, variablesReference: 0 };
    }
    if (/[*?]/.test(target)) return this.#found(target, which);
    const read = await this.#askOne('session/readSignals', { names: [target] }, which);
    const { signals, time } = read;
    const [one] = signals;
    if (one !== undefined) {
      const { value: result, type, variablesReference, indexedVariables } = this.#signal(read.virtualPid, undefined, one);
      return {
        result: `${result}${writes ? `  at ${formatSimulatedTime(time)}` : ''}`,
        ...(type === undefined ? {} : { type }),
        variablesReference,
        ...(indexedVariables === undefined ? {} : { indexedVariables }),
      };
    }
    const { total, virtualPid: of } = await this.#askOne('session/scope', { scope: target, limit: 1 }, which);
    const place = { design: target, memory: false, virtualPid: of, ...total };
    return {
      result: contents(total),
      variablesReference: this.#refer(place),
      namedVariables: total.scopes,
      indexedVariables: total.signals,
    };
  }

  async #found(pattern: string, which: Which): Promise<Evaluated> {
    const { signals, next } = await this.#askOne('session/signals', { pattern, limit: MOST_FOUND }, which);
    if (signals.length === 0) throw failure('noSuchSignal', { name: pattern });
    const lines = signals.map(({ name, value }) => `${name} = ${value ?? '(memory)'}`);
    if (next !== null) lines.push('… and more: use a narrower pattern');
    return { result: lines.join('\n'), variablesReference: 0 };
  }

  /** By its whole name. `virtualPid`: by that it has to be asked for from now on, as there are several simulations. */
  async signalNamed(name: string, which: Which): Promise<{ signal: DesignSignal; virtualPid: number | undefined }> {
    const names = [name];
    const read = await this.#askOne('session/readSignals', { names }, which);
    const [signal] = read.signals;
    if (signal === undefined) throw failure('noSuchSignal', { name });
    const only = await this.#ask('session/readSignals', { names }).catch(() => undefined);
    return { signal, virtualPid: only?.virtualPid === read.virtualPid ? undefined : read.virtualPid };
  }

  #scope(place: DesignPlace, { name, scopes, signals, module }: DesignScope): DapVariable {
    const inner = { design: name, memory: false, virtualPid: place.virtualPid, scopes, signals };
    return {
      name: this.#shown(place, name),
      value: [module, contents({ scopes, signals })].filter((part) => part !== '').join(': '),
      evaluateName: name,
      variablesReference: this.#refer(inner),
      namedVariables: scopes,
      indexedVariables: signals,
      presentationHint: { kind: 'class', attributes: ['readOnly'] },
    };
  }

  #signal(
    virtualPid: number | undefined,
    place: DesignPlace | undefined,
    { name, kind, width, range, value }: DesignSignal,
  ): DapVariable {
    const limits = range === null ? '' : ` [${range.left}:${range.right}]`;
    const shown = { name: this.#shown(place, name), type: `${kind}${limits}`, evaluateName: name };
    if (kind !== 'memory')
      return { ...shown, value: value ?? `${width} bits`, variablesReference: 0, __vscodeVariableMenuContext: 'cairnSignal' };
    const words = range === null ? 0 : Math.abs(range.left - range.right) + 1;
    const memory = { design: name, memory: true, virtualPid, scopes: 0, signals: words };
    return {
      ...shown,
      value: `${words} words of ${width} bits`,
      variablesReference: this.#refer(memory),
      indexedVariables: words,
      presentationHint: { kind: 'data', attributes: ['readOnly'] },
    };
  }

  /** Its last part; a memory's word by its index. */
  #shown(place: DesignPlace | undefined, name: string): string {
    if (place === undefined) return name;
    const start = place.design !== '' && name.startsWith(place.design) ? place.design.length : 0;
    const shown = name.slice(start).replace(/^\./, '');
    const names = this.#names.get(place.design) ?? new Map<string, string>();
    this.#names.set(place.design, names.set(shown, name));
    return shown;
  }
}

function plain(name: string, value: string, type?: string): DapVariable {
  const presentationHint = { kind: 'property', attributes: ['readOnly'] } as const;
  return { name, value, ...(type === undefined ? {} : { type }), variablesReference: 0, presentationHint };
}

const isSeveral = (error: unknown): boolean => error instanceof CairnError && error.code === 'severalSimulations';

const of = ({ virtualPid }: DesignPlace): { virtualPid?: number } => (virtualPid === undefined ? {} : { virtualPid });

function contents({ scopes, signals }: { scopes: number; signals: number }): string {
  const parts = [count(scopes, 'scope'), count(signals, 'signal')].filter((part) => part !== '');
  return parts.length === 0 ? 'empty' : parts.join(', ');
}

const count = (number: number, word: string): string => (number === 0 ? '' : `${number} ${word}${number === 1 ? '' : 's'}`);
