import assert from 'node:assert/strict';
import { test } from 'node:test';
import { changesFor, expandPatterns, isNamePattern, splitChanges } from '../../debug-adapter/src/model/environment.js';

test('a name with a colon is for one program, or one process', () => {
  const { env, processEnv } = splitChanges({
    SEED: '7',
    'sim:SEED': '8',
    'sim:TRACE': null,
    '12:SEED': '9',
    '/opt/a:b/sim:X': 'a:b=c',
  });
  assert.deepEqual(env, { SEED: '7' });
  assert.deepEqual(processEnv, [
    { process: 'sim', env: { SEED: '8', TRACE: null } },
    { process: '12', env: { SEED: '9' } },
    { process: '/opt/a:b/sim', env: { X: 'a:b=c' } },
  ]);
  assert.deepEqual(splitChanges({ ':X': '1', 'X:': '2' }).processEnv, [], 'nothing before it, or nothing behind it');
});

test('a process is meant by its id, its executable, and what it was called by', () => {
  const changes = ['12', 'bash', '/usr/bin/bash', 'login', 'ash'].map((process, index) => ({
    process,
    env: { [`V${index}`]: '1' },
  }));
  const one = { virtualPid: 12, executable: '/usr/bin/bash', argv: ['/opt/login', '-c'] };
  assert.deepEqual(Object.keys(changesFor(one, changes)), ['V0', 'V1', 'V2', 'V3']);
  assert.deepEqual(changesFor({ virtualPid: 13, executable: '/bin/dash', argv: [] }, changes), {});
});

test('a removal by pattern is of all names that begin so and are not given', () => {
  const changes = { 'SLURM_*': null, SLURM_JOB_ID: '8', SEED: '7' };
  const names = ['SLURM_JOB_ID', 'SLURM_ARRAY_TASK_ID', 'SLURM', 'SEED'];
  assert.deepEqual(expandPatterns(changes, names), { SLURM_ARRAY_TASK_ID: null, SLURM_JOB_ID: '8', SEED: '7' });
  assert.deepEqual(['SLURM_*', 'A*', '*', 'A=*', 'A*B', 'sim:A*'].filter(isNamePattern), ['SLURM_*', 'A*']);
});
