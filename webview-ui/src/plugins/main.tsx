/**
 * The Plugins panel: the plugins of one profile in the order of their layers, each with its settings as a form. The extension keeps
 * the profiles; nothing is kept here.
 */
import { render } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { FromPanel, PluginsModel } from '../../../debug-adapter/src/protocol/panels.js';
import { listen, send } from '../bridge.js';
import '../panel.css';
import { PluginCard } from './card.js';
import './plugins.css';

function Plugins({ model }: { model: PluginsModel }) {
  const { plugins, profile, compared } = model;
  const moved = useRef<{ readonly library: string; readonly to: number; readonly part: string } | null>(null);
  useEffect(() => {
    if (moved.current === null) return;
    const { library, to, part } = moved.current;
    // Told of an earlier change: it is not there yet.
    if (plugins[to]?.library !== library) return;
    moved.current = null;
    const same = document.getElementById(`plugin-${to}-${part}`) as HTMLButtonElement | null;
    (same?.disabled ? document.getElementById(`plugin-${to}-grip`) : same)?.focus();
  }, [model]);
  if (model.nowhere) return <p class="muted">Profiles of plugins are kept in a folder. Open one to make them.</p>;
  const move = (index: number, to: number) => {
    moved.current = {
      library: plugins[index]?.library ?? '',
      to,
      part: document.activeElement?.id.replace(/^plugin-\d+-/, '') ?? '',
    };
    send({ type: 'movePlugin', index, to });
  };
  return (
    <>
      <Tools model={model} />
      {model.error !== '' && (
        <p role="alert" class="error">
          {model.error}
        </p>
      )}
      {plugins.length === 0 && model.error === '' && (
        <p class="muted">
          {profile === null ? 'No profile yet. ' : 'This profile has no plugin. '}
          Add the library of a plugin: an emulator's, a designer's own, or one for faults.
        </p>
      )}
      {plugins.length > 1 && (
        <p class="muted">The first is the lowest layer: it is called last on the way down, and first on the way up.</p>
      )}
      <ol class="plugins" aria-label={`Plugins of the profile ${profile ?? ''}`}>
        {plugins.map((plugin, index) => (
          <PluginCard
            key={`${index} ${plugin.library}`}
            plugin={plugin}
            index={index}
            count={plugins.length}
            compared={compared}
            onMove={move}
          />
        ))}
      </ol>
      {compared !== null && compared.more.length > 0 && (
        <p class="differs">
          {compared.label} also has {compared.more.join(', ')}.
        </p>
      )}
      {compared !== null && compared.order.length > 0 && (
        <p class="differs">
          In {compared.label} the layers are, from the lowest: {compared.order.join(', ')}.
        </p>
      )}
    </>
  );
}

function Tools({ model: { folders, folder, profiles, profile, others, compared } }: { model: PluginsModel }) {
  return (
    <div class="tools">
      {folders.length > 1 && (
        <select
          aria-label="Workspace folder"
          value={folder}
          onChange={(event) => send({ type: 'selectFolder', folder: Number(event.currentTarget.value) })}
        >
          {folders.map((name, index) => (
            <option key={`${index} ${name}`} value={index}>
              {name}
            </option>
          ))}
        </select>
      )}
      {profile !== null && (
        <select
          aria-label="Profile"
          value={profile}
          onChange={(event) => send({ type: 'selectProfile', profile: event.currentTarget.value })}
        >
          {profiles.map((name) => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
        </select>
      )}
      {profile !== null && (others.length > 0 || compared !== null) && (
        <select
          aria-label="Compare with"
          value={compared?.key ?? ''}
          onChange={(event) => send({ type: 'comparePlugins', key: event.currentTarget.value || null })}
        >
          <option value="">Compare with…</option>
          {others.map(({ key, label }) => (
            <option key={key} value={key}>
              {label}
            </option>
          ))}
        </select>
      )}
      <Action type="addPlugin" text="Add Plugin…" />
      {profile !== null && (
        <Action type="startWithProfile" text="Start…" title="Start a launch configuration with these plugins" />
      )}
      <Action type="addProfile" text="New Profile…" />
      {profile !== null && (
        <>
          <Action type="renameProfile" text="Rename…" />
          <Action type="deleteProfile" text="Delete…" />
          <Action type="openProfiles" text="Open File" />
        </>
      )}
      <Action type="refresh" text="Refresh" />
    </div>
  );
}

type Simple = Exclude<
  FromPanel['type'],
  | 'holdHere'
  | 'selectOperation'
  | 'selectNames'
  | 'nameHistory'
  | 'copy'
  | 'selectProfile'
  | 'selectFolder'
  | 'comparePlugins'
  | 'applySetting'
  | 'givePlugin'
  | 'removePlugin'
  | 'movePlugin'
  | 'enablePlugin'
  | 'changeSetting'
  | 'campaignQuery'
  | 'repeatRun'
  | 'showRun'
  | 'assumeOutcomes'
  | 'debugRun'
  | 'showWaveform'
  | 'openSignal'
  | 'changeCampaign'
  | 'pickSignals'
>;

function Action({ type, text, title }: { type: Simple; text: string; title?: string }) {
  return (
    <button type="button" title={title} onClick={() => send({ type })}>
      {text}
    </button>
  );
}

const panel = document.getElementById('panel');
if (panel) listen('plugins', (model) => render(<Plugins model={model} />, panel));
