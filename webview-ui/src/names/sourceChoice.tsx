/**
 * Whose names are shown: a process of a live session or of a snapshot.
 */
import type { NamesModel } from '../../../debug-adapter/src/protocol/panels.js';

const GROUPS = [
  ['live', 'Live'],
  ['snapshot', 'Snapshots'],
] as const;

export function SourceChoice({ model, onChoose }: { model: NamesModel; onChoose: (source: string) => void }) {
  return (
    <select aria-label="Process or snapshot" value={model.source ?? ''} onChange={(event) => onChoose(event.currentTarget.value)}>
      {GROUPS.map(([kind, label]) => {
        const sources = model.sources.filter((source) => source.kind === kind);
        if (sources.length === 0) return null;
        return (
          <optgroup key={kind} label={label}>
            {sources.map((source) => (
              <option key={source.id} value={source.id}>
                {source.label}
              </option>
            ))}
          </optgroup>
        );
      })}
    </select>
  );
}
