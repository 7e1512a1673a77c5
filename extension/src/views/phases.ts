/**
 * An operation of a session in words: in which phase it is, who has arrived, how long phases took. Pure.
 * Tests: test/unit/phase-words.test.ts.
 */

import { formatDuration, formatHoldOff } from '../../../debug-adapter/src/protocol/format.js';
import type { OperationStatus } from '../../../debug-adapter/src/protocol/operation.js';
import { lengthOf, phaseLabel } from '../../../debug-adapter/src/protocol/phase-words.js';

/** `Checkpoint · save · 1 of 2 arrived`, `Checkpoint done in 12 ms`, `Restart failed: …`. */
export function operationLine(operation: OperationStatus): string {
  const kind = `${operation.kind.charAt(0).toUpperCase()}${operation.kind.slice(1)}`;
  if (operation.error !== '') return `${kind} failed: ${operation.error}`;
  if (operation.finished) return `${kind} done in ${formatDuration(lengthOf(operation))}`;
  if (operation.heldAt !== '') return `${kind} · held before ${operation.heldAt}`;
  if (operation.heldOff.length > 0) return `${kind} ${formatHoldOff(operation.heldOff)}`;
  const current = operation.phases.findLast(({ endedMs }) => endedMs === null) ?? operation.phases.at(-1);
  if (!current) return `${kind} begins`;
  const all = current.arrived.length + current.waiting.length;
  const arrived = current.endedMs === null && all > 0 ? ` · ${current.arrived.length} of ${all} arrived` : '';
  return `${kind} · ${phaseLabel(current)}${arrived}`;
}
