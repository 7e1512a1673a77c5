import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  holdSteps,
  type PhaseProcess,
  type PhaseStep,
  restartSteps,
  resumeSteps,
  saveSteps,
  withoutRest,
} from '../../debug-adapter/src/model/phases.js';
import { changeState, mayChange } from '../../debug-adapter/src/model/session-state.js';

const plugin = (name: string, layer: number, barriers: string[], restartBarriers: string[] = [], error = '') => ({
  name,
  layer,
  barriers,
  restartBarriers,
  error,
});
const process = (virtualPid: number, ...plugins: PhaseProcess['plugins']): PhaseProcess => ({ virtualPid, plugins });
const text = (steps: readonly PhaseStep[]): string[] =>
  steps.map(({ phase, barrier, processes }) => `${barrier || phase} ${processes.join(',')}`);

const one = process(10, plugin('file', 0, ['flush', 'close'], ['open', 'seek']), plugin('socket', 1, ['drain'], ['connect']));

test('a checkpoint drains from the top down; a plugin keeps the order of its own barriers', () => {
  assert.deepEqual(text(holdSteps([one])), ['presuspend 10', 'suspend 10']);
  assert.deepEqual(text(saveSteps([one])), ['socket.drain 10', 'file.flush 10', 'file.close 10', 'save 10']);
  assert.deepEqual(text(resumeSteps([one])), ['resume 10', 'running 10']);
});

test('a restart comes back from the bottom up', () => {
  assert.deepEqual(text(restartSteps([one])), [
    'restart 10',
    'file.open 10',
    'file.seek 10',
    'socket.connect 10',
    'resume 10',
    'running 10',
  ]);
});

test('processes meet at the barriers that they have in common', () => {
  const two = process(20, plugin('socket', 0, ['drain']), plugin('vendor', 1, ['quiet']));
  assert.deepEqual(text(saveSteps([one, two])), [
    'socket.drain 10,20',
    'vendor.quiet 20',
    'file.flush 10',
    'file.close 10',
    'save 10,20',
  ]);
});

test('barriers of a plugin that nobody needs any more are left out, but for processes that were not asked', () => {
  const two = process(20, plugin('file', 0, ['close']));
  const later = plugin('file', 0, ['flush', 'sync']);
  const steps = saveSteps([one, two, process(30, later), process(40, plugin('files', 0, ['close']))]);
  const flush = steps.find(({ barrier }) => barrier === 'file.flush');
  assert.ok(flush);
  assert.deepEqual(flush.processes, [10, 30]);
  // Process 20 has not been asked whether it needs file.close.
  assert.deepEqual(text(withoutRest(steps.slice(steps.indexOf(flush) + 1), flush)), [
    'files.close 40',
    'file.close 10,20',
    'save 10,20,30,40',
  ]);
});

test('a plugin that was refused has no barriers', () => {
  assert.deepEqual(text(saveSteps([process(1, plugin('bad', 0, ['x'], [], 'too new'))])), ['save 1']);
});

test('a session changes its state only as it may', () => {
  assert.equal(changeState('running', 'checkpointing'), 'checkpointing');
  assert.ok(mayChange('checkpointing', 'held'));
  assert.ok(mayChange('held', 'held'));
  assert.throws(() => changeState('exited', 'running'), RangeError);
  assert.throws(() => changeState('starting', 'held'), RangeError);
});
