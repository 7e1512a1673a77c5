/**
 * Which operation is shown: the newest of the session, an earlier one, or one that is kept with the selected snapshot.
 */
import type { BarriersModel } from '../../../debug-adapter/src/protocol/panels.js';

const GROUPS = [
  ['live', 'This session'],
  ['snapshot', 'Selected snapshot'],
] as const;

interface Props {
  readonly model: BarriersModel;
  readonly onChoose: (key: string | null) => void;
}

export function OperationChoice({ model: { choices, chosen }, onChoose }: Props) {
  if (choices.length === 0) return null;
  return (
    <select aria-label="Operation" value={chosen ?? ''} onChange={(event) => onChoose(event.currentTarget.value || null)}>
      <option value="">Newest of the session</option>
      {GROUPS.map(([kind, label]) => {
        const group = choices.filter((one) => one.kind === kind);
        if (group.length === 0) return null;
        return (
          <optgroup key={kind} label={label}>
            {group.map((one) => (
              <option key={one.key} value={one.key}>
                {one.label}
              </option>
            ))}
          </optgroup>
        );
      })}
    </select>
  );
}
