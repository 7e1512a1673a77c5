/** Open MPI and MPICH with four ranks, mpirun and its helpers in the computation: TCP, shared memory, messages from memory to memory. */
import { build, built } from './built.js';
import { programTest } from './program-under-cairn.js';

programTest({
  name: 'Open MPI with four ranks',
  command: ['mpirun.openmpi', '--oversubscribe', '--allow-run-as-root', '-n', '4', built('mpi-openmpi'), '300'],
  env: { OMPI_MCA_mpi_yield_when_idle: '1', OMPI_MCA_plm_rsh_agent: '' },
  needs: ['mpirun.openmpi', 'mpicc.openmpi'],
  prepare: () => build('mpi-openmpi', ['mpi.c'], 'mpicc.openmpi'),
  begun: /^begun with 4$/,
  seconds: 100,
});

programTest({
  name: 'Open MPI with four ranks over TCP',
  command: [
    'mpirun.openmpi',
    '--oversubscribe',
    '--allow-run-as-root',
    '--mca',
    'btl',
    'tcp,self',
    '--mca',
    'btl_tcp_if_include',
    'lo',
    '-n',
    '4',
    built('mpi-openmpi'),
    '300',
  ],
  env: { OMPI_MCA_mpi_yield_when_idle: '1', OMPI_MCA_plm_rsh_agent: '' },
  needs: ['mpirun.openmpi', 'mpicc.openmpi'],
  prepare: () => build('mpi-openmpi', ['mpi.c'], 'mpicc.openmpi'),
  begun: /^begun with 4$/,
  seconds: 100,
});

programTest({
  name: 'MPICH with four ranks',
  command: ['mpirun.mpich', '-n', '4', built('mpi-mpich'), '300'],
  needs: ['mpirun.mpich', 'mpicc.mpich'],
  prepare: () => build('mpi-mpich', ['mpi.c'], 'mpicc.mpich'),
  begun: /^begun with 4$/,
  seconds: 100,
});
