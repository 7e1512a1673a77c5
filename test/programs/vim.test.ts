/** vim with a change that was not written: a restart draws it in the new terminal, undo goes back behind the restart, and :wq writes it. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { interactiveTest } from './interactive.js';

interactiveTest('vim: a change that was not written', ['vim'], async (talk) => {
  writeFileSync(join(talk.folder, 'poem.txt'), 'first line\nlast line\n');
  talk.start(['vim', '-u', 'NONE', '-i', 'NONE', '-n', 'poem.txt']);
  await talk.see(/last line/);
  talk.type('oin between\u001b');
  await talk.see(/in between/);
  talk.type('Gohalf a wo');
  await talk.see(/half a wo/);
  // Into the run folder it would be another file (st_ino), at which vim asks before it writes.
  await talk.restart(true, '--in-place');
  // Drawn anew, by itself.
  await talk.see(/first line[\s\S]*in between[\s\S]*last line[\s\S]*half a wo/);
  talk.type('rd\u001b');
  await talk.see(/rd/);
  talk.type('ggdd');
  talk.type('u');
  talk.type('Gonext\u001b:wq\r');
  assert.equal(await talk.program.exit(), 0, talk.program.transcript());
  assert.equal(readFileSync(join(talk.folder, 'poem.txt'), 'utf8'), 'first line\nin between\nlast line\nhalf a word\nnext\n');
});
