/**
 * Which table: tabs as the ARIA practices have them (arrow keys move and choose, one of them is in the order of Tab).
 */
import type { NameTableKind } from '../../../debug-adapter/src/protocol/panels.js';

const TABS: readonly (readonly [NameTableKind, string])[] = [
  ['pid', 'Ids'],
  ['path', 'Paths'],
  ['env', 'Environment'],
  ['fd', 'File Descriptors'],
];

export function Tabs({ kind, onChoose }: { kind: NameTableKind; onChoose: (kind: NameTableKind) => void }) {
  const move = (event: KeyboardEvent) => {
    const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
    if (step === 0) return;
    const at = TABS.findIndex(([name]) => name === kind);
    const next = TABS[(at + step + TABS.length) % TABS.length];
    if (!next) return;
    event.preventDefault();
    document.getElementById(`tab-${next[0]}`)?.focus();
    onChoose(next[0]);
  };
  return (
    <div role="tablist" aria-label="Table" class="tabs" onKeyDown={move}>
      {TABS.map(([name, label]) => (
        <button
          key={name}
          type="button"
          role="tab"
          id={`tab-${name}`}
          aria-selected={name === kind}
          aria-controls="table"
          tabIndex={name === kind ? 0 : -1}
          onClick={() => onChoose(name)}
        >
          {label}
        </button>
      ))}
    </div>
  );
}
