/**
 * `npm run build [-- PART…]`: everything into dist/, from a fresh clone on. Parts: native, protocol, node-pty, bundles (all of them
 * by default). Each part does only what has changed.
 */

import { bootstrap } from './lib/bootstrap.mjs';
import { Failure, main, step } from './lib/tree.mjs';

// Loaded when they are wanted: some need npm packages, which a fresh clone does not have yet.
const parts = {
  native: async () => step('native', (await import('./parts/native.mjs')).buildNative),
  protocol: async () => step('protocol', (await import('./parts/protocol.mjs')).generateProtocol),
  'node-pty': async () => step('node-pty', (await import('./parts/node-pty.mjs')).buildNodePty),
  bundles: async () => step('bundles', (await import('./parts/bundles.mjs')).buildBundles),
};

await main(async () => {
  if (!(await bootstrap(['build']))) return;
  const wanted = process.argv.slice(2);
  for (const name of wanted) {
    if (!(name in parts)) throw new Failure(`build: no part "${name}"; parts: ${Object.keys(parts).join(', ')}`);
  }
  const chosen = (name) => (wanted.length === 0 || wanted.includes(name) ? parts[name]() : undefined);
  const typescript = async () => {
    await chosen('protocol');
    await chosen('node-pty');
    await chosen('bundles');
  };
  // Both are waited for, so that no compiler goes on behind a failure's message.
  const results = await Promise.allSettled([chosen('native'), typescript()]);
  for (const result of results) if (result.status === 'rejected') throw result.reason;
});
