/**
 * Many jobs in a limited time, on a machine of any speed: says when they are late, so that each of the following ones is shortened a
 * little, instead of the last ones being lost.
 */
export class Pace {
  readonly #began = performance.now();
  readonly #budgetMs: number;
  readonly #total: number;
  #begun = 0;

  /** `minutes` 0: there is time without end. */
  constructor(minutes: number, total: number) {
    this.#budgetMs = minutes * 60_000;
    this.#total = Math.max(1, total);
  }

  /** Another job begins: whether those before it took more than their share. */
  isLate(): boolean {
    const share = (this.#budgetMs * this.#begun++) / this.#total;
    // A tenth in advance: the first jobs have nothing yet to be measured by.
    return this.#budgetMs > 0 && performance.now() - this.#began > share + this.#budgetMs / 10;
  }
}
