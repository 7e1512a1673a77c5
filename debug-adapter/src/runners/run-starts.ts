/**
 * How each worker's runs come into being: from a resident copy of the snapshot where that can be, else from disk, and why.
 * Tests: test/faults/resident.test.ts.
 */
import type { StartKind } from '../protocol/campaign.js';
import { reason } from '../protocol/errors.js';
import { type ResidentOptions, ResidentRuns } from './resident-run.js';
import type { Execute } from './restart-run.js';

export interface RunStart {
  how: StartKind;
  /** Why not resident, where that was wanted. */
  why: string;
}

export class RunStarts {
  readonly #wanted: StartKind;
  readonly #common: Omit<ResidentOptions, 'session'>;
  readonly #residents = new Map<string, ResidentRuns>();
  /** Not empty: there can be none. */
  #why = '';

  constructor(wanted: StartKind, common: Omit<ResidentOptions, 'session'>) {
    this.#wanted = wanted;
    this.#common = common;
  }

  /** For the next run of the worker that has this session. `execute` undefined: from disk. */
  async of(session: string): Promise<RunStart & { execute?: Execute }> {
    if (this.#wanted === 'disk') return { how: 'disk', why: '' };
    const resident = await this.#resident(session);
    if (resident === undefined) return { how: 'disk', why: this.#why };
    const { execute, fromDisk } = resident;
    return fromDisk === '' ? { how: 'resident', why: '', execute } : { how: 'disk', why: fromDisk, execute };
  }

  async close(): Promise<void> {
    await Promise.all([...this.#residents.values()].map((one) => one.close()));
    this.#residents.clear();
  }

  async #resident(session: string): Promise<ResidentRuns | undefined> {
    const there = this.#residents.get(session);
    if (there?.lives) return there;
    this.#residents.delete(session);
    try {
      await there?.close();
      if (this.#why !== '') return undefined;
      const made = await ResidentRuns.open({ ...this.#common, session });
      this.#residents.set(session, made);
      return made;
    } catch (error) {
      this.#why = reason(error);
      return undefined;
    }
  }
}
