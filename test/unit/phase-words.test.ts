import assert from 'node:assert/strict';
import test from 'node:test';
import type { OperationStatus, PhaseStatus } from '../../debug-adapter/src/protocol/operation.js';
import { operationLine } from '../../extension/src/views/phases.js';
import { duration, longest, title } from '../../webview-ui/src/barriers/words.js';

const phase = (given: Partial<PhaseStatus>): PhaseStatus => ({
  phase: 'save',
  barrier: '',
  arrived: [7],
  waiting: [],
  startedMs: 0,
  endedMs: 1,
  error: '',
  ...given,
});
const operation = (phases: PhaseStatus[], given: Partial<OperationStatus> = {}): OperationStatus => ({
  heldOff: [],
  heldAt: '',
  id: 1,
  kind: 'checkpoint',
  phases,
  startedAt: '',
  finished: false,
  error: '',
  ...given,
});

const going = operation([
  phase({ phase: 'suspend' }),
  phase({ phase: 'barrier', barrier: 'file.flush', arrived: [7], waiting: [8], startedMs: 1, endedMs: null }),
]);
const done = operation([phase({}), phase({ phase: 'write', startedMs: 1, endedMs: 31 })], { finished: true });
const failed = operation([phase({})], { finished: true, error: 'no space' });

test('the Computation view says where an operation is', () => {
  assert.equal(operationLine(going), 'Checkpoint · file.flush · 1 of 2 arrived');
  assert.equal(operationLine(done), 'Checkpoint done in 31 ms');
  assert.equal(operationLine(failed), 'Checkpoint failed: no space');
  assert.equal(operationLine(operation([])), 'Checkpoint begins');
  assert.equal(operationLine(operation([phase({})], { heldAt: 'save' })), 'Checkpoint · held before save');
});

test('the Barriers panel says the same in its title', () => {
  assert.equal(title(going), 'Checkpoint: file.flush');
  assert.equal(title(done), 'Checkpoint done in 31 ms');
  assert.equal(title(failed), 'Checkpoint failed');
});

test('a phase that goes on has no duration; bars are measured by the longest', () => {
  assert.equal(duration(phase({ startedMs: 5, endedMs: null })), null);
  assert.equal(duration(phase({ startedMs: 5, endedMs: 7.5 })), 2.5);
  assert.equal(longest(done), 30);
  assert.ok(longest(operation([])) > 0);
});
