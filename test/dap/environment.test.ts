import assert from 'node:assert/strict';
import test from 'node:test';
import { programEnvironment } from '../../debug-adapter/src/dap/environment.js';

test('a program gets the environment of the editor, but not what the editor has set for itself', () => {
  const editor = {
    PATH: '/bin',
    HOME: '/h',
    ELECTRON_RUN_AS_NODE: '1',
    VSCODE_IPC_HOOK: '/x',
    CAIRN_NODE: '/n',
    TERM: 'dumb',
    NONE: undefined,
  };
  assert.deepEqual(programEnvironment(editor, {}), { PATH: '/bin', HOME: '/h', TERM: 'xterm-256color', COLORTERM: 'truecolor' });
});

test('the configuration has the last word: it sets, changes, removes, also what is held back otherwise', () => {
  const changes = { PATH: '/usr/bin', HOME: null, TERM: 'vt100', VSCODE_ENV: 'wanted' };
  assert.deepEqual(programEnvironment({ PATH: '/bin', HOME: '/h' }, changes), {
    PATH: '/usr/bin',
    TERM: 'vt100',
    COLORTERM: 'truecolor',
    VSCODE_ENV: 'wanted',
  });
});
