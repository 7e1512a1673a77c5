/**
 * The processes of a snapshot in the order in which a restart makes them, and the list of them that cairn-restore reads
 * (native-agent/src/restore/tree.h). Pure. Tests: test/unit/process-tree.test.ts.
 */

export interface TreeProcess {
  virtualPid: number;
  /** Virtual pid; one that is not in the computation counts as 0. */
  parent: number;
  session: number;
  /** It leads a session that has a controlling terminal. */
  terminal: boolean;
  /** `untold`: it lived still at the checkpoint, and so its parent has had no signal. */
  ended: readonly { virtualPid: number; status: number; untold?: boolean }[];
}

/** The first process first, then each after its parent. Its `parent` is 0 where that is outside. */
export function processTree(all: readonly TreeProcess[], root: number): TreeProcess[] {
  const there = new Set(all.map((one) => one.virtualPid));
  const left = all.map((one) => ({ ...one, parent: there.has(one.parent) ? one.parent : 0 }));
  const outermost = left.filter((one) => one.parent === 0);
  const first = left.find((one) => one.virtualPid === root) ?? outermost[0] ?? left[0];
  if (first === undefined) return [];
  // What led to the first process is not restarted: whoever restarts it is its parent.
  const tree = [{ ...first, parent: 0 }];
  const done = new Set([first.virtualPid]);
  for (let grown = true; grown; ) {
    grown = false;
    for (const one of left) {
      if (done.has(one.virtualPid) || (one.parent !== 0 && !done.has(one.parent))) continue;
      tree.push(one);
      done.add(one.virtualPid);
      grown = true;
    }
  }
  return tree;
}

export function processList(tree: readonly TreeProcess[]): string {
  const outer = tree[0]?.session ?? 0;
  const lines = tree.map((one) => {
    const session = one.session === outer ? 0 : one.session;
    return `P ${one.virtualPid} ${one.parent} ${session}${one.terminal && session !== 0 ? ' 1' : ''}\n`;
  });
  const ended = tree.flatMap((one) =>
    one.ended.map((child) => `Z ${child.virtualPid} ${one.virtualPid} ${child.status}${child.untold ? ' 1' : ''}\n`),
  );
  return [...lines, ...ended].join('');
}
