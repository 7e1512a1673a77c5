/**
 * Which table: tabs as the ARIA practices have them (arrow keys, Home and End move and choose, one of them is in the
 * order of Tab).
 */
import type { NameTableKind } from '../../../debug-adapter/src/protocol/panels.js';

const TABS: readonly (readonly [NameTableKind, string])[] = [
  ['pid', 'Ids'],
  ['path', 'Paths'],
  ['env', 'Environment'],
  ['fd', 'File Descriptors'],
  ['connection', 'Connections'],
  ['plugin', 'Of Plugins'],
];

/** Index of the tab to which a key leads, from the end where negative. */
function target(key: string, at: number): number | undefined {
  if (key === 'ArrowRight') return at + 1;
  if (key === 'ArrowLeft') return at - 1;
  if (key === 'Home') return 0;
  return key === 'End' ? -1 : undefined;
}

export function Tabs({ kind, onChoose }: { kind: NameTableKind; onChoose: (kind: NameTableKind) => void }) {
  const move = (event: KeyboardEvent) => {
    // The focus is ahead of `kind`, which changes only when the table has been read.
    const at = TABS.findIndex(([name]) => document.activeElement?.id === `tab-${name}`);
    const wanted = target(event.key, at);
    const next = wanted === undefined ? undefined : TABS.at(wanted % TABS.length);
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
