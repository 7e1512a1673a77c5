/**
 * JSON Schemas of what others may read and write without Cairn's code, into dist/schemas: the control protocol's requests and
 * notifications, and the files of a snapshot's folder.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { inTree } from '../lib/tree.mjs';

/** Runs inside the bundle below, beside the definitions. */
const generator = `
import { z } from 'zod';
import { CONTROL_PROTOCOL, notifications, requests } from './debug-adapter/src/protocol/control.ts';
import { Labels, Manifest, SNAPSHOT_FORMAT } from './debug-adapter/src/protocol/snapshot.ts';
const input = (schema) => z.toJSONSchema(schema, { io: 'input' });
const output = (schema) => z.toJSONSchema(schema, { io: 'output' });
const each = (table, make) => Object.fromEntries(Object.entries(table).map(([name, entry]) => [name, make(entry)]));
export const files = {
  'control.schema.json': {
    title: 'Cairn control protocol', version: CONTROL_PROTOCOL,
    requests: each(requests, ({ params, result }) => ({ params: input(params), result: output(result) })),
    notifications: each(notifications, (params) => ({ params: output(params) })),
  },
  'manifest.schema.json': { ...output(Manifest), title: 'manifest.json of a Cairn snapshot, format ' + SNAPSHOT_FORMAT },
  'labels.schema.json': { ...output(Labels), title: 'labels.json of a Cairn snapshot' },
};
`;

export async function writeSchemas() {
  const bundle = inTree('build/schemas.mjs');
  await build({
    stdin: { contents: generator, resolveDir: inTree(), sourcefile: 'schemas.js' },
    outfile: bundle,
    bundle: true,
    platform: 'node',
    format: 'esm',
    logLevel: 'warning',
  });
  const { files } = await import(`${pathToFileURL(bundle).href}?${Date.now()}`);
  rmSync(bundle);
  mkdirSync(inTree('dist/schemas'), { recursive: true });
  for (const [name, schema] of Object.entries(files))
    writeFileSync(inTree('dist/schemas', name), `${JSON.stringify(schema, undefined, 2)}\n`);
}
