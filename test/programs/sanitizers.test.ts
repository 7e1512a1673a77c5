/** Programs built with a sanitizer, whose library has functions of its own in the place of many of libc's. */
import { build, built } from './built.js';
import { programTest } from './program-under-cairn.js';

for (const [kind, library] of [
  ['address', 'libasan.so.8'],
  ['thread', 'libtsan.so.2'],
] as const) {
  const name = `sanitized-${kind}`;
  programTest({
    name: `threads under the ${kind} sanitizer`,
    command: [built(name)],
    needs: ['gcc', `/usr/lib/x86_64-linux-gnu/${library}`],
    prepare: () => build(name, ['sanitized.c'], 'gcc', '-pthread', `-fsanitize=${kind}`),
    begun: /^begun$/,
    waits: true,
  });
}
