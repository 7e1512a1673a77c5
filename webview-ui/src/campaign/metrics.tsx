/** Vulnerability and safety metrics of the design, with what is assumed for them, which can be changed. */
import { type Outcome, outcomeWords, type Rate } from '../../../debug-adapter/src/protocol/campaign.js';
import {
  ASSUMABLE,
  type Assumptions,
  type CampaignFigures,
  classWords,
  type FaultClass,
} from '../../../debug-adapter/src/protocol/campaign-figures.js';
import { send } from '../bridge.js';
import { percent } from './figures.js';

interface Shown {
  readonly figures: CampaignFigures;
  readonly assumed: Assumptions;
}

export function Metrics({ figures: { avf, safety }, assumed }: Shown) {
  const rows: readonly [label: string, meaning: string, rate: Rate | null][] = [
    ['AVF', 'architectural vulnerability factor: faults that become errors', avf.all],
    ['AVF, silent', 'of that, what nobody noticed (SDC)', avf.silent],
    ['AVF, noticed', 'of that, what was noticed or ended the run (DUE)', avf.noticed],
    ['SPFM', 'single-point fault metric', safety.spfm],
    ['LFM', 'latent-fault metric', safety.lfm],
    ['DC', 'diagnostic coverage of residual faults', safety.coverage],
  ];
  const take = (outcome: Outcome, as: FaultClass): void => {
    const [usual] = ASSUMABLE[outcome] ?? [];
    const { [outcome]: _, ...others } = assumed;
    send({ type: 'assumeOutcomes', assumed: as === usual ? others : { ...others, [outcome]: as } });
  };
  return (
    <>
      <h2>Vulnerability and safety metrics</h2>
      <table class="models metrics">
        <caption>Metrics with their intervals; SPFM, LFM and DC as ISO 26262-5 defines them</caption>
        <thead>
          <tr>
            <th scope="col">Metric</th>
            <th scope="col" class="number">
              Value
            </th>
            <th scope="col">Interval</th>
            <th scope="col">What it is</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(([label, meaning, rate]) => (
            <tr key={label}>
              <th scope="row">{label}</th>
              <td class="number">{rate === null ? '' : percent(rate.rate)}</td>
              <td>{rate === null ? 'no run tells' : `${percent(rate.low)} to ${percent(rate.high)}`}</td>
              <td>{meaning}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <details>
        <summary>What is assumed</summary>
        <div class="assumed">
          {(Object.entries(ASSUMABLE) as [Outcome, readonly FaultClass[]][]).map(([outcome, classes]) => (
            <label key={outcome}>
              {outcomeWords[outcome].label} counts as{' '}
              <select
                value={safety.classes[outcome] ?? ''}
                onChange={({ currentTarget: { value } }) => {
                  const as = classes.find((one) => one === value);
                  if (as) take(outcome, as);
                }}
              >
                {classes.map((one) => (
                  <option key={one} value={one}>
                    {classWords[one]}
                  </option>
                ))}
              </select>
            </label>
          ))}
        </div>
        <ul>
          {safety.assumptions.map((one) => (
            <li key={one}>{one}</li>
          ))}
        </ul>
      </details>
    </>
  );
}
