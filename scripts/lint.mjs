/**
 * `npm run lint`: format and lint (biome), lint that needs types (oxlint), layers, names of tests, the manual of the plugin interface, and
 * the built binaries. All checks run; it fails if one did.
 */

import { checkBinaries } from './check-binaries.mjs';
import { checkLayers } from './check-layers.mjs';
import { checkReferences } from './check-references.mjs';
import { checkDocs } from './docs.mjs';
import { Failure, main, run, step } from './lib/tree.mjs';

/** Name → check, which rejects with what is wrong. */
export const lintChecks = {
  biome: () =>
    run('biome', ['check', '--no-errors-on-unmatched', '--diagnostic-level=warn', '--error-on-warnings', '.'], { quiet: true }),
  oxlint: () => run('oxlint', ['--type-aware', '--deny-warnings', '.'], { quiet: true }),
  layers: checkLayers,
  references: checkReferences,
  docs: checkDocs,
  binaries: checkBinaries,
};

if (process.argv[1]?.endsWith('lint.mjs')) {
  await main(async () => {
    const failed = [];
    for (const [name, check] of Object.entries(lintChecks)) {
      try {
        await step(name, check);
      } catch (error) {
        process.stderr.write(`${error.message}\n`);
        failed.push(name);
      }
    }
    if (failed.length > 0) throw new Failure(`lint failed: ${failed.join(', ')}`);
  });
}
