/**
 * TypeScript for native-agent/protocol/*.proto, into debug-adapter/src/protocol/generated (not in git). A file is written
 * only if its content changed, so that what depends on it is not built again for nothing.
 */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inTree, run } from '../lib/tree.mjs';

export async function generateProtocol() {
  const source = inTree('native-agent/protocol');
  const target = inTree('debug-adapter/src/protocol/generated');
  const protos = readdirSync(source).filter((name) => name.endsWith('.proto'));
  const fresh = mkdtempSync(join(tmpdir(), 'cairn-protoc-'));
  try {
    await run(
      'protoc',
      [
        `--plugin=protoc-gen-es=${inTree('node_modules/.bin/protoc-gen-es')}`,
        `--es_out=${fresh}`,
        '--es_opt=target=ts,import_extension=js',
        `-I${source}`,
        ...protos,
      ],
      { quiet: true },
    );
    mkdirSync(target, { recursive: true });
    const names = readdirSync(fresh);
    for (const name of readdirSync(target)) if (!names.includes(name)) rmSync(join(target, name));
    for (const name of names) {
      const text = readFileSync(join(fresh, name), 'utf8');
      const file = join(target, name);
      if (!existsSync(file) || readFileSync(file, 'utf8') !== text) writeFileSync(file, text);
    }
  } finally {
    rmSync(fresh, { recursive: true });
  }
}
