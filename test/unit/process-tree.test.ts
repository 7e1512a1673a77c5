/** The order in which a restart makes processes, and the list that says so. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { processList, processTree, type TreeProcess } from '../../debug-adapter/src/model/process-tree.js';

const one = (
  virtualPid: number,
  parent: number,
  session = 1,
  ended: TreeProcess['ended'] = [],
  terminal = false,
): TreeProcess => ({
  virtualPid,
  parent,
  session,
  terminal,
  ended,
});

test('the first process comes first, each other after its parent, whatever their order of coming', () => {
  const tree = processTree([one(30, 20), one(20, 10), one(10, 1), one(25, 10)], 10);
  assert.deepEqual(
    tree.map(({ virtualPid, parent }) => [virtualPid, parent]),
    [
      [10, 0],
      [20, 10],
      [25, 10],
      [30, 20],
    ],
  );
});

test('parents outside the computation count as none; without the first process another outermost one leads', () => {
  const tree = processTree([one(30, 20), one(20, 1), one(40, 999)], 10);
  assert.deepEqual(
    tree.map(({ virtualPid, parent }) => [virtualPid, parent]),
    [
      [20, 0],
      [30, 20],
      [40, 0],
    ],
  );
});

test('a first process that has a parent in the computation by now is the outermost one all the same', () => {
  const tree = processTree([one(10, 20), one(20, 10)], 10);
  assert.deepEqual(
    tree.map(({ virtualPid, parent }) => [virtualPid, parent]),
    [
      [10, 0],
      [20, 10],
    ],
  );
});

test('the list has sessions where they are not the first process’s, and those that have ended', () => {
  const ended = [
    { virtualPid: 11, status: 256 },
    { virtualPid: 12, status: 0, untold: true },
  ];
  const tree = processTree([one(10, 1, 5, ended), one(20, 10, 20), one(30, 10, 5)], 10);
  assert.equal(processList(tree), 'P 10 0 0\nP 20 10 20\nP 30 10 0\nZ 11 10 256\nZ 12 10 0 1\n');
});

test('a session’s own controlling terminal is in the list of its leader; the first process’s session has another one each time', () => {
  const tree = processTree([one(10, 1, 10, [], true), one(20, 10, 20, [], true), one(30, 20, 20)], 10);
  assert.equal(processList(tree), 'P 10 0 0\nP 20 10 20 1\nP 30 20 20\n');
});

test('no processes, no list', () => {
  assert.equal(processList(processTree([], 10)), '');
});
