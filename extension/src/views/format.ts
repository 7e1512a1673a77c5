/**
 * How snapshots, moments and command lines are named in the views. Pure; tests: test/unit/view-format.test.ts.
 */
import {
  formatBytes,
  formatDuration,
  formatSimulatedTimeBriefly,
  shellWord,
} from '../../../debug-adapter/src/protocol/format.js';
import type { SnapshotSummary } from '../../../debug-adapter/src/protocol/snapshot.js';

/** Local time of the day, with the date where that is another day than `now`. */
export function formatMoment(iso: string, now = new Date()): string {
  const moment = new Date(iso);
  const two = (value: number) => String(value).padStart(2, '0');
  const time = `${two(moment.getHours())}:${two(moment.getMinutes())}:${two(moment.getSeconds())}`;
  if (moment.toDateString() === now.toDateString()) return time;
  return `${moment.getFullYear()}-${two(moment.getMonth() + 1)}-${two(moment.getDate())} ${time}`;
}

/** In messages: as the user named it, else by the moment when it was made. */
export function snapshotLabel(snapshot: Pick<SnapshotSummary, 'name' | 'createdAt'>, now = new Date()): string {
  return snapshot.name === '' ? `Snapshot ${formatMoment(snapshot.createdAt, now)}` : snapshot.name;
}

/** In the tree, where the icon says that it is a snapshot and every letter counts. */
export function snapshotRowLabel(snapshot: Pick<SnapshotSummary, 'name' | 'createdAt'>, now = new Date()): string {
  return snapshot.name === '' ? formatMoment(snapshot.createdAt, now) : snapshot.name;
}

/** The tooltip has all. */
const SIGNALS_SHOWN = 2;
const lastName = (name: string): string => name.slice(name.lastIndexOf('.') + 1);

/** What stands beside the label: the moment (unless the label says it), simulated time, size, how long threads were held. */
export function snapshotDescription(snapshot: SnapshotSummary, now = new Date()): string {
  const parts = [
    ...(snapshot.name === '' ? [] : [formatMoment(snapshot.createdAt, now)]),
    ...(snapshot.simulatedTime ? [`at ${formatSimulatedTimeBriefly(snapshot.simulatedTime)}`] : []),
    ...(snapshot.signals ?? []).slice(0, SIGNALS_SHOWN).map(({ name, value }) => `${lastName(name)} ${value ?? 'no value'}`),
    formatBytes(snapshot.bytes),
    `held ${formatDuration(snapshot.pauseMs)}`,
  ];
  return parts.join(' · ');
}

/** Command line as a person reads it: quoted where a shell would need it. */
export function formatCommandLine(argv: readonly string[]): string {
  return argv.map(shellWord).join(' ');
}
