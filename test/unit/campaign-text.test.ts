/** The text of a campaign's file, changed at one place. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lookAtCampaign } from '../../debug-adapter/src/protocol/campaign-text.js';
import { dataOf, differs, newCampaign, withChange, withJsonChange } from '../../extension/src/campaigns/campaignText.js';

const text = `# What this is about.
snapshot: roi   # the region of interest
seed: 1

# Few.
sample: 300
models:
  # On the core.
  - name: upsets
    signals:
      model: upset
      targets:
        - "tb.core.*" # all of it
        - tb.timer.*
      times: { from: 0, to: 2000, step: 10 } # ticks
  - name: reads # not simulated
    calls: { function: read, calls: { last: 5 }, effects: [{ return: -1, errno: EIO }] }
`;
const comments = (of: string): string[] => [...of.matchAll(/#.*/g)].map(([one]) => one.trim());

test('a value is changed, and all else stays, with its comments', () => {
  const changes: [path: (string | number)[], value: unknown][] = [
    [['snapshot'], 'other'],
    [['seed'], 7],
    [['sample'], { margin: 0.02, confidence: 0.99 }],
    [['models', 0, 'signals', 'times', 'to'], 5000],
    [
      ['models', 0, 'signals', 'targets'],
      ['tb.core.*', 'tb.uart.*'],
    ],
    [['models', 1, 'name'], 'calls'],
    [['observe', 'signals'], ['tb.core.regs']],
  ];
  for (const [path, value] of changes) {
    const now = withChange(text, path, value);
    const expected = structuredClone(dataOf(text)) as Record<string, unknown>;
    let at: Record<string | number, unknown> = expected;
    for (const key of path.slice(0, -1)) {
      at[key] ??= {};
      at = at[key] as Record<string | number, unknown>;
    }
    at[path.at(-1) ?? ''] = value;
    assert.deepEqual(dataOf(now), expected, path.join('.'));
    // A list that is replaced as a whole loses what stood beside its elements.
    const kept = comments(text).filter((one) => one !== '# all of it' || path.at(-1) !== 'targets');
    assert.deepEqual(comments(now), kept, path.join('.'));
    assert.deepEqual(lookAtCampaign(now).problems, []);
  }
});

test('only the line of a changed value differs', () => {
  const now = withChange(text, ['models', 0, 'signals', 'times', 'to'], 5000);
  const lines = now.split('\n').filter((line, index) => line !== text.split('\n')[index]);
  assert.deepEqual(lines, ['      times: { from: 0, to: 5000, step: 10 } # ticks']);
  assert.match(withChange(text, ['models', 0, 'signals', 'targets'], [1, 2]), /targets:\n/);
  assert.match(withChange('times: [0]', ['times'], { from: 0, to: 9 }), /^times: { from: 0, to: 9 }$/m);
  const { start, end, text: part } = differs(text, now);
  assert.equal(text.slice(0, start) + part + text.slice(end), now);
});

test('what is taken out is gone, with groups that are empty without it, but never a model', () => {
  const given = withChange(text, ['observe', 'files'], ['*.vcd']);
  assert.equal(dataOf(withChange(given, ['observe', 'files'], undefined))?.['observe'], undefined);
  const modelsOf = (of: string): unknown[] => Object.values(dataOf(of)?.['models'] ?? []);
  assert.equal(modelsOf(withChange(text, ['models', 0], undefined)).length, 1);
  const without = withChange(withChange(text, ['models', 1, 'calls'], undefined), ['models', 1, 'name'], undefined);
  assert.deepEqual(modelsOf(without)[1], {});
  assert.equal(withChange(text, ['limits'], undefined), text);
});

test('text becomes a number, and a number text, as YAML has them', () => {
  assert.equal(dataOf(withChange(text, ['snapshot'], '12'))?.['snapshot'], '12');
  assert.equal(dataOf(withChange(text, ['seed'], 'many'))?.['seed'], 'many');
  const inside = withChange(text, ['models', 1, 'calls', 'function'], 'a, b: [c] # d');
  assert.equal(lookAtCampaign(inside).campaign?.models[1]?.calls?.function, 'a, b: [c] # d');
  assert.equal(lookAtCampaign(withChange(text, ['seed'], 'many')).problems[0]?.path.join('.'), 'seed');
});

test('a file that is JSON stays so', () => {
  const json = JSON.stringify(dataOf(text), null, 2);
  const now = withJsonChange(json, ['models', 0, 'signals', 'targets'], ['a', 'b']);
  assert.deepEqual(JSON.parse(now).models[0].signals.targets, ['a', 'b']);
  assert.equal(JSON.parse(withJsonChange(now, ['seed'], undefined)).seed, undefined);
});

test('a new campaign is one; what is no YAML is left alone', () => {
  for (const name of ['roi', 'half of it: "now"', '1d878905e00f', '123'])
    assert.deepEqual(lookAtCampaign(newCampaign(name, '/a store')).campaign?.snapshot, name);
  assert.equal(dataOf('a: ['), null);
  assert.equal(dataOf('- a'), null);
  assert.deepEqual(dataOf(''), {});
  assert.throws(() => withChange('a: [', ['a'], 1));
});
