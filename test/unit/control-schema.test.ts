import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { controlSchema } from '../../debug-adapter/src/control/schema.js';
import { notifications, requests } from '../../debug-adapter/src/protocol/control.js';

test('the published schema is that of the code (control/write-schema.ts writes it)', () => {
  const published = JSON.parse(readFileSync(new URL('../../schemas/control.schema.json', import.meta.url), 'utf8')) as unknown;
  assert.deepEqual(published, JSON.parse(JSON.stringify(controlSchema())));
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
