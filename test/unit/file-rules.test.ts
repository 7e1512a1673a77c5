import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ruleFor } from '../../debug-adapter/src/model/file-rules.js';

// The same cases as native-agent/tests/file_rules_test.cc: both have to say the same.
const cases: [pattern: string, path: string, fits: boolean][] = [
  ['*.vcd', '/work/run/dump.vcd', true],
  ['dump.vcd', '/work/run/dump.vcd', true],
  ['dump', '/work/run/dump.vcd', false],
  ['*.vcd', '/work/run/dump.vcd.gz', false],
  ['du?p.*', '/work/run/dump.vcd', true],
  ['/work/*/dump.vcd', '/work/run/dump.vcd', true],
  ['/work/*/dump.vcd', '/work/run/one/dump.vcd', false],
  ['/work/**/dump.vcd', '/work/run/one/dump.vcd', true],
  ['/work/**/dump.vcd', '/work/dump.vcd', true],
  ['/work/**', '/work/run/one/dump.vcd', true],
  ['/work/**', '/workshop/run', false],
  ['/work/ru?', '/work/ru/', false],
  ['/a/**/c/*.x', '/a/b/c/d/c/e.x', true],
  ['/a/**/c/*.x', '/a/b/c/d/e.x', false],
  ['**/lib*/*.so', '/opt/tools/lib64/a.so', true],
  ['a+(b).[c]', '/x/a+(b).[c]', true],
];

test('patterns fit as they do in the agent', () => {
  for (const [pattern, path, fits] of cases)
    assert.equal(ruleFor(path, [{ pattern, how: 'save' }]), fits ? 'save' : undefined, `${pattern} and ${path}`);
});

test('the first rule that fits counts', () => {
  const rules = [
    { pattern: '/work/log/**', how: 'ignore' },
    { pattern: '*.log', how: 'check' },
  ] as const;
  assert.equal(ruleFor('/work/log/a.log', rules), 'ignore');
  assert.equal(ruleFor('/work/a.log', rules), 'check');
  assert.equal(ruleFor('/work/a.txt', rules), undefined);
});
