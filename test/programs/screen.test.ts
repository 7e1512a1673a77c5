/** GNU screen with a shell in it: what it shows, the shell, and detaching after a restart. */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { interactiveTest } from './interactive.js';

interactiveTest('screen: a shell in a window', ['screen', 'bash'], async (talk) => {
  const sockets = join(talk.scratch.folder, 'screens');
  mkdirSync(sockets, { mode: 0o700 });
  writeFileSync(join(talk.folder, 'screenrc'), 'startup_message off\nvbell off\n');
  const env = { SCREENDIR: sockets, PS1: 'ready> ', SYSSCREENRC: '/dev/null' };
  talk.start(['screen', '-c', 'screenrc', '-S', 'work', 'bash', '--norc', '--noprofile', '-i'], env);
  await talk.see(/ready> /);
  talk.type('tty; echo "number $((40 + 2))"\r');
  const [name] = (await talk.see(/\/dev\/pts\/\d+/)).split('\r');
  await talk.see(/number 42/);
  talk.type('echo half ty');
  await talk.see(/half ty/);
  await talk.restart();
  // It knows no other occasion to draw a terminal of the same size anew than being told to: Ctrl-A Ctrl-L.
  talk.type('\u0001\u000c');
  await talk.see(/number 42[\s\S]*half ty/);
  talk.type('ped; tty; echo "number $((50 + 3))"\r');
  assert.equal(await talk.see(/\/dev\/pts\/\d+/), name, 'the terminal has another name');
  await talk.see(/number 53/);
  talk.type('exit\r');
  await talk.see(/screen is terminating/);
  await talk.program.exit();
});
