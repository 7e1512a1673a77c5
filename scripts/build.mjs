/**
 * `npm run build [-- PART…]`: everything into dist/. Parts: native, protocol, node-pty, bundles (all of them by default).
 * Each part does only what has changed.
 */

import { Failure, main, step } from './lib/tree.mjs';
import { buildBundles } from './parts/bundles.mjs';
import { buildNative } from './parts/native.mjs';
import { buildNodePty } from './parts/node-pty.mjs';
import { generateProtocol } from './parts/protocol.mjs';

const parts = {
  native: () => step('native', buildNative),
  protocol: () => step('protocol', generateProtocol),
  'node-pty': () => step('node-pty', buildNodePty),
  bundles: () => step('bundles', buildBundles),
};

await main(async () => {
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
