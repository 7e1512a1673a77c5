/** MPI with four ranks, mpirun and its helpers in the computation: TCP, shared memory, messages from memory to memory. */
import { dirname } from 'node:path';
import { build, built } from './built.js';
import { programTest } from './program-under-cairn.js';

programTest({
  name: 'MPICH with four ranks',
  command: ['mpirun.mpich', '-n', '4', built('mpi-mpich'), '40'],
  needs: ['mpirun.mpich', 'mpicc.mpich'],
  prepare: () => build('mpi-mpich', ['mpi.c'], 'mpicc.mpich'),
  begun: /^begun with 4$/,
  waits: true,
  seconds: 100,
});

const mpirun = ['mpirun.openmpi', '--allow-run-as-root', '--oversubscribe'];

programTest({
  name: 'Open MPI with four ranks',
  // Its session folder, outside of the working folder as usual, but the test's own.
  command: (folder) => ['env', `TMPDIR=${dirname(folder)}`, ...mpirun, '-n', '4', built('mpi-openmpi'), '40'],
  needs: ['mpirun.openmpi', 'mpicc.openmpi'],
  prepare: () => build('mpi-openmpi', ['mpi.c'], 'mpicc.openmpi'),
  begun: /^begun with 4$/,
  waits: true,
  seconds: 100,
});
