/**
 * Whether the rates of a campaign are known well enough, after runs that follow each other in the order that the seed gives them, none left out: so it
 * is after the same one whoever made which of them when. Pure. Tests: test/unit/early-stop.test.ts.
 */
import { type EarlyStop, Outcome } from '../protocol/campaign.js';
import { wilson } from './statistics.js';

const RESULTS = Outcome.exclude(['toolError']).options;

export class Stopping {
  readonly #stop: EarlyStop;
  readonly #confidence: number;
  readonly #population: number;
  readonly #counts: Partial<Record<Outcome, number>> = {};
  /** Those that say something. */
  #results = 0;
  #runs = 0;
  #enough = false;

  /** @param confidence of the intervals; @param population all faults that there are */
  constructor(stop: EarlyStop, confidence: number, population: number) {
    this.#stop = stop;
    this.#confidence = confidence;
    this.#population = population;
  }

  get enough(): boolean {
    return this.#enough;
  }

  /** How many it has been told of. */
  get runs(): number {
    return this.#runs;
  }

  /** The next one in the order, or as many at once as have the same fault. What could not be made says nothing. */
  add(outcome: Outcome, times = 1): void {
    this.#runs += times;
    if (outcome === 'toolError') return;
    this.#counts[outcome] = (this.#counts[outcome] ?? 0) + times;
    this.#results += times;
    const { atLeast, outcomes = RESULTS, margin } = this.#stop;
    if (this.#results < atLeast) return;
    this.#enough = outcomes.every((one) => {
      const { low, high } = wilson(this.#counts[one] ?? 0, this.#results, this.#confidence, this.#population);
      return (high - low) / 2 <= margin;
    });
  }
}
