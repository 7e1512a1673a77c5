/** The file of a campaign: defaults, and errors that name the line. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lookAtCampaign } from '../../debug-adapter/src/protocol/campaign-text.js';
import { CairnError } from '../../debug-adapter/src/protocol/errors.js';
import { parseCampaign } from '../../debug-adapter/src/store/campaign-file.js';

const whole = `snapshot: boot
models:
  - name: reads
    calls:
      function: read
      calls: { last: 9 }
      effects:
        - return: -1
          errno: EIO
`;

test('what is not said has its default', () => {
  const campaign = parseCampaign(whole, 'c.yaml');
  assert.deepEqual(campaign.observe, { console: true, files: [], ignore: [], signals: [] });
  assert.deepEqual(campaign.detect, { status: [], signals: [] });
  assert.deepEqual(campaign.models[0]?.calls?.calls, { first: 1, last: 9 });
  assert.deepEqual([campaign.seed, campaign.timeout, campaign.sample], [0, 5, undefined]);
  assert.deepEqual(parseCampaign(`${whole}sample: {}`, 'c.yaml').sample, { margin: 0.05, confidence: 0.95 });
  assert.deepEqual(parseCampaign(JSON.stringify(campaign), 'c.json'), campaign);
});

const refused = (text: string, pattern: RegExp): void =>
  assert.throws(
    () => parseCampaign(text, 'c.yaml'),
    (error) => error instanceof CairnError && error.code === 'campaignFile' && pattern.test(error.message),
  );

test('what is wrong is named, with its line', () => {
  refused('', /^c\.yaml/);
  refused('- 1', /^c\.yaml:1: /);
  refused(whole.replace('boot', '[unclosed'), /^c\.yaml:\d/);
  refused(whole.replace('snapshot: boot', 'snapshot: ""'), /^c\.yaml:1: snapshot: /);
  refused(whole.replace('function: read', 'function: 3'), /^c\.yaml:5: models\.0\.calls\.function: /);
  refused(whole.replace('last: 9', 'first: 10, last: 9'), /^c\.yaml:6: .*last is not before first/);
  refused(whole.replace('return: -1', 'returns: -1'), /^c\.yaml:8: models\.0\.calls\.effects\.0: .*returns/);
  refused(`${whole}detect: { console: "(" }`, /^c\.yaml:10: detect\.console: it is no regular expression/);
  refused(`${whole}unknown: 1`, /unknown/);
  refused(`${whole}sample: 0`, /^c\.yaml:10: sample/);
  // As many aliases as would fill the memory.
  const bomb = `a: &a [x,x,x,x,x,x,x,x,x]\n${'bcdefghij'.replace(/./g, (name) => `${name}: &${name} [${`*${String.fromCharCode(name.charCodeAt(0) - 1)},`.repeat(9)}]\n`)}`;
  refused(bomb, /^c\.yaml/);
});

test('all that is wrong is told, each at its line', () => {
  const { problems, campaign } = lookAtCampaign(
    'snapshot: roi\nseed: -1\nmodels:\n  - name: a b\n    calls: {function: read, calls: {last: 2}, effects: [{return: 1}]}\nmore: 1\n',
  );
  assert.equal(campaign, undefined);
  const at = (line: number): string[] =>
    problems.filter((one) => one.line === line).map(({ message }) => message.split(':')[0] ?? '');
  assert.deepEqual([problems.length, at(1), at(2), at(4)], [3, ['Unrecognized key'], ['seed'], ['models.0.name']]);
  assert.equal(lookAtCampaign('a: [').problems[0]?.line, 1);
});
