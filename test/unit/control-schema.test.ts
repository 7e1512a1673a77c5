import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { campaignSchema, controlSchema } from '../../debug-adapter/src/control/schema.js';
import { notifications, requests } from '../../debug-adapter/src/protocol/control.js';

for (const [name, schema] of [
  ['control', controlSchema],
  ['campaign', campaignSchema],
] as const)
  test(`the published schema ${name} is that of the code (control/write-schema.ts writes it)`, () => {
    const published = JSON.parse(readFileSync(new URL(`../../schemas/${name}.schema.json`, import.meta.url), 'utf8')) as unknown;
    assert.deepEqual(published, JSON.parse(JSON.stringify(schema())));
  });

test('every request and notification is in it, with the names of its fields', () => {
  const { $defs } = controlSchema() as {
    $defs: { requests: Record<string, { properties: Record<string, { properties?: object }> }>; notifications: object };
  };
  assert.deepEqual(Object.keys($defs.requests), Object.keys(requests));
  assert.deepEqual(Object.keys($defs.notifications), Object.keys(notifications));
  assert.deepEqual(Object.keys($defs.requests['session/checkpoint']?.properties['params']?.properties ?? {}), [
    'name',
    'then',
    'files',
    'holdAt',
  ]);
});
