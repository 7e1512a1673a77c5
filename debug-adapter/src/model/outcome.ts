/**
 * What became of a run, by what was seen of it and of the run without a fault. Pure. Tests: test/unit/outcome.test.ts.
 */
import type { Campaign, Observation, Outcome } from '../protocol/campaign.js';

export interface Judgement {
  outcome: Outcome;
  /** Where it first differs; empty: nowhere. */
  deviation: string;
}

/** A status between these is that of a signal. */
const SIGNALS = 128;
const MOST_SIGNALS = 192;
/** Of a line, in what is said of it. */
const SAID = 200;

/** Lines that count. */
export function compared(lines: readonly string[], ignore: readonly string[]): string[] {
  const patterns = ignore.map((text) => new RegExp(text, 'u'));
  return lines.filter((line) => !patterns.some((one) => one.test(line)));
}

const quoted = (line: string): string => `"${line.length > SAID ? `${line.slice(0, SAID)}…` : line}"`;

function lineDeviation(golden: readonly string[], seen: readonly string[]): string {
  const length = Math.max(golden.length, seen.length);
  for (let index = 0; index < length; index++) {
    const [was, is] = [golden[index], seen[index]];
    if (was === is) continue;
    const instead = was === undefined ? 'the end' : quoted(was);
    return `line ${index + 1}: ${is === undefined ? 'it is missing' : quoted(is)} instead of ${instead}`;
  }
  return '';
}

function fileDeviation(golden: Observation['files'], seen: Observation['files']): string {
  for (const name of [...new Set([...Object.keys(golden), ...Object.keys(seen)])].sort()) {
    if (golden[name] === seen[name]) continue;
    if (seen[name] === undefined) return `${name} is missing`;
    return golden[name] === undefined ? `${name} is there` : `${name} differs`;
  }
  return '';
}

/** Of memories the first word that differs. */
function stateDeviation(golden: Observation['design'], seen: Observation['design']): string {
  for (const [name, was] of Object.entries(golden?.state ?? {})) {
    const is = seen?.state[name];
    if (is === was) continue;
    if (is === undefined) return `${name}: its value at the end is not known`;
    const [before, after] = [was.split(' '), is.split(' ')];
    const index = after.findIndex((word, at) => word !== before[at]);
    const where = before.length > 1 ? `word ${index} of ${name}` : name;
    return `${where}: ${after[index]} instead of ${before[index]} at the end`;
  }
  return '';
}

function timeDeviation(golden: Observation['design'], seen: Observation['design']): string {
  if (golden?.end == null || seen?.end == null || golden.begin === null || seen.begin === null) return '';
  const [was, is] = [golden.end - golden.begin, seen.end - seen.begin];
  return was === is ? '' : `it ended after ${is} ticks instead of ${was}`;
}

/** Whether two runs without a fault are the same. Empty: they are. */
export function varies(one: Observation, other: Observation, observe: Campaign['observe']): string {
  return (
    deviationOf(one, other, observe) ||
    (one.status === other.status ? '' : `status ${other.status} instead of ${one.status}`) ||
    timeDeviation(one.design, other.design) ||
    stateDeviation(one.design, other.design)
  );
}

/** The first difference in what is observed; empty: none. */
export function deviationOf(golden: Observation, seen: Observation, { console, ignore }: Campaign['observe']): string {
  const lines = console ? lineDeviation(compared(golden.lines, ignore), compared(seen.lines, ignore)) : '';
  return lines || fileDeviation(golden.files, seen.files);
}

export function judge(
  golden: Observation,
  seen: Observation,
  { observe, detect, hang }: Pick<Campaign, 'observe' | 'detect' | 'hang'>,
): Judgement {
  const deviation = deviationOf(golden, seen, observe);
  const late = timeDeviation(golden.design, seen.design);
  const state = stateDeviation(golden.design, seen.design);
  const said = detect.console === undefined ? undefined : new RegExp(detect.console, 'u');
  const before = new Set(golden.lines);
  const detected =
    (seen.status !== null && seen.status !== golden.status && detect.status.includes(seen.status)) ||
    (seen.design?.detected != null && golden.design?.detected == null) ||
    (said !== undefined && seen.lines.some((line) => said.test(line) && !before.has(line)));
  const within = seen.design?.limit == null ? '' : ` within ${seen.design.limit} ticks`;
  const ended =
    seen.status === golden.status ? '' : seen.status === null ? `it did not end${within}` : `it ended with status ${seen.status}`;
  const outcome = ((): Outcome => {
    if (detected) return 'detected';
    if (seen.status === null || (seen.status !== golden.status && hang.status.includes(seen.status))) return 'hang';
    if (seen.status !== golden.status) return seen.status > SIGNALS && seen.status <= MOST_SIGNALS ? 'crash' : 'trap';
    if (deviation !== '') return 'silentDataCorruption';
    if (late !== '') return 'timing';
    return state === '' ? 'masked' : 'latent';
  })();
  // Of a run that was ended what it had not printed by then says nothing.
  const first = seen.status === null ? ended : '';
  return { outcome, deviation: first || deviation || ended || late || state };
}
