/** MPICH with four ranks, mpirun and its helpers in the computation: TCP, shared memory, messages from memory to memory. */
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
