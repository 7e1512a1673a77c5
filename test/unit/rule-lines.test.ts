import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ruleLines } from '../../extension/src/views/ruleLines.js';

test('a snapshot says which files are in it, and what is other than usual', () => {
  assert.deepEqual(ruleLines({}), []);
  assert.deepEqual(ruleLines({ savedFiles: [], ignoredFiles: [], rules: { files: [], connections: [], clock: 'go-on' } }), []);
  assert.deepEqual(
    ruleLines({
      savedFiles: ['/a', '/b'],
      ignoredFiles: Array.from({ length: 10 }, (_, index) => `/f${index}`),
      rules: {
        files: [{ pattern: '*.vcd', how: 'save' }],
        connections: [{ pattern: '*:27000', how: 'close' }],
        clock: 'continue',
      },
    }),
    [
      ['Files in it', '/a, /b'],
      ['Files used as they are', '/f0, /f1, /f2, /f3, /f4, /f5, /f6, /f7 and 2 more'],
      ['File rules', 'save *.vcd'],
      ['Connection rules', 'close *:27000'],
      ['Clock', 'continues at a restart'],
    ],
  );
});
