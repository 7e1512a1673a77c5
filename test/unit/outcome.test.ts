/** What becomes of a run, by what was seen of it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judge } from '../../debug-adapter/src/model/outcome.js';
import type { Campaign, Observation } from '../../debug-adapter/src/protocol/campaign.js';

const golden: Observation = { status: 0, lines: ['begin', 'time 3 s', 'sum 7'], files: { 'a.vcd': '1' } };
const observe: Campaign['observe'] = { console: true, files: ['*.vcd'], ignore: ['^time '] };
const quiet: Campaign['detect'] = { status: [] };
const of = (seen: Partial<Observation>, detect = quiet): string[] => {
  const { outcome, deviation } = judge(golden, { ...golden, ...seen }, { observe, detect });
  return [outcome, deviation];
};

test('each outcome, with the first deviation', () => {
  assert.deepEqual(of({}), ['masked', '']);
  assert.deepEqual(of({ lines: ['begin', 'time 9 s', 'sum 7'] }), ['masked', '']);
  assert.deepEqual(of({ lines: ['begin', 'time 3 s', 'sum 8'] }), ['silentDataCorruption', 'line 2: "sum 8" instead of "sum 7"']);
  assert.deepEqual(of({ lines: ['begin'] }), ['silentDataCorruption', 'line 2: it is missing instead of "sum 7"']);
  assert.deepEqual(of({ lines: [...golden.lines, 'more'] }), ['silentDataCorruption', 'line 3: "more" instead of the end']);
  assert.deepEqual(of({ files: { 'a.vcd': '2' } }), ['silentDataCorruption', 'a.vcd differs']);
  assert.deepEqual(of({ files: {} }), ['silentDataCorruption', 'a.vcd is missing']);
  assert.deepEqual(of({ files: { ...golden.files, 'b.vcd': '1' } }), ['silentDataCorruption', 'b.vcd is there']);
  assert.deepEqual(of({ status: 3 }), ['trap', 'it ended with status 3']);
  assert.deepEqual(of({ status: 255 }), ['trap', 'it ended with status 255']);
  assert.deepEqual(of({ lines: ['b'.repeat(1000)] })[1], `line 1: "${'b'.repeat(200)}…" instead of "begin"`);
  assert.deepEqual(of({ status: 134 }), ['crash', 'it ended with status 134']);
  assert.deepEqual(of({ status: null }), ['hang', 'it did not end']);
});

test('what the design says of a fault goes before what became of it', () => {
  const detect = { console: 'ECC|sum 7', status: [3] };
  assert.deepEqual(of({}, detect), ['masked', '']);
  assert.equal(of({ lines: [...golden.lines, 'ECC error'] }, detect)[0], 'detected');
  assert.equal(of({ status: 3 }, detect)[0], 'detected');
  assert.equal(of({ status: 4 }, detect)[0], 'trap');
  assert.equal(of({ status: null, lines: ['begin', 'ECC error'] }, detect)[0], 'detected');
});
