/**
 * `npm run bench [-- ARGUMENTS]`: builds what is missing, and runs test/bench/main.ts.
 */
import { bootstrap } from './lib/bootstrap.mjs';
import { inTree, main, run, treeNode } from './lib/tree.mjs';

await main(async () => {
  if (!(await bootstrap(['build', 'samples', 'test']))) return;
  await run(process.execPath, [inTree('scripts/build.mjs')]);
  const result = await run(
    treeNode,
    ['--import', inTree('scripts/lib/typescript.mjs'), inTree('test/bench/main.ts'), ...process.argv.slice(2)],
    {
      anyStatus: true,
    },
  );
  process.exitCode = result.code;
});
