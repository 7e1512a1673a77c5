/**
 * The page of a campaign: outcome bars and rates with their intervals, each model's outcomes, figures by module, time and register, metrics, and the runs. The extension reads the results; what is
 * looked for is asked of it.
 */
import { render } from 'preact';
import { useRef, useState } from 'preact/hooks';
import type { CampaignModel, CampaignQuery } from '../../../debug-adapter/src/protocol/panels.js';
import { listen, send } from '../bridge.js';
import '../panel.css';
import './campaign.css';
import { Detail } from './detail.js';
import { Convergence, HeatMap, Modules, Registers } from './figures.js';
import { Filters } from './filters.js';
import { Metrics } from './metrics.js';
import { Models, Rates } from './rates.js';
import { Runs } from './runs.js';

function Campaign({ model }: { model: CampaignModel }) {
  const { file, running, status, page, figures, assumed, detail, error } = model;
  // What the user has chosen counts at once, and not only when the answer is there: the next choice is made on top of it.
  const [query, setQuery] = useState(model.query);
  const runs = useRef<HTMLHeadingElement>(null);
  const ask = (next: CampaignQuery, offset = 0) => {
    setQuery(next);
    send({ type: 'campaignQuery', query: next, offset });
  };
  /** From a cell far above to the runs in it. */
  const toRuns = (next: CampaignQuery) => {
    ask(next);
    runs.current?.scrollIntoView({ block: 'start' });
    runs.current?.focus({ preventScroll: true });
  };
  return (
    <>
      <h1>{file}</h1>
      <div class="tools">
        {running && !status?.paused ? (
          <button type="button" onClick={() => send({ type: 'pauseCampaign' })}>
            Pause
          </button>
        ) : (
          <button type="button" onClick={() => send({ type: 'runCampaign' })}>
            {status === null || status.runs === 0 ? 'Run' : status.paused ? 'Resume' : 'Go On'}
          </button>
        )}
        <button type="button" disabled={status === null} onClick={() => send({ type: 'exportCampaign' })}>
          Export as HTML…
        </button>
        <button type="button" onClick={() => send({ type: 'chooseFaults' })}>
          Faults
        </button>
        <button type="button" onClick={() => send({ type: 'openCampaignFile' })}>
          Open File
        </button>
        <button type="button" onClick={() => send({ type: 'refresh' })}>
          Refresh
        </button>
      </div>
      {/* The counts below change with every look, and nobody wants to hear each. */}
      <p role="status" class="said">
        {status?.paused ? 'The campaign is paused.' : running ? 'The campaign runs.' : 'The campaign does not run.'}
      </p>
      {error !== '' && (
        <p role="alert" class="error">
          {error}
        </p>
      )}
      {status === null ? (
        <p class="muted">{running ? 'The run without a fault is made first.' : 'Nothing has been run yet.'}</p>
      ) : (
        <>
          <p>
            {status.runs} of {status.planned} runs, of {status.population} faults; in {status.notEffective} the fault changed
            nothing.{status.paused && ' It is paused.'}
            {status.endedAfter !== null &&
              ` It has ended early: after ${status.endedAfter} runs the rates were known well enough.`}
          </p>
          <progress aria-label="Runs made" max={Math.max(1, status.endedAfter ?? status.planned)} value={status.runs} />
          <Rates status={status} query={query} onChoose={ask} />
          <Models status={status} query={query} onChoose={ask} />
          {figures !== null && (
            <>
              <Modules figures={figures} query={query} onChoose={toRuns} />
              <HeatMap figures={figures} query={query} onChoose={toRuns} />
              <Convergence figures={figures} />
              <Registers figures={figures} query={query} onChoose={toRuns} />
              <Metrics figures={figures} assumed={assumed} />
            </>
          )}
          <h2 id="runs-title" ref={runs} tabIndex={-1}>
            Runs
          </h2>
          <Filters status={status} query={query} onChange={ask} />
          <Runs page={page} query={query} open={detail?.number ?? null} onSee={(offset) => ask(query, offset)} />
          {detail !== null && <Detail run={detail} />}
        </>
      )}
    </>
  );
}

const panel = document.getElementById('panel');
if (panel) listen('campaign', (model) => render(<Campaign model={model} />, panel));
