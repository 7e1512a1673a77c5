/**
 * What a tree view shows, compared with what it showed before: so that VS Code is told to read again only what has changed. While it reads
 * an element's children again it knows none of them, and a menu that is chosen from just then gives no element. Pure.
 * Tests: test/unit/shown-tree.test.ts.
 */

export interface ShownTree<N> {
  readonly roots: readonly N[];
  readonly children: ReadonlyMap<N, readonly N[]>;
  /** All that the elements' own lines are made of. */
  readonly looks: ReadonlyMap<N, string>;
}

/** The highest elements that look different or have other children; undefined: the roots are others. */
export function changedElements<N>(before: ShownTree<N>, now: ShownTree<N>): N[] | undefined {
  if (!sameList(before.roots, now.roots)) return undefined;
  const changed: N[] = [];
  const visit = (element: N): void => {
    const children = now.children.get(element) ?? [];
    const same = sameList(before.children.get(element) ?? [], children) && before.looks.get(element) === now.looks.get(element);
    if (same) for (const child of children) visit(child);
    else changed.push(element);
  };
  for (const root of now.roots) visit(root);
  return changed;
}

const sameList = <N>(one: readonly N[], other: readonly N[]): boolean =>
  one.length === other.length && one.every((element, index) => element === other[index]);
