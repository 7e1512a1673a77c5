/**
 * How times, sizes and names are written in every view. Pure; tests: test/unit/format.test.ts.
 */
import type { SimulatedTime, SnapshotSummary } from '../../../debug-adapter/src/protocol/snapshot.js';

const SIZES = ['bytes', 'kB', 'MB', 'GB', 'TB'];

export function formatBytes(bytes: number): string {
  if (bytes < 1000) return `${bytes} bytes`;
  const step = Math.min(Math.floor(Math.log10(bytes) / 3), SIZES.length - 1);
  const value = bytes / 1000 ** step;
  return `${value < 10 ? value.toFixed(1) : value.toFixed(0)} ${SIZES[step]}`;
}

export function formatMilliseconds(ms: number): string {
  if (ms < 10) return `${ms.toFixed(1)} ms`;
  if (ms < 1000) return `${ms.toFixed(0)} ms`;
  return `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`;
}

const UNITS = new Map([[0, 's'], [-3, 'ms'], [-6, 'us'], [-9, 'ns'], [-12, 'ps'], [-15, 'fs']]);

/** Exact: trailing zeros are taken off, no digit is rounded away. `1250000` ticks of 10^-9 s are `1.25 ms`. */
export function formatSimulatedTime(time: SimulatedTime): string {
  const digits = time.ticks.replace(/^0+(?=\d)/, '');
  if (digits === '0') return '0 s';
  // The unit in which one to three digits stand before the point, as far as SI has names for it.
  const exponent = time.unit + digits.length - 1;
  const unit = Math.max(-15, Math.min(0, Math.floor(exponent / 3) * 3));
  const shift = time.unit - unit;
  const name = UNITS.get(unit) ?? 's';
  if (shift >= 0) return `${digits}${'0'.repeat(shift)} ${name}`;
  const padded = digits.padStart(1 - shift, '0');
  const fraction = padded.slice(shift).replace(/0+$/, '');
  const whole = padded.slice(0, shift);
  return `${whole}${fraction === '' ? '' : `.${fraction}`} ${name}`;
}

/** Local time of the day, with the date where that is another day than `now`. */
export function formatMoment(iso: string, now = new Date()): string {
  const moment = new Date(iso);
  const two = (value: number) => String(value).padStart(2, '0');
  const time = `${two(moment.getHours())}:${two(moment.getMinutes())}:${two(moment.getSeconds())}`;
  if (moment.toDateString() === now.toDateString()) return time;
  return `${moment.getFullYear()}-${two(moment.getMonth() + 1)}-${two(moment.getDate())} ${time}`;
}

/** As the user named it, else by the moment when it was made. */
export function snapshotLabel(snapshot: Pick<SnapshotSummary, 'name' | 'createdAt'>, now = new Date()): string {
  return snapshot.name === '' ? `Snapshot ${formatMoment(snapshot.createdAt, now)}` : snapshot.name;
}

/** What stands beside the label: the moment (unless the label says it), simulated time, size, how long threads were held. */
export function snapshotDescription(snapshot: SnapshotSummary, now = new Date()): string {
  const parts = [
    ...(snapshot.name === '' ? [] : [formatMoment(snapshot.createdAt, now)]),
    ...(snapshot.simulatedTime ? [`at ${formatSimulatedTime(snapshot.simulatedTime)}`] : []),
    formatBytes(snapshot.bytes),
    `held ${formatMilliseconds(snapshot.pauseMs)}`,
  ];
  return parts.join(' · ');
}

/** Command line as a person reads it: quoted where a shell would need it. */
export function formatCommandLine(argv: readonly string[]): string {
  return argv.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)).join(' ');
}
