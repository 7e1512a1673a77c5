/**
 * One plugin of the profile: what it is, its place among the layers, its settings. It is moved by buttons, by Alt with an arrow key,
 * or dragged.
 */
import type { PluginEntry, PluginsModel } from '../../../debug-adapter/src/protocol/panels.js';
import { send } from '../bridge.js';
import { SettingsForm } from '../settings/form.js';

const DRAGGED = 'text/x-cairn-plugin';

interface CardProps {
  readonly plugin: PluginEntry;
  readonly index: number;
  readonly count: number;
  readonly compared: PluginsModel['compared'];
  /** The focus goes with it. */
  readonly onMove: (from: number, to: number) => void;
}

export function PluginCard({ plugin, index, count, compared, onMove }: CardProps) {
  const { name, version, author, library, enabled, reasons, warnings, there } = plugin;
  const id = `plugin-${index}`;
  const move = (to: number) => to >= 0 && to < count && onMove(index, to);
  const byKey = (event: KeyboardEvent) => {
    if (!event.altKey || (event.key !== 'ArrowUp' && event.key !== 'ArrowDown')) return;
    event.preventDefault();
    move(index + (event.key === 'ArrowUp' ? -1 : 1));
  };
  return (
    <li
      class="plugin"
      aria-labelledby={`${id}-name`}
      onKeyDown={byKey}
      onDragOver={(event) => event.preventDefault()}
      onDrop={(event) => {
        event.preventDefault();
        const from = Number(event.dataTransfer?.getData(DRAGGED) || -1);
        if (from >= 0 && from !== index) onMove(from, index);
      }}
    >
      <div class="head">
        <button
          type="button"
          class="icon grip"
          draggable
          title="Drag it to another layer, or press Alt with an arrow key"
          aria-label={`Place of ${name}: Alt with an arrow key moves it`}
          id={`${id}-grip`}
          onDragStart={(event) => event.dataTransfer?.setData(DRAGGED, String(index))}
        >
          <span class="codicon codicon-gripper" aria-hidden="true" />
        </button>
        <input
          type="checkbox"
          id={`${id}-enabled`}
          aria-label={`Load ${name}`}
          checked={enabled}
          onChange={(event) => send({ type: 'enablePlugin', index, enabled: event.currentTarget.checked })}
        />
        <h3 id={`${id}-name`}>
          {name} <span class="muted">{version}</span>
          {!enabled && <span class="muted"> (not loaded)</span>}
        </h3>
        <Tool icon="arrow-up" label={`Move ${name} up`} id={`${id}-up`} disabled={index === 0} onClick={() => move(index - 1)} />
        <Tool
          icon="arrow-down"
          label={`Move ${name} down`}
          id={`${id}-down`}
          disabled={index === count - 1}
          onClick={() => move(index + 1)}
        />
        <Tool icon="trash" label={`Remove ${name}`} onClick={() => send({ type: 'removePlugin', index })} />
      </div>
      <p class="muted library">
        {author !== '' && `by ${author}, `}
        {library}
      </p>
      {reasons.map((text) => (
        <p key={text} class="error">
          It cannot be loaded: {text}
        </p>
      ))}
      {warnings.map((text) => (
        <p key={text} class="warning">
          <span class="codicon codicon-warning" aria-hidden="true" /> It may break: {text}
        </p>
      ))}
      {compared !== null && there === null && (
        <p class="differs">
          not in {compared.label}
          {compared.live && (
            <button
              type="button"
              aria-label={`Add ${name} to ${compared.label}`}
              title="While the simulation is held"
              onClick={() => send({ type: 'givePlugin', index })}
            >
              Add
            </button>
          )}
        </p>
      )}
      <SettingsForm
        id={id}
        plugin={plugin}
        compared={compared?.label ?? null}
        onApply={compared?.live === true ? (key, value) => send({ type: 'applySetting', index, key, value }) : null}
        onChange={(path, value) => send({ type: 'changeSetting', index, path: [...path], value })}
      />
    </li>
  );
}

interface ToolProps {
  readonly icon: string;
  readonly label: string;
  readonly id?: string;
  readonly disabled?: boolean;
  readonly onClick: () => void;
}

function Tool({ icon, label, id, disabled = false, onClick }: ToolProps) {
  return (
    <button type="button" class="icon" id={id} title={label} aria-label={label} disabled={disabled} onClick={onClick}>
      <span class={`codicon codicon-${icon}`} aria-hidden="true" />
    </button>
  );
}
