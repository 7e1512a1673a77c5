/**
 * The JSON Schema of a plugin's settings: a file that its vendor puts beside the library. Test: test/unit/plugin-schema.test.ts.
 */
import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { failure, reason } from '../protocol/errors.js';

export interface SettingsSchema {
  path: string;
  schema: Record<string, unknown>;
}

/**
 * NAME.schema.json beside NAME.so; else settings.schema.json beside it, or in the folder above where the library was built in a folder
 * of the source (`cairn plugin new`). null: the plugin has none. Throws where there is one that is no JSON object.
 */
export function settingsSchema(library: string): SettingsSchema | null {
  const folder = dirname(library);
  const own = join(folder, `${basename(library).replace(/\.so(\.\d+)*$/, '')}.schema.json`);
  const path = [own, join(folder, 'settings.schema.json'), join(dirname(folder), 'settings.schema.json')].find(existsSync);
  if (path === undefined) return null;
  try {
    const schema: unknown = JSON.parse(readFileSync(path, 'utf8'));
    if (typeof schema !== 'object' || schema === null || Array.isArray(schema)) throw new Error('it is no JSON object');
    return { path, schema: schema as Record<string, unknown> };
  } catch (error) {
    throw failure('fileNotReadable', { what: 'schema of the settings', path, why: reason(error) }, error);
  }
}
