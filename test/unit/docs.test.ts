/** The manual of the plugin interface: made of the header, and not where something is missing there; and the list of our own plugins. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { builtInPlugins } from '../../debug-adapter/src/model/plugin-check.js';
import { renderManual } from '../../scripts/docs.mjs';
import { inTree } from '../support/tree.js';

const header = readFileSync(inTree('native-agent/include/cairn/plugin.h'), 'utf8');
const examples = readFileSync(inTree('native-agent/tests/abi/examples.c'), 'utf8');

test('each function of the host and of a plugin has a section with its context and an example', () => {
  const manual: string = renderManual(header, examples);
  for (const struct of ['cairn_host', 'cairn_plugin']) {
    const body = new RegExp(`struct ${struct} \\{([\\s\\S]*?)\\n\\};`).exec(header)?.[1] ?? '';
    const names = [...body.matchAll(/\(\*(\w+)\)\([^;]*;/g)].map(([, name]) => name ?? '');
    assert.ok(names.length > 3);
    for (const name of names) {
      const section = manual.split('\n### ').find((one) => one.split('\n')[0]?.includes(`\`${name}\``));
      assert.match(section ?? '', /Context: \*\*[^*]+\*\*/, name);
      assert.ok((section ?? '').split('```c').length > 2, `${name} has no example`);
    }
  }
  for (const [, event] of header.matchAll(/(CAIRN_EVENT_\w+) = \d+/g))
    assert.match(manual, new RegExp(`\\| \`${event}\` \\| (up|down|to one|to its plugin) \\|`));
});

for (const [what, change, problem] of [
  ['an example', [examples.replace('/*! log */', '/*! */'), header], /log has no example/],
  [
    'a context',
    [examples, header.replace('/* [any] To the session', '/* To the session')],
    /log: the comment does not begin with a context/,
  ],
  ['a comment', [examples, header.replace(/\/\* \[any\] To the session.*\*\//, '')], /log: no comment says what it does/],
] as const) {
  test(`a function without ${what} is refused`, () => {
    assert.throws(() => renderManual(change[1], change[0]), problem);
  });
}

test('each plugin of ours is in the list of resources, in the order of its layer', () => {
  const order = [...readFileSync(inTree('native-agent/src/events/builtin.cc'), 'utf8').matchAll(/&cairn_plugin_(\w+)/g)];
  const listed = readFileSync(inTree('docs/plugins.md'), 'utf8').matchAll(/^\| (\d+) \| `(\w+)` \|/gm);
  assert.deepEqual(
    [...listed].map(([, layer, name]) => [Number(layer), name]),
    order.map(([, name], layer) => [layer, name]),
  );
  assert.deepEqual(order.map(([, name]) => name ?? '').sort(), [...builtInPlugins].sort());
});
