/**
 * `npm test [-- GROUP…]`: from a fresh clone to the counts of all groups of tests (or of those named). The last line is
 * `N passed, N failed`, with `, N skipped` where there are any. With --no-build, what dist/ holds is tested as it is.
 */
import { bootstrap } from './lib/bootstrap.mjs';
import { Failure, inTree, main, run } from './lib/tree.mjs';

const seconds = (start) => `${((performance.now() - start) / 1000).toFixed(1)} s`;

function summary({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}

async function build() {
  try {
    await run(process.execPath, [inTree('scripts/build.mjs')]);
    return true;
  } catch (error) {
    process.stdout.write(`build: ${error.message}\n`);
    return false;
  }
}

await main(async () => {
  if (!(await bootstrap(['build', 'samples', 'test']))) return;
  const words = process.argv.slice(2);
  const names = words.filter((word) => !word.startsWith('--'));
  const { groups } = await import('./parts/groups.mjs');
  for (const name of names) {
    if (!(name in groups)) throw new Failure(`test: no group "${name}"; groups: ${Object.keys(groups).join(', ')}`);
  }
  const total = { passed: 0, failed: 0, skipped: 0 };
  const lines = [];
  const unsteady = [];
  if (words.includes('--no-build') || (await build())) {
    for (const [name, group] of Object.entries(groups)) {
      if (names.length > 0 && !names.includes(name)) continue;
      process.stdout.write(`\n== ${name}\n`);
      const start = performance.now();
      const counts = await group().catch((error) => {
        process.stdout.write(`  ✖ ${error instanceof Failure ? error.message : error.stack}\n`);
        return { passed: 0, failed: 1, skipped: 0 };
      });
      for (const key of Object.keys(total)) total[key] += counts[key];
      unsteady.push(...(counts.unsteady ?? []));
      lines.push(`${name.padEnd(12)} ${seconds(start).padStart(9)}   ${summary(counts)}`);
    }
  } else {
    total.failed += 1;
  }
  process.stdout.write(`\n${lines.join('\n')}\n`);
  for (const name of unsteady) process.stdout.write(`unsteady: ${name} (failed once, then passed three times alone)\n`);
  process.stdout.write(`${summary(total)}\n`);
  if (total.failed > 0) process.exitCode = 1;
});
