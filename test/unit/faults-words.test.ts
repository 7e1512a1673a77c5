/** What counts and times are called on the Faults page, and the parts of the schema that its forms are made of. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { campaignSchema } from '../../debug-adapter/src/control/schema.js';
import { wilson } from '../../debug-adapter/src/model/statistics.js';
import type { CampaignPlan } from '../../debug-adapter/src/protocol/campaign-plan.js';
import { partOf, withoutNumbers } from '../../webview-ui/src/faults/schema.js';
import { momentWords, sampleWords, targetWords, timeWords } from '../../webview-ui/src/faults/words.js';

const plan: CampaignPlan = {
  problems: [],
  name: 'soc',
  store: '/s',
  snapshot: { id: 'a', name: 'roi', simulatedTime: { ticks: '5000', unit: -9 } },
  prepares: false,
  designKnown: true,
  models: [],
  population: 100_000,
  runs: 383,
  confidence: 0.95,
  interval: wilson(192, 383, 0.95, 100_000),
  runsPerSecond: 4,
  measuredBy: 'soc',
  seconds: 95.75,
  end: 2000,
};

test('counts are said as one says them', () => {
  const count = { told: true, registers: 305, nets: 0, memories: 0, bits: 4631 };
  assert.equal(targetWords(count), '4,631 bits in 305 registers');
  assert.equal(targetWords({ ...count, nets: 1, memories: 2 }), '4,631 bits in 305 registers, 1 net and 2 memories');
  assert.equal(targetWords({ ...count, told: false, registers: 1, bits: 1 }), '1 bit in 1 signal');
  assert.equal(targetWords({ ...count, registers: 0, bits: 0 }), 'no signal');
});

test('a sample says how exact it makes the rates, and how long it takes', () => {
  assert.equal(sampleWords(plan), '383 runs of 100,000 faults, each rate to ±5.0 % or better (Wilson, confidence 95.0 %)');
  assert.equal(timeWords(plan), 'About 1 min 36 s, at 4.0 runs a second as measured by this campaign');
  assert.match(timeWords({ ...plan, measuredBy: 'other' }), /by campaign other$/);
  assert.match(timeWords({ ...plan, seconds: null, runsPerSecond: null }), /after the first runs/);
  assert.equal(sampleWords({ ...plan, runs: 100_000, interval: null }), 'All 100,000 faults: the rates are exact.');
  assert.match(sampleWords({ ...plan, runs: null, population: null }), /when the signals of the design are known/);
  assert.equal(sampleWords({ ...plan, runs: 0, population: 0 }), 'There is no fault to try.');
});

test('a moment is told in simulated time', () => {
  assert.equal(momentWords(2000, plan), '7 µs');
  assert.equal(momentWords(2000, { snapshot: null }), '');
  assert.equal(momentWords(0.5, plan), '');
});

test('forms are made of parts of the schema, with what is wrong there', () => {
  const schema = campaignSchema() as Record<string, unknown>;
  const signals = partOf(schema, ['models', 0, 'signals'], ['duration', 'values']);
  assert.deepEqual(Object.keys(signals['properties'] as object), ['duration', 'values']);
  assert.ok((signals['properties'] as Record<string, { description: string }>)['duration']?.description.startsWith('In ticks'));
  const problems = [
    { line: 3, path: ['models', 0, 'signals', 'duration'], message: 'models.0.signals.duration: a model "transient" needs it' },
    { line: 3, path: ['models', 1, 'name'], message: 'models.1.name: it is wrong' },
  ];
  assert.deepEqual(withoutNumbers(problems, ['models', 0, 'signals']), [
    { path: ['duration'], message: 'a model "transient" needs it' },
  ]);
});
