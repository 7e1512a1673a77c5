/**
 * Commands on a store: ls, show, rename, note, pin, unpin, rm. They need no coordinator.
 */

import { drawTree, snapshotTree } from '../../model/snapshot-tree.js';
import { failure } from '../../protocol/errors.js';
import {
  changeText,
  formatBytes,
  formatDuration,
  formatSimulatedTime,
  formatTable,
  formatTime,
  shellWord,
} from '../../protocol/format.js';
import type { Labels, SnapshotSummary } from '../../protocol/snapshot.js';
import { readManifest } from '../../store/snapshot-folder.js';
import { Store } from '../../store/store.js';
import { verify } from '../../store/verification.js';
import { storePath } from '../choices.js';
import { print, printJson } from '../output.js';

interface Common {
  store?: string;
  json: boolean;
}

const open = (options: Common): Store => new Store(storePath(options.store));

export async function ls(text: string | undefined, options: Common): Promise<number> {
  const store = open(options);
  const snapshots = text === undefined ? store.list() : [store.find(text)];
  if (options.json) printJson(snapshots);
  else if (snapshots.length === 0) print(`no snapshots in ${store.path}`);
  else {
    const rows = drawTree(snapshotTree(snapshots)).map(({ prefix, snapshot }) => row(prefix, snapshot));
    print(formatTable([['SNAPSHOT', 'NAME', 'MADE', 'SIMULATED', 'SIZE', 'HELD', 'SESSION'], ...rows]));
  }
  return 0;
}

function row(prefix: string, one: SnapshotSummary): string[] {
  const name = `${one.name}${one.pinned ? ' (pinned)' : ''}${one.problem === '' ? '' : ` (damaged: ${one.problem})`}`;
  const time = one.simulatedTime === null ? '' : formatSimulatedTime(one.simulatedTime);
  return [
    `${prefix}${one.id}`,
    name,
    formatTime(one.createdAt),
    time,
    formatBytes(one.bytes),
    formatDuration(one.pauseMs),
    one.session,
  ];
}

export async function show(text: string | undefined, options: Common & { verify: boolean }): Promise<number> {
  const store = open(options);
  const one = text === undefined ? store.newest() : store.find(text);
  const manifest = readManifest(one.path);
  if (options.verify) {
    if (typeof manifest === 'string') throw failure('snapshotDamaged', { id: one.id, why: manifest });
    await verify(one.path, manifest, { always: true });
  }
  if (options.json) {
    printJson({ ...one, manifest: typeof manifest === 'string' ? null : manifest });
    return 0;
  }
  const rows: string[][] = [['snapshot', one.id]];
  if (one.name !== '') rows.push(['name', one.name]);
  if (one.note !== '') rows.push(['note', one.note]);
  if (one.pinned) rows.push(['pinned', 'yes']);
  if (one.problem !== '') rows.push(['damaged', one.problem]);
  rows.push(
    ['folder', one.path],
    ['parent', one.parent ?? 'none'],
    ['made', formatTime(one.createdAt)],
    ['session', one.session],
  );
  rows.push(['program', one.argv.map(shellWord).join(' ')]);
  if (one.simulatedTime !== null) rows.push(['simulated time', formatSimulatedTime(one.simulatedTime)]);
  for (const { name, value } of one.signals ?? []) rows.push(['signal', `${name} = ${value ?? 'no value'}`]);
  rows.push(['size', formatBytes(one.bytes)], ['held', formatDuration(one.pauseMs)], ['in all', formatDuration(one.totalMs)]);
  if (typeof manifest !== 'string') {
    rows.push([
      'host',
      `${manifest.host.name}, Linux ${manifest.host.kernel}, ${manifest.host.cpuModel}, libc ${manifest.host.libc}`,
    ]);
    for (const process of manifest.processes)
      rows.push([
        'process',
        `${process.virtualPid}  ${process.executable}, ${process.threads} thread${process.threads === 1 ? '' : 's'}`,
      ]);
    for (const phase of manifest.phases) rows.push(['phase', `${phase.phase}: ${formatDuration(phase.ms)}`]);
    for (const change of manifest.restartChanges) rows.push(['restarted with', changeText(change)]);
    rows.push(['clock', manifest.rules.clock === 'continue' ? 'continues at a restart' : 'goes on with the machine']);
    for (const { pattern, how } of manifest.rules.files) rows.push(['file rule', `${how} ${pattern}`]);
    for (const { path, how, size, real } of manifest.openFiles)
      rows.push([how, `${path}, ${formatBytes(size)}${real === undefined ? '' : ` (${real})`}`]);
    for (const file of manifest.files) rows.push(['file', `${file.name}, ${formatBytes(file.size)}`]);
  }
  if (options.verify) rows.push(['verified', 'all checksums are right']);
  print(formatTable(rows));
  return 0;
}

async function label(text: string, change: Partial<Labels>, options: Common): Promise<number> {
  const store = open(options);
  const changed = await store.label(store.find(text), change);
  if (options.json) printJson(changed);
  return 0;
}

export const rename = (text: string, name: string, options: Common): Promise<number> => label(text, { name }, options);
export const annotate = (text: string, note: string, options: Common): Promise<number> => label(text, { note }, options);
export const pin = (text: string, options: Common): Promise<number> => label(text, { pinned: true }, options);
export const unpin = (text: string, options: Common): Promise<number> => label(text, { pinned: false }, options);

export async function rm(texts: string[], options: Common): Promise<number> {
  const store = open(options);
  const chosen = texts.map((text) => store.find(text));
  // All or none: a wrong name among them removes nothing.
  const pinned = chosen.find((one) => one.pinned);
  if (pinned) throw failure('snapshotPinned', { id: pinned.id });
  for (const one of chosen) {
    // A parent that went in the same call leaves the ids, but not the tree, as it was.
    const now = store.list().find((other) => other.path === one.path);
    if (now !== undefined) await store.remove(now);
    else if (!one.path.startsWith(`${store.snapshots}/`))
      throw failure('usage', {
        what: `${one.path} is not in the store ${store.path}`,
        remedy: 'Name its store with --store, or remove the folder yourself.',
      });
  }
  if (options.json) printJson(chosen.map((one) => one.id));
  return 0;
}
