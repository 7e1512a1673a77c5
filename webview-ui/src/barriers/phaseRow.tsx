/**
 * One phase as a row of the table, with its station on the line that runs down the first column.
 */

import { formatDuration } from '../../../debug-adapter/src/protocol/format.js';
import type { PhaseStatus } from '../../../debug-adapter/src/protocol/operation.js';
import { mayBeHeldBefore, phaseLabel, phaseMeaning } from '../../../debug-adapter/src/protocol/phase-words.js';
import { send } from '../bridge.js';
import { briefly, duration } from './words.js';

interface Props {
  readonly phase: PhaseStatus;
  /** Of programs, by virtual ids. */
  readonly names: ReadonlyMap<number, string>;
  /** Milliseconds of the longest bar. */
  readonly scale: number;
  /** Of breakpoints on phases and barriers. */
  readonly breakpoints: readonly string[];
}

export function PhaseRow({ phase, names, scale, breakpoints }: Props) {
  const ms = duration(phase);
  const state = phase.error !== '' ? 'failed' : ms === null ? 'current' : 'done';
  return (
    <>
      <tr class={state} title={phaseMeaning(phase.phase)}>
        <th scope="row">
          <Station state={state} />
          <span>
            {phaseLabel(phase)
              .split(/(?<=\.)/)
              .map((part, index) => (
                <>
                  {index > 0 && <wbr />}
                  {part}
                </>
              ))}
          </span>
        </th>
        <td class="number">
          {ms === null ? 'now' : formatDuration(ms)}
          <svg class="bar" viewBox="0 0 100 3" preserveAspectRatio="none" aria-hidden="true">
            <rect width={ms === null ? 0 : Math.max(1, (ms / scale) * 100)} height="3" />
          </svg>
        </td>
        <Processes pids={phase.arrived} names={names} />
        <Processes pids={phase.waiting} names={names} />
        <td class="hold">{mayBeHeldBefore(phase.phase) && <HoldHere name={phaseLabel(phase)} breakpoints={breakpoints} />}</td>
      </tr>
      {phase.error !== '' && (
        <tr>
          <td class="why error" colSpan={5}>
            {phase.error}
          </td>
        </tr>
      )}
    </>
  );
}

function HoldHere({ name, breakpoints }: { name: string; breakpoints: Props['breakpoints'] }) {
  const on = breakpoints.includes(name);
  const label = `Hold before ${name}`;
  return (
    <button
      type="button"
      class="icon hold"
      aria-pressed={on}
      aria-label={label}
      title={`${label}: a breakpoint for the checkpoints and restarts to come`}
      onClick={() => send({ type: 'holdHere', name, on: !on })}
    >
      <span class={`codicon codicon-debug-breakpoint-function${on ? '' : '-unverified'}`} aria-hidden="true" />
    </button>
  );
}

/** By their virtual ids: the names would not fit beside each other. */
function Processes({ pids, names }: { pids: readonly number[]; names: Props['names'] }) {
  if (pids.length === 0) return <td class="muted">none</td>;
  return <td title={briefly(pids, (pid) => `${names.get(pid) ?? 'process'} ${pid}`)}>{briefly(pids, String)}</td>;
}

/** Decoration: what it says is in the row's words too. */
function Station({ state }: { state: string }) {
  return (
    <svg class={`station ${state}`} viewBox="0 0 16 16" aria-hidden="true">
      <circle cx="8" cy="8" r="5" />
      {state === 'failed' && <path d="M5.5 5.5 l5 5 m0 -5 l-5 5" />}
      {state === 'done' && <path d="M5.5 8 l2 2 l3.5 -4" />}
    </svg>
  );
}
