/**
 * Run slots: a restart that names one writes to its folder, with its paths and environment; a TMPDIR that moves takes its files along.
 */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Scratch } from '../support/scratch.js';

const SCRIPT = `
$| = 1; open(my $out, ">", "out.txt"); print $out "one\\n"; $out->flush; print "ready\\n";
select(undef, undef, undef, 0.05) while !-e $ENV{GO};
print $out "two\\n"; close $out;
open(my $scratch, "<", "$ENV{OLD_TMP}/data") or die; print "scratch: ", scalar <$scratch>;
open(my $tool, "<", "$ENV{TOOLS}/version") or die; print "tool: ", scalar <$tool>;
print "display: ", \`printenv DISPLAY\`;
`;

test('a restart in a named slot, and in a folder', async () => {
  const scratch = new Scratch();
  try {
    const folder = (name: string): string => scratch.makeFolder(join(scratch.folder, name));
    const [before, tools] = [folder('before'), folder('tools')];
    writeFileSync(join(before, 'data'), 'of before\n');
    writeFileSync(join(tools, 'version'), 'old\n');
    const go = join(scratch.folder, 'go');
    const env = { TMPDIR: before, OLD_TMP: before, TOOLS: tools, GO: go, DISPLAY: ':1' };
    const first = scratch.cairnProgram(['run', '--session', 'first', '--', 'perl', '-MIO::Handle', '-e', SCRIPT], { env });
    await first.line(/^ready$/);
    const { snapshot } = await scratch.checkpoint('first', '--then', 'kill');
    await first.exit();
    writeFileSync(go, '');

    const moved = join(scratch.folder, 'after');
    renameSync(before, moved);
    mkdirSync(join(scratch.folder, 'newer'));
    writeFileSync(join(scratch.folder, 'newer/version'), 'new\n');
    const slots = { b: { folder: 'slot b', paths: { [tools]: 'newer' }, env: { TMPDIR: moved, DISPLAY: ':7' } } };
    writeFileSync(join(scratch.store, 'slots.json'), JSON.stringify(slots));
    const named = scratch.cairnProgram(['restart', snapshot, '--session', 'named', '--slot', 'b']);
    assert.equal(await named.exit(), 0, named.transcript());
    assert.deepEqual(named.lines, ['scratch: of before', 'tool: new', 'display: :7']);
    assert.equal(readFileSync(join(scratch.folder, 'slot b/out.txt'), 'utf8'), 'one\ntwo\n');

    const place = join(scratch.folder, 'place');
    const args = ['restart', snapshot, '--session', 'folder', '--slot', place, '--env', `TMPDIR=${moved}`];
    const inFolder = scratch.cairnProgram(args);
    assert.equal(await inFolder.exit(), 0, inFolder.transcript());
    assert.deepEqual(inFolder.lines, ['scratch: of before', 'tool: old', 'display: :1']);
    assert.equal(readFileSync(join(place, 'out.txt'), 'utf8'), 'one\ntwo\n');
    assert.equal(readFileSync(join(scratch.work, 'out.txt'), 'utf8'), 'one\n', 'the first run’s file was written to');

    const unknown = await scratch.cairn(['restart', snapshot, '--slot', 'c', '--check']);
    assert.notEqual(unknown.status, 0);
    assert.match(unknown.stderr, /no run slot "c"; there are: b/);
  } finally {
    await scratch.close();
  }
});
