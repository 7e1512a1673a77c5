/** What of a tree has to be read again when it has changed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { changedElements, type ShownTree } from '../../extension/src/views/shownTree.js';

const tree = (roots: string[], children: Record<string, string[]>, looks: Record<string, string> = {}): ShownTree<string> => ({
  roots,
  children: new Map(Object.entries(children)),
  looks: new Map(Object.entries(looks)),
});

test('only what looks different, or has other children, is read again', () => {
  const before = tree(['a', 'b'], { a: ['x', 'y'], b: ['z'], x: ['deep'] }, { x: 'one', deep: '1' });
  assert.deepEqual(changedElements(before, before), []);
  const lookOf = (looks: Record<string, string>) => tree(['a', 'b'], { a: ['x', 'y'], b: ['z'], x: ['deep'] }, looks);
  assert.deepEqual(changedElements(before, lookOf({ x: 'one', deep: '2' })), ['deep']);
  // Whatever is below comes with it.
  assert.deepEqual(changedElements(before, lookOf({ x: 'two', deep: '2' })), ['x']);
  const more = tree(['a', 'b'], { a: ['x', 'y'], b: ['z', 'new'], x: ['deep'] }, { x: 'one', deep: '1' });
  assert.deepEqual(changedElements(before, more), ['b']);
  const fewer = tree(['a', 'b'], { a: ['x'], b: ['z'], x: [] }, { x: 'one', deep: '1' });
  assert.deepEqual(changedElements(before, fewer), ['a']);
  const turned = tree(['a', 'b'], { a: ['y', 'x'], b: ['z'], x: ['deep'] }, { x: 'one', deep: '1' });
  assert.deepEqual(changedElements(before, turned), ['a']);
});

test('other roots: all is read again', () => {
  const before = tree(['a', 'b'], {});
  assert.equal(changedElements(before, tree(['a'], {})), undefined);
  assert.equal(changedElements(before, tree(['b', 'a'], {})), undefined);
  assert.equal(changedElements(tree([], {}), before), undefined);
});
