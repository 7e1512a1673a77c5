import assert from 'node:assert/strict';
import test from 'node:test';
import type { SessionStatus } from '../../debug-adapter/src/protocol/control.js';
import type { SnapshotSummary } from '../../debug-adapter/src/protocol/snapshot.js';
import { type Branch, buildSnapshotTree } from '../../extension/src/views/snapshotModel.js';
import { status, summary } from './snapshots.js';

const at = (minute: number) => `2026-05-02T09:${String(minute).padStart(2, '0')}:00.000Z`;
const made = (id: string, minute: number, session: string, parent: string | null) =>
  summary({ id, createdAt: at(minute), session, parent });

/** One line a branch: `session<from: ids (state)`, indented below its snapshot. */
function drawn(snapshots: SnapshotSummary[], live: SessionStatus[] = []): string[] {
  const tree = buildSnapshotTree(snapshots, live);
  const draw = (branch: Branch, indent: string): string[] => [
    `${indent}${branch.session}<${branch.from ?? ''}: ${branch.snapshots.map(({ id }) => id).join(' ')}${branch.tip ? ` (${branch.tip.state})` : ''}`,
    ...branch.snapshots.flatMap(({ id }) => tree.branchesAt(id).flatMap((below) => draw(below, `${indent}  `))),
  ];
  return tree.roots.flatMap((branch) => draw(branch, ''));
}

test('what one session made in a row is one branch, in the order of time', () => {
  assert.deepEqual(drawn([made('b', 2, 'soc', 'a'), made('a', 1, 'soc', null), made('c', 3, 'soc', 'b')]), ['soc<: a b c']);
});

test('a restart hangs below the snapshot that it came from', () => {
  const all = [made('a', 1, 'soc', null), made('b', 2, 'soc', 'a'), made('c', 3, 'soc-2', 'a'), made('d', 4, 'soc-3', 'a')];
  assert.deepEqual(drawn(all), ['soc<: a b', '  soc-2<a: c', '  soc-3<a: d']);
});

test('a restart under the same name is a branch of its own, not the old one going on', () => {
  const all = [made('a', 1, 'soc', null), made('b', 2, 'soc', 'a'), made('c', 3, 'soc', 'a'), made('d', 4, 'soc', 'c')];
  assert.deepEqual(drawn(all), ['soc<: a b', '  soc<a: c d']);
});

test('two launches under one name are two roots, the newer first, with keys of their own', () => {
  const all = [made('a', 1, 'soc', null), made('b', 2, 'soc', null)];
  assert.deepEqual(drawn(all), ['soc<: b', 'soc<: a']);
  const keys = buildSnapshotTree(all, []).roots.map(({ key }) => key);
  assert.equal(new Set(keys).size, 2);
});

test('a snapshot whose parent is not there stays with its session, or becomes a root', () => {
  assert.deepEqual(drawn([made('a', 1, 'soc', null), made('c', 3, 'soc', 'gone')]), ['soc<: a c']);
  assert.deepEqual(drawn([made('c', 3, 'soc-2', 'gone')]), ['soc-2<: c']);
});

test('a live session is the tip of the branch that it makes', () => {
  const all = [made('a', 1, 'soc', null), made('b', 2, 'soc', 'a')];
  assert.deepEqual(drawn(all, [status({ startedAt: at(0), lastSnapshot: 'b' })]), ['soc<: a b (running)']);
});

test('a live session that has made nothing yet has a branch where it came from', () => {
  const all = [made('a', 1, 'soc', null), made('b', 2, 'soc', 'a')];
  const restarted = status({ session: 'soc-2', startedAt: at(5), restartedFrom: 'a', lastSnapshot: 'a', state: 'held' });
  assert.deepEqual(drawn(all, [restarted]), ['soc<: a b', '  soc-2<a:  (held)']);
  assert.deepEqual(drawn([], [status()]), ['soc<:  (running)']);
  assert.deepEqual(drawn([], [restarted]), ['soc-2<:  (held)']);
});

test('the branch of a live session keeps its key when its first snapshot comes', () => {
  const live = [status({ startedAt: at(0) })];
  const before = buildSnapshotTree([], live).roots[0];
  const after = buildSnapshotTree([made('a', 1, 'soc', null)], live).roots[0];
  assert.ok(before && after);
  assert.equal(before.key, after.key);
});

test('an old session of the same name does not become live', () => {
  assert.deepEqual(drawn([made('a', 1, 'soc', null)], [status({ startedAt: at(5) })]), ['soc<:  (running)', 'soc<: a']);
});

test('a restart of the newest snapshot under the old name is a branch of its own, as long as its session is known', () => {
  const restarted = status({ startedAt: at(5), restartedFrom: 'b', lastSnapshot: 'b' });
  const all = [made('a', 1, 'soc', null), made('b', 2, 'soc', 'a')];
  assert.deepEqual(drawn(all, [restarted]), ['soc<: a b', '  soc<b:  (running)']);
  assert.deepEqual(drawn([...all, made('c', 6, 'soc', 'b')], [restarted]), ['soc<: a b', '  soc<b: c (running)']);
});

test('a session that has ended is shown where it has to do with snapshots', () => {
  const all = [made('a', 1, 'soc', null)];
  const ended = status({ state: 'exited', startedAt: at(0) });
  const restarted = status({ session: 'soc-2', state: 'exited', startedAt: at(5), restartedFrom: 'a' });
  assert.deepEqual(drawn(all, [ended, restarted]), ['soc<: a (exited)', '  soc-2<a:  (exited)']);
  assert.deepEqual(drawn([], [ended, restarted]), []);
});
