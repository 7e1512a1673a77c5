/**
 * Damaged snapshots: cut off, with flipped bytes, without a file, with a manifest that is no manifest. A restart refuses each with
 * a message and starts nothing; the other snapshots of the store are listed and usable as ever.
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { copySnapshot, cutInHalf, flipByte, snapshotFiles } from '../support/damage.js';
import { describeProcess, processesOf, waitFor } from '../support/processes.js';
import { Scratch } from '../support/scratch.js';
import { small, Victim } from './victim.js';

let scratch: Scratch;
let victim: Victim;
let whole: string;
let id: string;

/** What users may change, and notes that are made again: nothing of the snapshot itself. */
const notes = new Set(['labels.json', 'verified.json']);

before(async () => {
  scratch = new Scratch();
  victim = await Victim.start(scratch, 'image', small);
  const made = await scratch.checkpoint('image', '--then', 'kill');
  await victim.program.exit();
  victim.mayEnd();
  whole = made.path;
  id = made.snapshot;
});
after(async () => {
  await scratch.close();
});

let number = 0;
/** Damages a copy of the snapshot in a store of its own; gives the store and the copy. */
function damaged(damage: (folder: string) => void): { store: string; folder: string } {
  const store = scratch.makeFolder(join(scratch.folder, `damaged${++number}`));
  const folder = copySnapshot(whole, store);
  damage(folder);
  return { store, folder };
}

async function expectRefusal(store: string, what: string): Promise<string> {
  const { status, stdout, stderr } = await scratch.cairn(['restart', id, '--store', store, '--session', `d${number}`], {
    seconds: 30,
  });
  assert.equal(status, 1, `${what}: the restart gave ${status}: ${stderr}`);
  assert.equal(stdout, '', `${what}: something was started and printed`);
  assert.notEqual(stderr.trim(), '');
  assert.doesNotMatch(stderr, /\n\s+at .*:\d+:\d+/, `${what}: a stack trace instead of a message`);
  return stderr;
}

test('every file: cut in half, first, middle and last byte flipped, removed', { timeout: 240_000 }, async (context) => {
  for (const name of snapshotFiles(whole)) {
    if (notes.has(name)) continue;
    await context.test(name, async () => {
      const bytes = statSync(join(whole, name)).size;
      const damages: [string, (file: string) => void][] = [['removed', (file) => rmSync(file)]];
      if (bytes > 0) {
        damages.push(['cut in half', cutInHalf]);
        for (const offset of new Set([0, Math.floor(bytes / 2), bytes - 1]))
          damages.push([`byte ${offset} of ${bytes} flipped`, (file) => flipByte(file, offset)]);
      }
      for (const [what, damage] of damages) {
        const { store } = damaged((folder) => damage(join(folder, name)));
        const message = await expectRefusal(store, `${name} ${what}`);
        assert.ok(
          message.includes(name) || message.includes(id),
          `${name} ${what}: the message names neither the file nor the snapshot: ${message}`,
        );
        rmSync(store, { recursive: true });
      }
    });
  }
  // Coordinators of refused restarts leave within a moment (one that is just ending has no command line any more); anything else
  // has been restarted.
  const started = (): string[] =>
    processesOf(`${scratch.folder}/damaged`)
      .map(describeProcess)
      .filter((one) => !one.includes('coordinator.js'));
  await waitFor('coordinators to end', () => started().length === 0, 10).catch(() => undefined);
  assert.deepEqual(started(), [], 'something was started');
});

test('manifests that are none: ls and show say so, restart refuses', { timeout: 120_000 }, async (context) => {
  // Without its checksum, which older manifests do not have.
  const { manifestChecksum: _, ...good } = JSON.parse(readFileSync(join(whole, 'manifest.json'), 'utf8')) as Record<
    string,
    unknown
  > & { files: { name: string }[] };
  const [first, ...rest] = good.files;
  const manifests: [string, string][] = [
    ['empty', ''],
    ['not JSON', '{"format": 1,'],
    ['null', 'null'],
    ['an empty object', '{}'],
    ['of a newer format', JSON.stringify({ ...good, format: 999 })],
    ['with a negative size', JSON.stringify({ ...good, bytes: -1 })],
    ['that names a file outside', JSON.stringify({ ...good, files: [{ ...first, name: '../../../../etc/passwd' }, ...rest] })],
    ['that names no files', JSON.stringify({ ...good, files: [] })],
    ['of another snapshot', JSON.stringify({ ...good, id: '0123456789ab' })],
    ['with the wrong types', JSON.stringify({ ...good, processes: 'many' })],
    ['of 8 MB of brackets', '['.repeat(8 << 20)],
  ];
  for (const [what, text] of manifests) {
    await context.test(what, async () => {
      const { store, folder } = damaged((copy) => writeFileSync(join(copy, 'manifest.json'), text));
      const { status, stdout, stderr } = await scratch.cairn(['ls', '--store', store, '--json']);
      assert.equal(status, 0, `ls: ${stderr}`);
      const listed = JSON.parse(stdout) as { id: string; problem: string }[];
      for (const entry of listed) assert.notEqual(entry.problem, '', `it is listed as sound: ${JSON.stringify(entry)}`);
      const message = await expectRefusal(store, `manifest ${what}`);
      if (what === 'of a newer format') assert.match(message, /newer|format|version/i);
      const byFolder = await scratch.cairn(['restart', folder, '--session', `f${number}`], { seconds: 30 });
      assert.equal(byFolder.status, 1, byFolder.stderr);
      rmSync(store, { recursive: true });
    });
  }
});

test('labels and notes that are damaged do not keep a snapshot from being restarted', async () => {
  for (const name of notes) {
    if (!existsSync(join(whole, name))) continue;
    const { store } = damaged((folder) => writeFileSync(join(folder, name), '{"name": 7, '));
    const { status, stderr } = await scratch.cairn(['ls', '--store', store, '--json']);
    assert.equal(status, 0, stderr);
    const restarted = scratch.cairnProgram(['restart', id, '--store', store, '--session', `l${number}`]);
    assert.equal(await restarted.exit(30), 0, restarted.transcript());
    assert.ok(victim.expected.endsWith(restarted.stdout) && restarted.stdout.includes('signature'), restarted.transcript());
  }
});

test('the snapshot that was not damaged is as good as ever', async () => {
  assert.equal(await victim.snapshotsAreWhole(), 1);
});
