/**
 * What to do about a part of Cairn whose source is not there.
 */
import { existsSync } from 'node:fs';
import { Failure, inTree } from '../lib/tree.mjs';

const strict = true;

/** The paths of `files` (relative to the tree) that exist. */
export function present(what, files) {
  const missing = files.filter((file) => !existsSync(inTree(file)));
  if (missing.length > 0) {
    const text = `${what}: missing ${missing.join(', ')}`;
    if (strict) throw new Failure(text);
    process.stderr.write(`warning: ${text}\n`);
  }
  return files.filter((file) => !missing.includes(file));
}
