import assert from 'node:assert/strict';
import test from 'node:test';
import { formatProblem, settingsProblems } from '../../debug-adapter/src/protocol/plugin-settings.js';

const schema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  required: ['server'],
  additionalProperties: false,
  'x-vendor': true,
  properties: {
    server: { type: 'string', format: 'hostname' },
    slot: { type: 'integer', minimum: 0 },
    mode: { enum: ['keep', 'release'] },
    limits: { type: 'object', properties: { 'a/b': { type: 'number' } } },
  },
};
const said = (settings: unknown): string[] => settingsProblems(schema, settings).map(formatProblem);

test('settings that fit have no problem', () => {
  assert.deepEqual(said({ server: 'one', slot: 3, mode: 'keep', limits: { 'a/b': 0.5 } }), []);
  assert.deepEqual(settingsProblems(true, { anything: 1 }), []);
});

test('each problem names its setting', () => {
  assert.deepEqual(said({ slot: -1, mode: 'sell', limits: { 'a/b': 'x' }, sevrer: 'one' }).sort(), [
    '"limits.a/b" must be number',
    '"mode" must be one of "keep", "release"',
    '"server" is required',
    '"sevrer" is no setting of this plugin',
    '"slot" must be >= 0',
  ]);
  assert.deepEqual(said([]), ['The settings: must be object']);
});

test('a schema of an older draft is taken', () => {
  const older = { ...schema, $schema: 'http://json-schema.org/draft-07/schema#' };
  assert.deepEqual(settingsProblems(older, {}).map(formatProblem), ['"server" is required']);
});

test('a schema that is none is told', () => {
  assert.throws(() => settingsProblems({ type: 'sting' }, {}), /type/);
});
