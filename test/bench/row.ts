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
