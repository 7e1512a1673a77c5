/** A line of the table that `npm run bench` prints. */
export interface Row {
  question: string;
  measured: string;
  compared: string;
  /** What the aim is about. */
  ratio: number;
  /** null: reported only. */
  aim: number | null;
}

export const median = (numbers: readonly number[]): number =>
  [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;
