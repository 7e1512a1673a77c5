/**
 * The book of a campaign that is being run: which runs are still to be made, in the order of the seed, and what has been counted, durably, before
 * anybody is told. Shared by all kinds of runners; one at a time has it. Where the campaign is to end early, a run is counted when all before it in the
 * order are: so it is the first runs of the order that are, whoever was quickest. Tests: test/faults/campaign.test.ts, test/faults/campaign-stop.test.ts.
 */
import { Stopping } from '../model/early-stop.js';
import type { Fault } from '../model/fault-space.js';
import { sameFaults } from '../model/same-faults.js';
import type { Campaign, CampaignSummary, Outcome } from '../protocol/campaign.js';
import { isPaused } from '../store/campaign-pause.js';
import type { CampaignResults, CountedRun } from '../store/campaign-results.js';
import { confidenceOf, extentOf, orderOf, type Planned, summaryFrom } from './campaign-plan.js';

export class Ledger {
  readonly #campaign: Campaign;
  readonly #planned: Planned;
  readonly #results: CampaignResults;
  readonly #folder: string;
  /** Of runs that are made, by their numbers. */
  readonly #order: Uint32Array;
  readonly #stopping: Stopping | undefined;
  /** Of runs that were counted before, where the campaign may end early. */
  readonly #known = new Map<number, Outcome>();
  /** Those that have been made too early to be counted. */
  readonly #early = new Map<number, CountedRun>();
  readonly #counts: Partial<Record<Outcome, number>>;
  /** By number: 1 where it has been counted, or could not be made. */
  readonly #done: Uint8Array;
  /** Numbers of runs with the same fault, by that of the one that is made. */
  readonly #same = new Map<number, number[]>();
  #notEffective: number;
  /** In the order: the first that nobody has taken, and the first that has not been counted. */
  #next = 0;
  #counted = 0;
  #made = 0;
  readonly #pace = new Pace();

  constructor(results: CampaignResults, folder: string, campaign: Campaign, planned: Planned) {
    this.#campaign = campaign;
    this.#planned = planned;
    this.#results = results;
    this.#folder = folder;
    const { space, indices } = planned;
    const whole = orderOf(planned, campaign);
    const same = sameFaults(campaign, space, indices, whole);
    for (const [number, first] of same) this.#same.set(first, [...(this.#same.get(first) ?? []), number]);
    this.#order = same.size === 0 ? whole : whole.filter((number) => !same.has(number));
    this.#done = new Uint8Array(whole.length);
    if (campaign.stop !== undefined) this.#stopping = new Stopping(campaign.stop, confidenceOf(campaign), space.size);
    this.#counts = results.counts();
    this.#notEffective = results.notEffective;
    // Those that could not be made before are tried anew.
    this.#counts.toolError = 0;
    for (const { number, outcome } of results.outcomes()) {
      this.#done[number] = 1;
      if (this.#stopping !== undefined) this.#known.set(number, outcome);
    }
    this.#advance();
  }

  /** No more runs are to begin: all are made, or as many as are needed. */
  get over(): boolean {
    return this.#peek() === undefined;
  }

  get paused(): boolean {
    const paused = isPaused(this.#folder);
    this.#pace.goes(!paused);
    return paused;
  }

  /** Numbers of runs that are to be made, in their order; no more than `most`. */
  missing(most = Number.POSITIVE_INFINITY): number[] {
    if (this.#isEnough) return [];
    const all: number[] = [];
    for (let at = this.#next; at < this.#order.length && all.length < most; at++) {
      const number = this.#order[at] ?? 0;
      if (this.#isMissing(number)) all.push(number);
    }
    return all;
  }

  /** The next one, for whoever makes it now. undefined: there is none. */
  take(): number | undefined {
    const number = this.#peek();
    if (number !== undefined) this.#next++;
    return number;
  }

  fault(number: number): Fault {
    return this.#planned.space.at(this.#planned.indices[number] ?? 0);
  }

  /** One that has been counted is not counted again. */
  add(made: CountedRun): void {
    const { number } = made.run;
    if (!this.#isMissing(number)) return;
    if (this.#stopping === undefined) {
      this.#count(made);
      return;
    }
    this.#early.set(number, made);
    this.#advance();
  }

  summary(): CampaignSummary {
    const endedAfter = this.#isEnough ? (this.#stopping?.runs ?? null) : null;
    const counted = { counts: this.#counts, notEffective: this.#notEffective, endedAfter };
    return {
      ...summaryFrom({ ...counted, ...extentOf(this.#planned) }, this.#campaign),
      runsPerSecond: this.#made / this.#pace.seconds,
    };
  }

  get #isEnough(): boolean {
    return this.#stopping?.enough ?? false;
  }

  /** Through runs whose outcomes are known, as far as they follow each other. */
  #advance(): void {
    const stopping = this.#stopping;
    if (stopping === undefined || stopping.enough) return;
    for (; this.#counted < this.#order.length && !stopping.enough; this.#counted++) {
      const number = this.#order[this.#counted] ?? 0;
      const outcome = this.#known.get(number) ?? this.#countEarly(number);
      if (outcome === undefined) return;
      stopping.add(outcome, 1 + (this.#same.get(number)?.length ?? 0));
    }
    if (!stopping.enough) return;
    this.#early.clear();
    this.#results.end(stopping.runs);
  }

  #countEarly(number: number): Outcome | undefined {
    const made = this.#early.get(number);
    if (made === undefined) return undefined;
    this.#early.delete(number);
    this.#count(made);
    return made.run.outcome;
  }

  #isMissing(number: number): boolean {
    return this.#done[number] === 0 && !this.#early.has(number);
  }

  #peek(): number | undefined {
    if (this.#isEnough) return undefined;
    while (this.#next < this.#order.length && !this.#isMissing(this.#order[this.#next] ?? 0)) this.#next++;
    return this.#order[this.#next];
  }

  #count({ run, console }: CountedRun): void {
    const others = (this.#same.get(run.number) ?? []).map((number): CountedRun => {
      const { model, text } = this.fault(number);
      return {
        run: { ...run, number, model, fault: text, startReason: `as run ${run.number}, which has the same fault` },
        console,
      };
    });
    const all = [{ run, console }, ...others];
    this.#results.addAll(all);
    for (const { run: one } of all) {
      this.#done[one.number] = 1;
      this.#counts[one.outcome] = (this.#counts[one.outcome] ?? 0) + 1;
      if (one.effective === false && one.outcome !== 'toolError') this.#notEffective++;
      this.#made++;
    }
  }
}

/** The time in which runs were made. */
class Pace {
  #since: number | undefined = performance.now();
  #before = 0;

  get seconds(): number {
    return (this.#before + (this.#since === undefined ? 0 : performance.now() - this.#since)) / 1000;
  }

  goes(on: boolean): void {
    if (on === (this.#since !== undefined)) return;
    if (this.#since !== undefined) this.#before += performance.now() - this.#since;
    this.#since = on ? performance.now() : undefined;
  }
}
