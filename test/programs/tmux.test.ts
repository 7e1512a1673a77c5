/**
 * tmux: a server with two windows that shells and programs run in, with a client attached in the session's terminal, and on its own,
 * when the process that started it has ended.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { waitFor } from '../support/processes.js';
import { type Conversation, interactiveTest } from './interactive.js';

const configuration = `set -g default-command "env PS1='$ ' bash --norc --noprofile -i"\nset -g status off\n`;

function tmux(talk: Conversation): readonly string[] {
  const file = join(talk.folder, 'tmux.conf');
  writeFileSync(file, configuration);
  return ['tmux', '-f', file, '-S', 'sock'];
}

/** A command for the server, wherever its socket is in this run. */
const ask = (talk: Conversation, ...words: string[]): Promise<string> =>
  talk.beside(['tmux', '-S', join(talk.runFolder, 'sock'), ...words]);

async function screenOf(talk: Conversation, window: number, pattern: RegExp): Promise<string> {
  let shown = '';
  return waitFor(`${pattern} in window ${window}`, async () => {
    shown = await ask(talk, 'capture-pane', '-p', '-t', `:${window}`);
    return pattern.test(shown) ? shown : undefined;
  }).catch((error: Error) => {
    throw new Error(`${error.message}; it shows\n${shown}\n${talk.scratch.logs()}`);
  });
}

async function fill(talk: Conversation): Promise<void> {
  await screenOf(talk, 0, /^\$/m);
  await ask(
    talk,
    'send-keys',
    '-t',
    ':0',
    'tty; count=0; while read -r -t 0.2; [ $count -lt 100000 ]; do echo count $((++count)); done',
    'Enter',
  );
  await ask(talk, 'new-window');
  await screenOf(talk, 1, /^\$/m);
  await ask(talk, 'send-keys', '-t', ':1', `tty; bash -c 'echo runs; read -r line'`, 'Enter');
  await screenOf(talk, 1, /^runs$/m);
  await ask(talk, 'send-keys', '-t', ':1', 'C-z');
  await screenOf(talk, 1, /Stopped/);
  await ask(talk, 'send-keys', '-t', ':1', 'echo half ty');
  await screenOf(talk, 1, /half ty/);
  await screenOf(talk, 0, /^count 3$/m);
}

async function check(talk: Conversation, before: string): Promise<void> {
  const after = await screenOf(talk, 1, /half ty/);
  assert.equal(after, before, 'window 1 shows something else');
  const last = Number(/count (\d+)\n[^0-9]*$/.exec(await screenOf(talk, 0, /count \d+/))?.[1]);
  await screenOf(talk, 0, new RegExp(`^count ${last + 3}$`, 'm'));
  await ask(talk, 'send-keys', '-t', ':1', 'ped', 'Enter');
  await screenOf(talk, 1, /^half typed$/m);
  const terminal = /^\/dev\/pts\/\d+$/m.exec(before)?.[0] ?? '';
  await ask(talk, 'send-keys', '-t', ':1', 'clear; jobs; test $(tty) -ef /proc/self/fd/0 && tty', 'Enter');
  const shown = await screenOf(talk, 1, /^\/dev\/pts\/\d+$/m);
  assert.ok(shown.includes(`${terminal}\n`) && /Stopped +bash -c/.test(shown), `${terminal} has become\n${shown}`);
  await ask(talk, 'send-keys', '-t', ':1', 'fg', 'Enter');
  await screenOf(talk, 1, /^bash -c 'echo/m);
  await ask(talk, 'send-keys', '-t', ':1', 'C-c');
  await ask(talk, 'new-window', 'tty; read -r line');
  await screenOf(talk, 2, /^\/dev\/pts\/\d+$/m);
}

interactiveTest('tmux: two windows, and a client in the terminal', ['tmux', 'bash'], async (talk) => {
  talk.start([...tmux(talk), 'new-session']);
  await talk.see(/\$ /);
  await fill(talk);
  const before = await screenOf(talk, 1, /half ty/);
  await talk.restart();
  await check(talk, before);
  // The client shows it, and types.
  talk.type('\r');
  await waitFor('the end of window 2', async () => !(await ask(talk, 'list-windows')).includes('2:'));
  await talk.restart();
  talk.type('\u0002d');
  await talk.see(/\[detached/);
  await ask(talk, 'kill-server');
  await talk.program.exit();
});

interactiveTest('tmux: a server without a client, when what started it has ended', ['tmux', 'bash'], async (talk) => {
  talk.start([...tmux(talk), 'new-session', '-d', '-x', '80', '-y', '24'], {}, false);
  await waitFor('the server', async () => (await ask(talk, 'list-windows').catch(() => '')).includes('0:'));
  await fill(talk);
  const before = await screenOf(talk, 1, /half ty/);
  await talk.restart(false);
  await check(talk, before);
  await talk.restart(false);
  await screenOf(talk, 0, /count \d+/);
  await ask(talk, 'kill-server');
  await talk.program.exit();
});
