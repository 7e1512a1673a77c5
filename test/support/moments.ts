/** Random moments that can be had again: a generator with a seed, printed by the tests (CAIRN_TEST_SEED repeats them). */

/** xorshift32; numbers in [0, 1). */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state >>>= 0;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state / 2 ** 32;
  };
}

export function chooseSeed(): number {
  const given = process.env['CAIRN_TEST_SEED'];
  if (given !== undefined) return Number(given);
  return Math.floor(Math.random() * 2 ** 32);
}
