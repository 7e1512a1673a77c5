/**
 * The time line of an operation: a row for each process, in it a piece for each phase, from the phase's beginning to the process's
 * arrival, and paler from there until the last one had arrived. What the picture shows each row says in words, too.
 */
import type { ComponentChildren } from 'preact';
import { useMemo } from 'preact/hooks';
import { formatDuration } from '../../../debug-adapter/src/protocol/format.js';
import { lengthOf, slowestOf, slowestText } from '../../../debug-adapter/src/protocol/phase-words.js';
import type { OperationTimeline } from '../../../debug-adapter/src/protocol/timeline.js';
import { useParts } from '../more.js';
import { type Piece, piecesOf } from './words.js';

/** A piece that is shorter than this part of the line could not be seen. */
const LEAST = 0.4;
/** Drawn at once. */
const ROWS = 50;

export function Timeline({ timeline }: { timeline: OperationTimeline }) {
  const { session, id, startedAt, finished, processes } = timeline;
  const { shown, button } = useParts(processes.length, ROWS, 'processes');
  // The same comes again whenever anything else in the panel changes.
  return useMemo(() => picture(timeline, shown, button), [session, id, startedAt, finished, shown]);
}

function picture(timeline: OperationTimeline, shown: number, button: ComponentChildren) {
  const length = Math.max(0.001, lengthOf(timeline));
  const { processes } = timeline;
  const slowest = slowestOf(timeline);
  const lines = piecesOf(timeline);
  return (
    <>
      <table class="timeline">
        <caption>When each process arrived</caption>
        <thead>
          <tr>
            <th scope="col">Process</th>
            <th scope="col">
              <span class="scale">
                <span>0</span>
                <span>{formatDuration(length)}</span>
              </span>
            </th>
          </tr>
        </thead>
        <tbody>
          {processes.slice(0, shown).map(({ virtualPid, program, host }) => (
            <tr key={virtualPid}>
              <th scope="row" class="process" title={host === '' ? program : `${program} on ${host}`}>
                {program} <span class="muted">{virtualPid}</span>
              </th>
              <td class="line">
                <Line pieces={lines.get(virtualPid) ?? []} length={length} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {button}
      {slowest !== undefined && <p>Slowest: {slowestText(slowest, timeline)}</p>}
    </>
  );
}

function Line({ pieces, length }: { pieces: readonly Piece[]; length: number }) {
  const percent = (ms: number) => (ms / length) * 100;
  return (
    <svg viewBox="0 0 100 8" preserveAspectRatio="none" role="img" aria-label={pieces.map(({ text }) => text).join('. ')}>
      {pieces.map(({ phase, from, arrived, to, last, text }, index) => (
        <g key={index} class={`piece ${phase.phase}${last ? ' last' : ''}${phase.error === '' ? '' : ' failed'}`}>
          <title>{text}</title>
          <rect class="waits" x={percent(from)} width={Math.max(LEAST, percent(to - from))} height="8" />
          <rect x={percent(from)} width={Math.max(LEAST, percent(arrived - from))} height="8" />
        </g>
      ))}
    </svg>
  );
}
