/** An interactive bash: a job that Ctrl-Z has stopped, one in the background, and a half-typed command, over two restarts. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Conversation, interactiveTest } from './interactive.js';

const bash = ['bash', '--norc', '--noprofile', '-i'];
function environment(talk: Conversation): Record<string, string> {
  const file = join(talk.folder, 'inputrc');
  writeFileSync(file, 'set enable-bracketed-paste off\n');
  return { PS1: 'ready> ', HISTFILE: '/dev/null', INPUTRC: file };
}

interactiveTest('bash: stopped and background jobs, bg, fg and Ctrl-C after restarts', ['bash'], async (talk) => {
  talk.start(bash, environment(talk));
  await talk.see(/ready> /);
  talk.type('sleep 301\r');
  await talk.see(/sleep 301\r\n/);
  talk.type('\u001a');
  await talk.see(/Stopped +sleep 301/);
  await talk.see(/ready> /);
  talk.type('sleep 302 &\r');
  await talk.see(/\[2\] \d+/);
  await talk.see(/ready> /);
  talk.type('echo half ty');
  await talk.see(/half ty/);
  for (let round = 0; round < 2; round++) await talk.restart();
  talk.type('ped\rjobs\r');
  await talk.see(/\nhalf typed\r\n/);
  await talk.see(/\[1\]\+ +Stopped +sleep 301/);
  await talk.see(/\[2\]- +Running +sleep 302 &/);
  await talk.see(/ready> /);
  talk.type('bg %1\r');
  await talk.see(/\[1\]\+ sleep 301 &/);
  talk.type('jobs\r');
  await talk.see(/\[1\]. +Running +sleep 301 &/);
  talk.type('fg %2\r');
  await talk.see(/\nsleep 302\r\n/);
  talk.type('\u0003');
  await talk.see(/ready> /);
  talk.type('echo "status $?"; kill %1; wait %1; echo "status $?"; exit 4\r');
  await talk.see(/\nstatus 130\r\n/);
  await talk.see(/\nstatus 143\r\n/);
  assert.equal(await talk.program.exit(), 4, talk.program.transcript());
});

interactiveTest('bash: a job in front, which is stopped after the restart', ['bash'], async (talk) => {
  talk.start(bash, environment(talk));
  await talk.see(/ready> /);
  talk.type('cat\r');
  await talk.see(/cat\r\n/);
  talk.type('one\r');
  await talk.see(/one\r\n.*one\r\n/s);
  await talk.restart();
  talk.type('two\r');
  await talk.see(/two\r\n.*two\r\n/s);
  talk.type('\u001a');
  await talk.see(/Stopped +cat/);
  await talk.restart();
  talk.type('fg\r');
  await talk.see(/\ncat\r\n/);
  talk.type('three\r\u0004');
  await talk.see(/three\r\n.*three\r\n/s);
  await talk.see(/ready> /);
  talk.type('exit 0\r');
  assert.equal(await talk.program.exit(), 0, talk.program.transcript());
});
