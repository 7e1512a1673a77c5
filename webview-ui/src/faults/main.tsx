/**
 * The Faults page: a campaign's file as a form. The extension has the file, and works out what it comes to; nothing is kept here.
 */
import { render } from 'preact';
import type { FaultsModel } from '../../../debug-adapter/src/protocol/panels.js';
import { isObject } from '../../../debug-adapter/src/protocol/settings-value.js';
import { listen, send } from '../bridge.js';
import '../panel.css';
import { SettingsForm } from '../settings/form.js';
import './faults.css';
import { ChoiceField, change, problemsOf } from './fields.js';
import { ModelCard } from './model.js';
import { Sample } from './sample.js';
import { partOf, withoutNumbers } from './schema.js';

/** What is compared, how a detection is known, and how runs are made: as the file has it. */
const MORE = ['observe', 'detect', 'hang', 'limits', 'timeout', 'workers', 'start'];
const SHOWN = ['snapshot', 'models', 'sample', 'seed', ...MORE];

function Faults({ model }: { model: FaultsModel }) {
  const { file, value, problems, plan, snapshots, error, running, planning } = model;
  const isCampaign = value !== null && problems.length === 0;
  return (
    <>
      <h1>{file}</h1>
      <Tools ready={isCampaign} running={running} begun={plan?.runsPerSecond !== null && plan?.measuredBy === plan?.name} />
      {error !== '' && (
        <p role="alert" class="error">
          {error}
        </p>
      )}
      {value === null ? (
        <>
          <p class="error">The file is not YAML: it has to be mended as text.</p>
          {problems.map(({ line, message }) => (
            <p key={`${line}${message}`} class="error">
              line {line}: {message}
            </p>
          ))}
        </>
      ) : (
        <>
          {problems
            .filter(({ path: [first] }) => first === undefined || !SHOWN.includes(String(first)))
            .map(({ line, message }) => (
              <p key={`${line}${message}`} class="error">
                {line > 0 ? `line ${line}: ` : ''}
                {message}
              </p>
            ))}
          <section aria-labelledby="snapshot-title">
            <h2 id="snapshot-title">Snapshot</h2>
            <ChoiceField
              id="snapshot"
              label="Each run begins at"
              {...(plan !== null && plan.snapshot === null && plan.prepares
                ? { help: 'It is made by the first run, as "prepare" in the file says.' }
                : {})}
              problems={problemsOf(problems, ['snapshot'])}
              value={typeof value['snapshot'] === 'string' ? value['snapshot'] : ''}
              choices={snapshots}
              onTake={(text) => change(['snapshot'], text)}
            />
            <Design model={model} />
          </section>
          <Models model={model} value={value} />
          <Sample model={model} />
          <details>
            <summary>Observation, detection, limits and runs</summary>
            <SettingsForm
              id="more"
              plugin={{
                schema: partOf(model.schema, [], MORE),
                settings: Object.fromEntries(Object.entries(value).filter(([key]) => MORE.includes(key))),
                problems: withoutNumbers(problems, []).filter(({ path: [first] }) => MORE.includes(first ?? '')),
              }}
              onChange={(path, now) => change([...path], now)}
            />
          </details>
        </>
      )}
      <p role="status" class="said">
        {planning ? 'What the campaign comes to is worked out.' : problems.length > 0 ? `${problems.length} problems` : ''}
      </p>
    </>
  );
}

function Tools({ ready, running, begun }: { ready: boolean; running: boolean; begun: boolean }) {
  return (
    <div class="tools">
      <button type="button" disabled={!ready} title="In a terminal, without results" onClick={() => send({ type: 'tryFault' })}>
        Try One Fault Now
      </button>
      <button type="button" disabled={!ready || running} onClick={() => send({ type: 'runCampaign' })}>
        {running ? 'The Campaign Runs' : begun ? 'Go On with the Campaign' : 'Start Campaign'}
      </button>
      <button type="button" onClick={() => send({ type: 'openCampaignFile' })}>
        Open File
      </button>
      <button type="button" onClick={() => send({ type: 'showCampaign' })}>
        Results
      </button>
    </div>
  );
}

function Design({ model: { design, plan } }: { model: FaultsModel }) {
  if (plan?.snapshot == null) return null;
  const { state, why } = design;
  return (
    <p role="status" class={state === 'failed' ? 'error' : 'muted'}>
      {state === 'reading' && 'The snapshot is restarted for a moment, to read the signals of its design…'}
      {state === 'failed' && `${why} `}
      {state === 'failed' && (
        <button type="button" onClick={() => send({ type: 'readDesign' })}>
          Try Again
        </button>
      )}
    </p>
  );
}

function Models({ model, value }: { model: FaultsModel; value: Record<string, unknown> }) {
  const models = Array.isArray(value['models']) ? (value['models'] as unknown[]) : [];
  const taken = new Set(models.map((one) => (isObject(one) ? one['name'] : undefined)));
  const name = Array.from({ length: models.length + 1 }, (_, at) => `faults${at + 1}`).find((one) => !taken.has(one)) ?? 'faults';
  return (
    <section aria-labelledby="models-title">
      <h2 id="models-title">Fault models</h2>
      {problemsOf(model.problems, ['models'], false).map((text) => (
        <p key={text} class="error">
          {text}
        </p>
      ))}
      <ol class="models">
        {models.map((one, index) => (
          <ModelCard key={index} model={model} index={index} value={isObject(one) ? one : {}} />
        ))}
      </ol>
      <button
        type="button"
        onClick={() => change(['models', models.length], { name, signals: { model: 'upset', targets: ['*'] } })}
      >
        Add Model
      </button>
    </section>
  );
}

const panel = document.getElementById('panel');
if (panel) listen('faults', (model) => render(<Faults model={model} />, panel));
