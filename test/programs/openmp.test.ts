/** OpenMP by gcc's libgomp, with threads that spin and threads that sleep. */
import { build, built } from './built.js';
import { programTest } from './program-under-cairn.js';

for (const policy of ['active', 'passive']) {
  programTest({
    name: `OpenMP, waiting threads ${policy}`,
    command: [built('openmp')],
    env: { OMP_WAIT_POLICY: policy, GOMP_SPINCOUNT: policy === 'active' ? '2000' : '0' },
    needs: ['gcc'],
    prepare: () => build('openmp', ['openmp.c'], 'gcc', '-fopenmp'),
    begun: /^begun$/,
    waits: true,
  });
}
