/** Programs whose malloc is another one: jemalloc and tcmalloc, preloaded. */
import { build, built } from './built.js';
import { programTest } from './program-under-cairn.js';

const folder = '/usr/lib/x86_64-linux-gnu';
for (const library of ['libjemalloc.so.2', 'libtcmalloc_minimal.so.4', 'libtcmalloc.so.4']) {
  programTest({
    name: `threads with ${library} preloaded`,
    command: [built('allocations')],
    env: { LD_PRELOAD: `${folder}/${library}` },
    needs: ['gcc', `${folder}/${library}`],
    prepare: () => build('allocations', ['allocations.c'], 'gcc', '-pthread'),
    begun: /^begun$/,
    waits: true,
  });
}
