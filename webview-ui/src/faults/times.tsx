/**
 * When faults begin: on a line that begins at the snapshot, by two sliders where the end of the run without a fault is known, and always by numbers.
 */
import { useEffect, useState } from 'preact/hooks';
import type { CampaignProblem } from '../../../debug-adapter/src/protocol/campaign.js';
import type { CampaignPlan } from '../../../debug-adapter/src/protocol/campaign-plan.js';
import { ChoiceField, change, numberIn, type Path, problemsOf, TextField, textOf } from './fields.js';
import { grouped, momentWords } from './words.js';

/** Of a list, on the line. */
const MOST_MARKS = 500;

interface Props {
  readonly id: string;
  readonly path: Path;
  readonly value: unknown;
  readonly plan: CampaignPlan | null;
  readonly problems: readonly CampaignProblem[];
}

type Range = { readonly from?: unknown; readonly to?: unknown; readonly step?: unknown };

const numberOf = (value: unknown, otherwise: number): number => (typeof value === 'number' ? value : otherwise);

export function Times({ id, path, value, plan, problems }: Props) {
  const list = Array.isArray(value) ? (value as unknown[]) : value === undefined ? [0] : undefined;
  const range = list === undefined ? (value as Range) : undefined;
  const end = plan?.end ?? null;
  const kind = range ? 'range' : list?.length === 1 && list[0] === 0 ? 'once' : 'list';
  const choose = (wanted: string): void => {
    if (wanted === 'once') change(path, undefined);
    else if (wanted === 'list') change(path, [0, numberOf(range?.to, end ?? 1000)]);
    else change(path, { from: 0, to: end ?? 1000, step: 1 });
  };
  return (
    <>
      <ChoiceField
        id={`${id}-when`}
        label="Times"
        help="When faults begin, in ticks of simulated time after the restart."
        problems={kind === 'range' ? [] : problemsOf(problems, path)}
        value={kind}
        choices={[
          { value: 'once', label: 'at the restart' },
          { value: 'list', label: 'at some times' },
          { value: 'range', label: 'in a range, one as likely as another' },
        ]}
        onTake={choose}
      />
      {kind === 'list' && (
        <TextField
          id={`${id}-list`}
          label="Ticks"
          help="Numbers, with blanks between them."
          problems={[]}
          value={(list ?? []).map(textOf).join(' ')}
          onTake={(text) =>
            change(
              path,
              text
                .split(/[\s,]+/)
                .filter((one) => one !== '')
                .map(numberIn),
            )
          }
        />
      )}
      {range && (
        <div class="range">
          {(['from', 'to', 'step'] as const).map((key) => (
            <TextField
              key={key}
              id={`${id}-${key}`}
              label={key === 'from' ? 'From' : key === 'to' ? 'To' : 'Step'}
              {...(key === 'step' || plan === null ? {} : { help: momentWords(numberOf(range[key], 0), plan) })}
              problems={problemsOf(problems, [...path, key])}
              numeric
              value={textOf(range[key])}
              placeholder={key === 'step' ? '1' : '0'}
              onTake={(text) => change([...path, key], numberIn(text))}
            />
          ))}
        </div>
      )}
      <Line id={id} path={path} list={list} range={range} plan={plan} />
    </>
  );
}

interface LineProps extends Pick<Props, 'id' | 'path' | 'plan'> {
  readonly list: readonly unknown[] | undefined;
  readonly range: Range | undefined;
}

function Line({ id, path, list, range, plan }: LineProps) {
  const end = plan?.end ?? null;
  const [from, to] = [numberOf(range?.from, 0), numberOf(range?.to, 0)];
  const marks = (list ?? []).filter((one) => typeof one === 'number').slice(0, MOST_MARKS);
  const last = Math.max(1, end ?? 0, to, ...marks);
  const place = (ticks: number): number => (1000 * Math.min(ticks, last)) / last;
  const begins = plan === null ? '' : momentWords(0, plan);
  const ends = plan === null ? '' : momentWords(last, plan);
  return (
    <div class="timeline">
      <svg viewBox="0 0 1000 26" preserveAspectRatio="none" aria-hidden="true">
        <line class="axis" x1="0" y1="13" x2="1000" y2="13" />
        <rect class="snapshot" x="0" y="3" width="6" height="20" />
        {range && <rect class="window" x={place(from)} y="6" width={Math.max(3, place(to) - place(from))} height="14" />}
        {marks.map((one) => (
          <rect key={one} class="window" x={place(one) - 1.5} y="6" width="3" height="14" />
        ))}
        {end !== null && <rect class="end" x={place(end) - 3} y="3" width="3" height="20" />}
      </svg>
      {range && end !== null && (
        <div class="sliders">
          <Slider
            id={`${id}-slide-from`}
            label="First tick"
            value={from}
            last={last}
            onTake={(value) => change([...path, 'from'], Math.min(value, to))}
          />
          <Slider
            id={`${id}-slide-to`}
            label="Last tick"
            value={to}
            last={last}
            onTake={(value) => change([...path, 'to'], Math.max(value, from))}
          />
        </div>
      )}
      <p class="ends muted">
        <span>snapshot{begins === '' ? '' : `, ${begins}`}</span>
        <span>
          {end === null
            ? 'the end of the run is not known before the first one'
            : `end of the run without a fault, ${grouped(end)} ticks`}
          {ends === '' ? '' : `, ${ends}`}
        </span>
      </p>
    </div>
  );
}

interface SliderProps {
  readonly id: string;
  readonly label: string;
  readonly value: number;
  readonly last: number;
  readonly onTake: (value: number) => void;
}

function Slider({ id, label, value, last, onTake }: SliderProps) {
  const [shown, setShown] = useState(value);
  useEffect(() => setShown(value), [value]);
  return (
    <input
      type="range"
      id={id}
      aria-label={label}
      min={0}
      max={last}
      step={Math.max(1, Math.round(last / 200))}
      value={shown}
      onInput={({ currentTarget }) => setShown(Number(currentTarget.value))}
      onChange={({ currentTarget }) => onTake(Number(currentTarget.value))}
    />
  );
}
