/** Commands that start a program on another host, made from what the user has described. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { expandLauncher } from '../../debug-adapter/src/model/launcher.js';

const command = ['/opt/my cairn', 'join', "it's", '--', 'a&b'];

test('a launcher that executes words gets words', () => {
  assert.deepEqual(expandLauncher('ip netns exec {host} {command}', 'b', command), ['ip', 'netns', 'exec', 'b', ...command]);
});

test('one with a shell there gets one word, from which the shell makes the same', () => {
  const words = expandLauncher('ssh {options:lp} {host} {shell}', 'user@b', command);
  assert.deepEqual(words, ['ssh', 'user@b', "'/opt/my cairn' join 'it'\\''s' -- 'a&b'"]);
});

test('the host may be part of a word', () => {
  assert.deepEqual(expandLauncher('run --at={host}:22 {command}', 'b', ['x']), ['run', '--at=b:22', 'x']);
});
