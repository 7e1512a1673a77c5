/** What becomes of a run, by what was seen of it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judge, varies } from '../../debug-adapter/src/model/outcome.js';
import type { Campaign, DesignObservation, Observation } from '../../debug-adapter/src/protocol/campaign.js';

const golden: Observation = { status: 0, lines: ['begin', 'time 3 s', 'sum 7'], files: { 'a.vcd': '1' }, design: null };
const observe: Campaign['observe'] = { console: true, files: ['*.vcd'], ignore: ['^time '], signals: [] };
const quiet: Campaign['detect'] = { status: [], signals: [] };
const of = (seen: Partial<Observation>, detect = quiet): string[] => {
  const { outcome, deviation } = judge(golden, { ...golden, ...seen }, { observe, detect, hang: { status: [7] } });
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
  assert.deepEqual(of({ status: 7 }), ['hang', 'it ended with status 7']);
  assert.deepEqual(of({ status: null, lines: ['begin'] }), ['hang', 'it did not end']);
});

test('what the design says of a fault goes before what became of it', () => {
  const detect = { console: 'ECC|sum 7', status: [3], signals: [] };
  assert.deepEqual(of({}, detect), ['masked', '']);
  assert.equal(of({ lines: [...golden.lines, 'ECC error'] }, detect)[0], 'detected');
  assert.equal(of({ status: 3 }, detect)[0], 'detected');
  assert.equal(of({ status: 4 }, detect)[0], 'trap');
  assert.equal(of({ status: null, lines: ['begin', 'ECC error'] }, detect)[0], 'detected');
});

test('where the output is the same, the end of the simulation and the state of the design decide', () => {
  const design: DesignObservation = {
    begin: 100,
    end: 900,
    detected: null,
    missing: 0,
    state: { 'tb.sum': '0111', 'tb.ram': '00 01 10' },
  };
  const simulated: Observation = { ...golden, design };
  const judged = (seen: Partial<DesignObservation>): string[] => {
    const { outcome, deviation } = judge(
      simulated,
      { ...simulated, design: { ...design, ...seen } },
      { observe, detect: quiet, hang: { status: [] } },
    );
    return [outcome, deviation];
  };
  assert.deepEqual(judged({}), ['masked', '']);
  assert.deepEqual(judged({ begin: 200, end: 1000 }), ['masked', '']);
  assert.deepEqual(judged({ state: { ...design.state, 'tb.ram': '00 11 10' } }), [
    'latent',
    'word 1 of tb.ram: 11 instead of 01 at the end',
  ]);
  assert.deepEqual(judged({ state: { ...design.state, 'tb.sum': '0110' } })[0], 'latent');
  assert.deepEqual(judged({ end: 910, state: {} }), ['timing', 'it ended after 810 ticks instead of 800']);
  assert.equal(judged({ detected: 300 })[0], 'detected');
  const ended: Observation = { ...simulated, status: null, design: { ...design, end: null, limit: 4000 } };
  assert.deepEqual(judge(simulated, ended, { observe, detect: quiet, hang: { status: [] } }), {
    outcome: 'hang',
    deviation: 'it did not end within 4000 ticks',
  });
  assert.match(
    varies(simulated, { ...simulated, design: { ...design, state: { ...design.state, 'tb.sum': '1' } } }, observe),
    /tb\.sum/,
  );
  assert.equal(varies(simulated, simulated, observe), '');
});
