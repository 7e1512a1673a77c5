/**
 * What a row's name led to in each run of its branch, below the row.
 */
import { formatTime } from '../../../debug-adapter/src/protocol/format.js';
import type { RowWithHistory } from '../../../debug-adapter/src/protocol/name-history.js';

export function RowHistory({ row, error }: { readonly row: RowWithHistory; readonly error: string }) {
  if (error !== '') return <p role="alert">{error}</p>;
  if (row.history.length === 0) return <p role="status">Nothing is known of it in other runs.</p>;
  return (
    <ol aria-label={`History of ${row.virtual}`} class="history">
      {row.history.map(({ session, snapshot, at, real }, index) => (
        <li key={index}>
          {session}, {snapshot === null ? 'now' : `snapshot ${snapshot}`}, {formatTime(at)}: <strong>{real}</strong>
        </li>
      ))}
    </ol>
  );
}
