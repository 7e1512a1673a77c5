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

/** The first difference in what is observed; empty: none. */
export function deviationOf(golden: Observation, seen: Observation, { console, ignore }: Campaign['observe']): string {
  const lines = console ? lineDeviation(compared(golden.lines, ignore), compared(seen.lines, ignore)) : '';
  return lines || fileDeviation(golden.files, seen.files);
}

export function judge(
  golden: Observation,
  seen: Observation,
  { observe, detect }: Pick<Campaign, 'observe' | 'detect'>,
): Judgement {
  const deviation = deviationOf(golden, seen, observe);
  const said = detect.console === undefined ? undefined : new RegExp(detect.console, 'u');
  const before = new Set(golden.lines);
  const detected =
    (seen.status !== null && seen.status !== golden.status && detect.status.includes(seen.status)) ||
    (said !== undefined && seen.lines.some((line) => said.test(line) && !before.has(line)));
  const ended =
    seen.status === golden.status ? '' : seen.status === null ? 'it did not end' : `it ended with status ${seen.status}`;
  const outcome = ((): Outcome => {
    if (detected) return 'detected';
    if (seen.status === null) return 'hang';
    if (seen.status !== golden.status) return seen.status > SIGNALS && seen.status <= MOST_SIGNALS ? 'crash' : 'trap';
    return deviation === '' ? 'masked' : 'silentDataCorruption';
  })();
  return { outcome, deviation: deviation || ended };
}
