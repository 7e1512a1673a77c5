/** One run: what it was, how to have it again, and what it printed. */
import { outcomeWords, type RunDetail } from '../../../debug-adapter/src/protocol/campaign.js';
import { send } from '../bridge.js';

export function Detail({ run }: { run: RunDetail }) {
  const { label, meaning } = outcomeWords[run.outcome];
  return (
    <section aria-labelledby="detail-title">
      <h2 id="detail-title">Run {run.number}</h2>
      <dl>
        <dt>Outcome</dt>
        <dd>
          {label}: {meaning}
          {run.status === null ? '' : `; status ${run.status}`}
        </dd>
        <dt>Fault</dt>
        <dd>
          {run.model}: {run.fault}
        </dd>
        <dt>First deviation</dt>
        <dd>{run.deviation || 'none'}</dd>
        <dt>Again</dt>
        <dd>
          <code>{run.again}</code>
        </dd>
      </dl>
      <div class="tools">
        <button type="button" onClick={() => send({ type: 'repeatRun', number: run.number })}>
          Repeat
        </button>
        <button type="button" onClick={() => send({ type: 'copy', text: run.again })}>
          Copy the Command
        </button>
        <button type="button" onClick={() => send({ type: 'showRun', number: null })}>
          Close
        </button>
      </div>
      <section
        class="console"
        aria-label={`Console of run ${run.number}`}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls has to be reached by keys
        tabIndex={0}
      >
        <pre>{run.console || '(it printed nothing)'}</pre>
      </section>
    </section>
  );
}
