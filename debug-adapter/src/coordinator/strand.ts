/**
 * One thing after another: operations on a session never overlap. Tests: test/protocol/checkpoint.test.ts.
 */

export class Strand {
  #tail: Promise<unknown> = Promise.resolve();
  #length = 0;

  /** Tasks that wait or run. */
  get length(): number {
    return this.#length;
  }

  /** Runs `task` when all tasks before it have ended, well or not; gives its result. */
  run<T>(task: () => Promise<T>): Promise<T> {
    this.#length++;
    const result = this.#tail.then(task);
    this.#tail = result.then(
      () => this.#length--,
      () => this.#length--,
    );
    return result;
  }
}

export interface Deferred<T> {
  promise: Promise<T>;
  resolve(value: T): void;
  reject(error: unknown): void;
}

/** A promise that is settled from outside, and that nobody has to wait for. */
export function deferred<T>(): Deferred<T> {
  const made = Promise.withResolvers<T>();
  made.promise.catch(() => undefined);
  return made;
}

/**
 * `work`, but no longer than `ms`, and only until `signal`: whichever comes first settles the result. `late` and `aborted`
 * make the errors. `extra`: milliseconds that have been added by now. The work itself goes on; what it gives later is dropped.
 */
export async function bounded<T>(
  work: Promise<T>,
  ms: number,
  late: () => Error | Promise<Error>,
  signal?: AbortSignal,
  aborted?: () => Error,
  extra: () => number = () => 0,
): Promise<T> {
  const end = deferred<T>();
  const fail = (why: Error | Promise<Error>): void =>
    void Promise.resolve(why).then(
      (error) => end.reject(error),
      (error) => end.reject(error),
    );
  let allowed = ms;
  const expire = (): void => {
    const more = ms + extra() - allowed;
    if (more <= 0) {
      fail(late());
      return;
    }
    allowed += more;
    timer = setTimeout(expire, more);
  };
  let timer = setTimeout(expire, ms);
  const stop = (): void => fail(aborted?.() ?? late());
  if (signal?.aborted) stop();
  signal?.addEventListener('abort', stop);
  try {
    return await Promise.race([work, end.promise]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', stop);
    work.catch(() => undefined);
  }
}
