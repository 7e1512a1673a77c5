/**
 * The JSON Schema of a plugin's settings: the file NAME.schema.json beside its library NAME.so. Tests: test/unit/plugin-changes.test.ts.
 */

import type { SettingsSchema } from '../model/plugin-changes.js';
import { readIfThere } from '../platform/files.js';
import { failure, reason } from '../protocol/errors.js';

/** undefined: there is none, and only the plugin itself knows what it takes. */
export function readSettingsSchema(library: string): SettingsSchema | undefined {
  if (!library.endsWith('.so')) return undefined;
  const path = library.replace(/\.so$/, '.schema.json');
  try {
    const text = readIfThere(path);
    return text === undefined ? undefined : { path, schema: JSON.parse(text) };
  } catch (error) {
    throw failure('fileNotReadable', { what: 'schema of settings', path, why: reason(error) }, error);
  }
}
