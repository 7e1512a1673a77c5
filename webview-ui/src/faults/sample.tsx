/** How many of the faults are tried, how exact that makes the rates, and how long it takes. */
import type { FaultsModel } from '../../../debug-adapter/src/protocol/panels.js';
import { isObject } from '../../../debug-adapter/src/protocol/settings-value.js';
import { ChoiceField, change, numberIn, problemsOf, TextField, textOf } from './fields.js';
import { sampleWords, timeWords } from './words.js';

export function Sample({ model: { value, plan, problems, planning } }: { model: FaultsModel }) {
  const sample = value?.['sample'];
  const kind = sample === undefined ? 'all' : isObject(sample) ? 'margin' : 'number';
  const choose = (wanted: string): void => {
    if (wanted === 'all') change(['sample'], undefined);
    else change(['sample'], wanted === 'number' ? 300 : { margin: 0.05, confidence: 0.95 });
  };
  return (
    <section aria-labelledby="sample-title">
      <h2 id="sample-title">Sampling</h2>
      <ChoiceField
        id="sample-kind"
        label="Faults tried"
        problems={kind === 'margin' ? problemsOf(problems, ['sample'], false) : problemsOf(problems, ['sample'])}
        value={kind}
        choices={[
          { value: 'all', label: 'all of them' },
          { value: 'number', label: 'as many as are said here' },
          { value: 'margin', label: 'as many as a margin needs' },
        ]}
        onTake={choose}
      />
      {kind === 'number' && (
        <TextField
          id="sample-number"
          label="Runs"
          problems={[]}
          numeric
          value={textOf(sample)}
          onTake={(text) => change(['sample'], numberIn(text))}
        />
      )}
      {isObject(sample) &&
        (['margin', 'confidence'] as const).map((key) => (
          <TextField
            key={key}
            id={`sample-${key}`}
            label={key === 'margin' ? 'Margin' : 'Confidence'}
            help={key === 'margin' ? 'Half of the interval that a rate is to have, such as 0.05.' : 'Such as 0.95.'}
            problems={problemsOf(problems, ['sample', key])}
            numeric
            value={textOf(sample[key])}
            placeholder={key === 'margin' ? '0.05' : '0.95'}
            onTake={(text) => change(['sample', key], numberIn(text))}
          />
        ))}
      <TextField
        id="seed"
        label="Seed"
        help="The same seed, the same faults."
        problems={problemsOf(problems, ['seed'])}
        numeric
        value={textOf(value?.['seed'])}
        placeholder="0"
        onTake={(text) => change(['seed'], numberIn(text))}
      />
      <p role="status" class="estimate" aria-busy={planning}>
        {plan === null ? 'What it comes to can be said when nothing is wrong with the file.' : sampleWords(plan)}
        {plan !== null && plan.runs !== null && (
          <>
            <br />
            {timeWords(plan)}
          </>
        )}
      </p>
    </section>
  );
}
