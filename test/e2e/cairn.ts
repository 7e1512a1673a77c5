/**
 * What all stories need of Cairn: its parts on the screen by what they show, and its sessions as the command sees them.
 */
import type { Locator } from 'playwright-core';
import type { Suite } from './harness/suite.js';
import { until } from './harness/until.js';
import type { Window } from './harness/window.js';

export const statusItem = (window: Window): Locator => window.status('cairn.cairn.cairn.status');

export const snapshotsView = (window: Window): Locator => window.tree(/^Snapshots/);
export const computationView = (window: Window): Locator => window.tree(/^Computation/);

/** Rows of the snapshot tree that are snapshots. */
export function snapshotRows(window: Window): Locator {
  return snapshotsView(window).getByRole('treeitem', { name: /\bheld [\d.]+ m?s/ });
}

export function snapshotNamed(window: Window, name: string): Locator {
  return snapshotsView(window).getByRole('treeitem', { name: new RegExp(`^${name}\\b`) });
}

/** The tip of a session's branch, while the session lives. */
export function tip(window: Window, session: string, state = 'running|held'): Locator {
  return snapshotsView(window).getByRole('treeitem', { name: new RegExp(`^(${state}), ${session}\\b`) });
}

/** Does what makes a snapshot; returns the milliseconds until its row is there. */
export async function snapshotAppears(window: Window, act: () => Promise<void>): Promise<number> {
  const before = await snapshotRows(window).count();
  const start = performance.now();
  await act();
  await until('a snapshot is in the tree', async () => (await snapshotRows(window).count()) > before);
  return performance.now() - start;
}

export async function checkpointAs(window: Window, name: string): Promise<void> {
  await snapshotAppears(window, () => window.command('Cairn: Checkpoint As…').then(() => window.answer(name)));
  await snapshotNamed(window, name).waitFor();
}

/** Waits until the active terminal is that of a run that has not ended, not that of the run before. */
export async function newTerminal(window: Window): Promise<void> {
  await until('the terminal of the restarted run is shown', async () => {
    const text = await window.terminalText();
    return text !== '' && !text.includes('ended with status');
  });
}

export interface Status {
  session: string;
  state: string;
  coordinator: number;
  exitStatus: number | null;
  heldBy: { what: string; why: string } | null;
  processes: { virtualPid: number; realPid: number }[];
}

export async function statusOf(suite: Suite, session: string): Promise<Status> {
  return JSON.parse(await suite.cairn('status', '--session', session, '--json')) as Status;
}

/** Waits for a state of a session that may only come to be. */
export async function becomes(suite: Suite, session: string, state: string): Promise<void> {
  await until(`${session} is ${state}`, async () => (await statusOf(suite, session).catch(() => undefined))?.state === state);
}

/** Before a restart starts: what is other than in the snapshot. */
export async function listsChanges(window: Window, changes: readonly string[]): Promise<void> {
  await until(
    'what differs is listed',
    async () => {
      const lines = await window.choices();
      return changes.every((one) => lines.some((line) => line.includes(one)));
    },
    { state: async () => (await window.choices()).join('\n') },
  );
}
