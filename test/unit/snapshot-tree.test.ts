import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chooseSnapshot } from '../../debug-adapter/src/model/snapshot-choice.js';
import { drawTree, livingParent, snapshotTree } from '../../debug-adapter/src/model/snapshot-tree.js';
import type { SnapshotSummary } from '../../debug-adapter/src/protocol/snapshot.js';

let time = 0;
const snapshot = (id: string, parent: string | null = null, name = ''): SnapshotSummary => ({
  id,
  path: `/store/${id}`,
  parent,
  name,
  note: '',
  pinned: false,
  createdAt: new Date(1e12 + time++).toISOString(),
  session: 's',
  simulatedTime: null,
  bytes: 1,
  pauseMs: 1,
  totalMs: 1,
  argv: [],
  cwd: '',
  processes: [],
  problem: '',
});

test('children stand below their parent in the order of their making, whatever the order of the list', () => {
  const all = [snapshot('a'), snapshot('b', 'a'), snapshot('c', 'a'), snapshot('d', 'b'), snapshot('e')];
  const drawn = drawTree(snapshotTree([...all].reverse())).map(({ prefix, snapshot: { id } }) => prefix + id);
  assert.deepEqual(drawn, ['a', '├─ b', '│  └─ d', '└─ c', 'e']);
});

test('a snapshot whose parent is gone is a root', () => {
  const [root, ...others] = snapshotTree([snapshot('b', 'gone')]);
  assert.equal(root?.snapshot.id, 'b');
  assert.deepEqual(others, []);
});

test('a ring of parents loses no snapshot', () => {
  const drawn = drawTree(snapshotTree([snapshot('a', 'c'), snapshot('b', 'a'), snapshot('c', 'b'), snapshot('self', 'self')]));
  assert.deepEqual(drawn.map((line) => line.snapshot.id).sort(), ['a', 'b', 'c', 'self']);
});

test('a removed parent is replaced by its own parent', () => {
  const removed = new Map([
    ['b', 'a'],
    ['a', null],
  ]);
  assert.equal(
    livingParent('b', (id) => id === 'a', removed),
    'a',
  );
  assert.equal(
    livingParent('b', () => false, removed),
    null,
  );
  assert.equal(
    livingParent('x', () => false, removed),
    'x',
  );
  assert.equal(
    livingParent(
      'p',
      () => false,
      new Map([
        ['p', 'q'],
        ['q', 'p'],
      ]),
    ),
    'p',
  );
});

test('an id is chosen before a name, a name before the beginning of an id', () => {
  const all = [
    snapshot('aaaaaaaaaaaa'),
    snapshot('bbbbbbbbbbbb', null, 'aaaaaaaaaaaa'),
    snapshot('abcdefabcdef'),
    snapshot('cccccccccccc', null, 'abc'),
  ];
  assert.equal(chooseSnapshot('aaaaaaaaaaaa', all)?.id, 'aaaaaaaaaaaa');
  assert.equal(chooseSnapshot('abc', all)?.id, 'cccccccccccc');
  assert.equal(chooseSnapshot('abcd', all)?.id, 'abcdefabcdef');
  assert.equal(chooseSnapshot('BBB', all)?.id, 'bbbbbbbbbbbb');
  assert.equal(chooseSnapshot('zzz', all), undefined);
  assert.equal(chooseSnapshot('', all), undefined);
});

test('what fits several is refused with all of them', () => {
  const all = [snapshot('aa1111111111'), snapshot('aa2222222222', null, 'roi'), snapshot('333333333333', null, 'roi')];
  assert.throws(() => chooseSnapshot('aa', all), { code: 'snapshotAmbiguous', message: /aa1111111111, aa2222222222 \(roi\)/ });
  assert.throws(() => chooseSnapshot('roi', all), { code: 'snapshotAmbiguous' });
});
