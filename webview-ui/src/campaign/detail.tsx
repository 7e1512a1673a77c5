/** One run: what it was, how to have it again, and what it printed. */
import { useEffect, useRef } from 'preact/hooks';
import { outcomeWords, type RunDetail } from '../../../debug-adapter/src/protocol/campaign.js';
import { send } from '../bridge.js';

const ticks = (count: number): string => `${count} tick${count === 1 ? '' : 's'}`;

export function Detail({ run }: { run: RunDetail }) {
  const { label, meaning } = outcomeWords[run.outcome];
  const injection = [run.injection, run.injectedAt === null ? '' : `${ticks(run.injectedAt)} after the restart`];
  const heading = useRef<HTMLHeadingElement>(null);
  // It is far below the button that opens it.
  useEffect(() => heading.current?.focus(), [run.number]);
  return (
    <section aria-labelledby="detail-title">
      <h2 id="detail-title" ref={heading} tabIndex={-1}>
        Run {run.number}
      </h2>
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
        <dt>Place</dt>
        <dd>
          {run.target}
          {run.scope === '' || run.at !== null ? '' : `, in ${run.scope}`}
        </dd>
        <dt>Injection</dt>
        <dd>{injection.filter((part) => part !== '').join(', ') || 'not known'}</dd>
        {run.latency !== null && (
          <>
            <dt>Detected</dt>
            <dd>{ticks(run.latency)} after the injection</dd>
          </>
        )}
        <dt>First deviation</dt>
        <dd>{run.deviation || 'none'}</dd>
        <dt>Started</dt>
        <dd>
          {run.start === 'resident' ? 'as a copy of the restored snapshot' : 'by a restart from disk'}
          {run.startReason === '' ? '' : `: ${run.startReason}`}
        </dd>
        <dt>Again</dt>
        <dd>
          <code>{run.again}</code>
        </dd>
      </dl>
      <div class="tools">
        <button type="button" onClick={() => send({ type: 'repeatRun', number: run.number })}>
          Repeat
        </button>
        <button
          type="button"
          title={run.at === null ? 'A restart with the fault' : 'A restart that is held just before the fault'}
          onClick={() => send({ type: 'debugRun', number: run.number })}
        >
          Debug
        </button>
        <button
          type="button"
          title="Where its waveform differs from that of the run without a fault"
          onClick={() => send({ type: 'showWaveform', number: run.number })}
        >
          Waveform Difference
        </button>
        {run.at !== null && (
          <button type="button" onClick={() => send({ type: 'openSignal', name: run.target })}>
            Open in the Source
          </button>
        )}
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
