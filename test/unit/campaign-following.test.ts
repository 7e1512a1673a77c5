/** Results of a campaign are followed from wherever they are: not known, not there, removed and made again. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Following } from '../../extension/src/campaigns/following.js';
import { waitFor } from '../support/processes.js';

/** Results in a file, and what a look has seen of it. */
async function follow(t: TestContext, known: { folder: string }): Promise<{ following: Following; seen: string[] }> {
  const seen: string[] = [];
  const following = new Following({
    folder: () => Promise.resolve(known.folder),
    look: () => {
      seen.push(known.folder === '' ? '' : read(known.folder));
      return Promise.resolve();
    },
  });
  t.after(() => following.dispose());
  await following.start();
  return { following, seen };
}

function read(folder: string): string {
  try {
    return readFileSync(join(folder, 'runs'), 'utf8');
  } catch {
    return 'none';
  }
}

function write(folder: string, text: string): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'runs'), text);
}

function place(t: TestContext): string {
  const root = mkdtempSync(join(tmpdir(), 'cairn-following-'));
  t.after(() => rmSync(root, { recursive: true }));
  return join(root, 'store/campaigns/reads');
}

const saw = (seen: readonly string[], text: string): Promise<true> => waitFor(`a look at ${text}`, () => seen.at(-1) === text);

test('results are seen when they come, and when their folder was removed and made again', async (t) => {
  const folder = place(t);
  mkdirSync(join(folder, '../..'), { recursive: true });
  const { seen } = await follow(t, { folder });
  assert.deepEqual(seen, ['none']);
  write(folder, 'first');
  await saw(seen, 'first');
  write(folder, 'second');
  await saw(seen, 'second');
  rmSync(folder, { recursive: true });
  await saw(seen, 'none');
  write(folder, 'third');
  await saw(seen, 'third');
  // Seen in the new folder itself: the one above has not changed.
  write(folder, 'fourth');
  await saw(seen, 'fourth');
});

test('a folder that is known only later is followed from then on', async (t) => {
  const folder = place(t);
  const known = { folder: '' };
  const { following, seen } = await follow(t, known);
  assert.deepEqual(seen, ['']);
  write(folder, 'first');
  known.folder = folder;
  following.changed();
  await saw(seen, 'first');
  write(folder, 'second');
  await saw(seen, 'second');
});

test('a look that fails is no end of them', async (t) => {
  const folder = place(t);
  write(folder, 'first');
  let looks = 0;
  const following = new Following({
    folder: () => Promise.resolve(folder),
    look: () => (++looks === 1 ? Promise.reject(new Error('busy')) : Promise.resolve()),
  });
  t.after(() => following.dispose());
  await following.start();
  write(folder, 'second');
  await waitFor('another look', () => looks > 1);
});
