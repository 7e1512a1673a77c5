/**
 * The fault plugins of a run: the files that they are given and that they write, in a folder of the run's own, and what these say afterwards,
 * also of a run that was killed. Shared by all kinds of runners. Tests: test/faults/campaign.test.ts, test/simulators/faults.test.ts.
 */
import { closeSync, existsSync, ftruncateSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Campaign, DesignObservation, Target } from '../protocol/campaign.js';

/** What is asked of the design; nothing where all are empty. */
export interface DesignRequest {
  /** Patterns of signals that the run without a fault is to list. */
  targets: readonly string[];
  observe: Campaign['observe']['signals'];
  detect: Campaign['detect']['signals'];
  /** Ticks of simulated time after which a run has hung; null: that is not known. */
  limit: number | null;
}

export interface PluginRequest {
  plugins: readonly { name: string; settings: Record<string, unknown> }[];
  design: DesignRequest;
}

export interface Injection {
  /** Whether a fault changed something; null: there was none, or that is not known. */
  effective: boolean | null;
  /** In words. */
  text: string;
  /** Not empty: it cannot be made at all, in words. */
  impossible: string;
  /** Simulated time since the restart; null: not known. */
  at: number | null;
}

const CALLS = 'fault-calls';
const SIGNALS = 'fault-signals';
const REPORT_BYTES = 4096;
const FAULTS = 32;
/** Of each fault in any report: reached, injected, effective; as native-agent/faults/calls/faults.h and faults/signals/faults.h have them. */
const COUNTS_BYTES = 24;
const RUN_AT = COUNTS_BYTES * FAULTS;
const RESULTS_AT = RUN_AT + 64;
const LIMIT_AT = RESULTS_AT + 16 * FAULTS;
/** In reports of all but those of faults in calls and on signals: of the first fault, why it is so; native-agent/faults/common/report.h. */
const WORDS_AT = RESULTS_AT + 16 * FAULTS;
const WORDS_BYTES = 56;

const STATUS = ['not reached', 'effective', 'overwritten', 'impossible', 'unchanged'] as const;
const REASONS = [
  '',
  'the design has no such signal',
  'the simulator does not give its value',
  'the signal has fewer bits',
  'the simulator does not let it be written',
  'too many signals are watched at once',
  'the bit is x or z then',
  'it is wider than what can be delayed, 1,024 bits',
  'more of its changes than 64 would wait at once: it is delayed by too long',
] as const;

export class RunPlugins {
  readonly #folder: string;
  readonly #names: readonly string[];
  readonly #asksDesign: boolean;
  readonly #limit: number | null;
  readonly all: PluginRequest['plugins'];

  constructor(folder: string, { plugins, design }: PluginRequest) {
    this.#folder = folder;
    this.#limit = design.limit;
    this.#asksDesign = plugins.some(({ name }) => name === SIGNALS) || asks(design) || design.limit !== null;
    const all = [...plugins];
    if (this.#asksDesign && !plugins.some(({ name }) => name === SIGNALS)) all.push({ name: SIGNALS, settings: {} });
    this.#names = all.map(({ name }) => name);
    this.all = all.map(({ name, settings }, index) => {
      const more = name === SIGNALS ? this.#designSettings(design) : {};
      const report = openSync(this.#report(index), 'w');
      ftruncateSync(report, REPORT_BYTES);
      closeSync(report);
      return { name, settings: { ...settings, ...more, report: this.#report(index) } };
    });
  }

  /** Of the first plugin's first fault: a run has one. */
  injection(): Injection {
    const name = this.#names[0];
    if (name === undefined) return { effective: null, text: '', impossible: '', at: null };
    const report = readFileSync(this.#report(0));
    const counts = (what: number): boolean =>
      Array.from({ length: FAULTS }, (_, index) => report.readBigUInt64LE(COUNTS_BYTES * index + 8 * what)).some(
        (one) => one > 0n,
      );
    const effective = counts(2);
    const counted = effective ? 'effective' : counts(1) ? 'unchanged' : 'not reached';
    if (name === CALLS) return { effective, text: counted, impossible: '', at: null };
    const said = STATUS[report.readUInt32LE(RESULTS_AT)] ?? 'not reached';
    const status = said === 'not reached' ? counted : said;
    if (name !== SIGNALS) {
      const words = report.toString('utf8', WORDS_AT, WORDS_AT + WORDS_BYTES).replace(/\0.*$/s, '');
      const text = words === '' ? status : `${status}: ${words}`;
      const impossible = status === 'impossible';
      return {
        effective: impossible ? null : status === 'effective',
        text,
        impossible: impossible ? words || 'it cannot be made' : '',
        at: null,
      };
    }
    const reason = REASONS[report.readUInt32LE(RESULTS_AT + 4)] ?? '';
    const time = Number(report.readBigUInt64LE(RESULTS_AT + 8));
    const injected = counts(1);
    return {
      effective: status === 'impossible' ? null : effective,
      text: reason === '' ? status : `${status}: ${reason}`,
      impossible: status === 'impossible' ? reason : '',
      at: injected ? time - Number(report.readBigUInt64LE(RUN_AT + 8)) : null,
    };
  }

  /** null: nothing was asked of it. */
  design(): DesignObservation | null {
    const index = this.#names.indexOf(SIGNALS);
    if (index < 0) return null;
    const report = readFileSync(this.#report(index));
    const [begun, begin, , detected, detectedAt, ended, end, missing = 0] = Array.from({ length: 8 }, (_, at) =>
      Number(report.readBigInt64LE(RUN_AT + 8 * at)),
    );
    return {
      begin: begun ? (begin ?? null) : null,
      end: ended ? (end ?? null) : null,
      detected: detected ? (detectedAt ?? null) : null,
      missing,
      limit: report.readBigUInt64LE(LIMIT_AT + 8) > 0n ? this.#limit : null,
      state: Object.fromEntries(this.#lines('state').map(([name = '', value = '']) => [name, value.trim()])),
    };
  }

  /** Changes as long as the simulated time goes on; 0 where that is not known. */
  progress = (): number => {
    const index = this.#names.indexOf(SIGNALS);
    return index < 0 ? 0 : Number(readFileSync(this.#report(index)).readBigUInt64LE(LIMIT_AT));
  };

  targets(): Target[] {
    const all = this.#lines('targets').map(
      ([name = '', kind, width, left, right]): Target => ({
        name,
        memory: kind === 'memory',
        width: Number(width),
        left: Number(left),
        right: Number(right),
        ...(kind === 'net' ? { net: true } : {}),
      }),
    );
    // Several patterns may mean one signal.
    return [...new Map(all.map((one) => [one.name, one])).values()];
  }

  #report(index: number): string {
    return join(this.#folder, `report${index}`);
  }

  #designSettings({ targets, observe, detect, limit }: DesignRequest): Record<string, unknown> {
    return {
      ...(limit === null ? {} : { limit }),
      ...(targets.length > 0 ? { list: { file: join(this.#folder, 'targets'), patterns: targets } } : {}),
      ...(observe.length > 0 ? { state: { file: join(this.#folder, 'state'), patterns: observe } } : {}),
      ...(detect.length > 0 ? { detect } : {}),
    };
  }

  #lines(name: string): string[][] {
    const path = join(this.#folder, name);
    if (!existsSync(path)) return [];
    return readFileSync(path, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => line.split('\t'));
  }
}

/** Whether a run in this folder that is asked for the design's signals has listed them. */
export function hasListed(folder: string): boolean {
  // A design's signals are the first thing that is asked for: its plugin's report is the first one.
  const report = readReport(join(folder, 'report0'));
  return report !== undefined && report.length === REPORT_BYTES && report.readBigUInt64LE(RUN_AT) === 1n;
}

function readReport(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch {
    return undefined;
  }
}

export function asks({ targets, observe, detect }: DesignRequest): boolean {
  return targets.length + observe.length + detect.length > 0;
}
