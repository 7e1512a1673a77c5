/**
 * The Barriers panel: how a checkpoint, hold or restart goes from phase to phase. One table is both the picture and what a
 * screen reader reads: a line with a station for each phase, who has arrived, who is awaited, how long it took. Below it, when it is
 * over, the time line of each process.
 */
import { render } from 'preact';
import type { OperationStatus } from '../../../debug-adapter/src/protocol/operation.js';
import type { BarriersModel } from '../../../debug-adapter/src/protocol/panels.js';
import { listen, send } from '../bridge.js';
import '../panel.css';
import './barriers.css';
import { OperationChoice } from './operationChoice.js';
import { PhaseRow } from './phaseRow.js';
import { Timeline } from './timeline.js';
import { asOperation, longest, title } from './words.js';

function Barriers(model: BarriersModel) {
  const { session, operation, processes, chosen, timeline, breakpoints } = model;
  const choose = (key: string | null): void => send({ type: 'selectOperation', key });
  const choice = <OperationChoice model={model} onChoose={choose} />;
  if (chosen !== null && timeline !== null) {
    const names = timeline.processes.map(({ virtualPid, program }) => ({ virtualPid, name: program }));
    return (
      <>
        {choice}
        <Phases operation={asOperation(timeline)} processes={names} session={timeline.session} breakpoints={breakpoints} />
        <Timeline timeline={timeline} />
      </>
    );
  }
  if (session === null)
    return (
      <>
        {choice}
        <p class="muted">No simulation is running. When one is, each checkpoint shows here which phase it is in.</p>
      </>
    );
  if (!operation)
    return (
      <>
        {choice}
        <p class="muted">{session} has made no checkpoint yet.</p>
      </>
    );
  return (
    <>
      {choice}
      <Phases operation={operation} processes={processes} session={session} breakpoints={breakpoints} />
      {timeline !== null && <Timeline timeline={timeline} />}
    </>
  );
}

interface PhasesProps {
  readonly operation: OperationStatus;
  readonly processes: BarriersModel['processes'];
  readonly session: string;
  readonly breakpoints: BarriersModel['breakpoints'];
}

function Phases({ operation, processes, session, breakpoints }: PhasesProps) {
  const scale = longest(operation);
  const names = new Map(processes.map(({ virtualPid, name }) => [virtualPid, name]));
  const inSomePhase = operation.phases.some(({ error }) => error === operation.error);
  return (
    <>
      <div class="heading">
        <p role="status" class={operation.error === '' ? '' : 'error'}>
          {title(operation)}
        </p>
        {operation.heldAt !== '' && (
          <button type="button" onClick={() => send({ type: 'goOn' })}>
            Continue
          </button>
        )}
        {!operation.finished && (
          <button type="button" onClick={() => send({ type: 'cancel' })}>
            Cancel
          </button>
        )}
      </div>
      <table class="phases">
        <caption>
          Phases of the {operation.kind} of {session}
        </caption>
        <thead>
          <tr>
            <th scope="col">Phase</th>
            <th scope="col" class="number">
              Time
            </th>
            <th scope="col">Arrived</th>
            <th scope="col">Awaited</th>
            <td class="hold" />
          </tr>
        </thead>
        <tbody>
          {operation.phases.map((phase, index) => (
            <PhaseRow key={index} phase={phase} names={names} scale={scale} breakpoints={breakpoints} />
          ))}
        </tbody>
      </table>
      {operation.error !== '' && !inSomePhase && <p class="error">{operation.error}</p>}
    </>
  );
}

const panel = document.getElementById('panel');
if (panel) listen('barriers', (model) => render(<Barriers {...model} />, panel));
