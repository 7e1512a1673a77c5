import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { settingsSchema } from '../../debug-adapter/src/platform/plugin-schema.js';

const folder = mkdtempSync(join(tmpdir(), 'cairn-u-'));
after(() => rmSync(folder, { recursive: true, force: true }));
mkdirSync(join(folder, 'build'));
const library = join(folder, 'build', 'slot.so.1');

test('the schema of the library itself is nearer than that of the folder, and that than the one above', () => {
  assert.equal(settingsSchema(library), null);
  for (const name of ['settings.schema.json', 'build/settings.schema.json', 'build/slot.schema.json']) {
    const path = join(folder, name);
    writeFileSync(path, `{"title": "${name}"}`);
    assert.deepEqual(settingsSchema(library), { path, schema: { title: name } });
  }
});

test('a schema that is none is refused with its path', () => {
  for (const text of ['{', '[]', '7']) {
    writeFileSync(join(folder, 'build/slot.schema.json'), text);
    assert.throws(() => settingsSchema(library), /slot\.schema\.json/);
  }
});
