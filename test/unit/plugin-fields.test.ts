import assert from 'node:assert/strict';
import test from 'node:test';
import { withValue } from '../../debug-adapter/src/protocol/settings-value.js';
import {
  asText,
  type Field,
  fieldsOf,
  fromText,
  problemsAt,
  problemsElsewhere,
  unnamed,
  valueAt,
} from '../../webview-ui/src/settings/fields.js';

const schema = {
  type: 'object',
  required: ['server'],
  properties: {
    server: { type: 'string', title: 'Emulator', description: 'HOST:PORT' },
    slot: { type: ['integer', 'null'], minimum: 0, maximum: 3, default: 1, 'x-cairn-live': true },
    mode: { enum: ['keep', 'release', 3], enumDescriptions: ['as it is'] },
    trace: { type: 'boolean', default: true },
    files: { type: 'array', items: { type: 'string' } },
    limits: {
      type: 'object',
      properties: { seconds: { type: 'number', exclusiveMinimum: 0 }, weights: { type: 'array', items: { type: 'number' } } },
    },
    table: { type: 'array', items: { type: 'object' } },
    ports: { type: 'array', maxItems: 4, items: { $ref: '#/$defs/port' } },
    speed: { oneOf: [{ const: 1, title: 'slow' }, { const: 9 }] },
    tree: { $ref: '#/$defs/tree' },
  },
  $defs: {
    port: {
      type: 'object',
      title: 'Port',
      required: ['name'],
      properties: { name: { type: 'string' }, lanes: { $ref: '#/$defs/lanes' } },
    },
    lanes: { type: 'array', items: { type: 'object', properties: { width: { type: 'integer' } } } },
    tree: { type: 'object', properties: { deeper: { $ref: '#/$defs/tree' } } },
  },
};
const fields = fieldsOf(schema);
const field = (name: string): Field => {
  const found = fields.find(({ path }) => path[0] === name);
  assert.ok(found, name);
  return found;
};

test('each property of a schema is a field of the kind that fits its type', () => {
  const kinds = Object.fromEntries(fields.map(({ path, kind }) => [path.join('.'), kind]));
  assert.deepEqual(kinds, {
    server: 'text',
    slot: 'number',
    mode: 'choice',
    trace: 'check',
    files: 'lines',
    limits: 'group',
    table: 'json',
    ports: 'list',
    speed: 'choice',
    tree: 'group',
  });
  assert.deepEqual([field('server').label, field('server').help, field('server').required], ['Emulator', 'HOST:PORT', true]);
  assert.deepEqual([field('slot').label, field('slot').preset, field('slot').required], ['slot', '1', false]);
  assert.deepEqual(
    field('mode').choices.map(({ label, help }) => [label, help]),
    [
      ['keep', 'as it is'],
      ['release', ''],
      ['3', ''],
    ],
  );
  assert.deepEqual(field('limits').fields[0]?.path, ['limits', 'seconds']);
  assert.deepEqual(field('limits').fields[1]?.kind, 'lines');
  assert.deepEqual([field('slot').limits, field('limits').fields[0]?.limits], ['0 to 3', 'more than 0']);
  assert.deepEqual(
    [field('slot').live, field('server').live, field('server').isText, field('slot').isText],
    [true, false, true, false],
  );
  assert.deepEqual(
    field('speed').choices.map(({ value, label }) => [value, label]),
    [
      [1, 'slow'],
      [9, '9'],
    ],
  );
  const [name, lanes] = field('ports').item(2);
  assert.deepEqual([name?.path, name?.required, lanes?.kind], [['ports', '2', 'name'], true, 'list']);
  assert.deepEqual(lanes?.item(0)[0]?.path, ['ports', '2', 'lanes', '0', 'width']);
  assert.equal(field('ports').limits, 'so many at most: 4');
  // One that names itself ends as JSON.
  let deepest = field('tree');
  while (deepest.kind === 'group') deepest = deepest.fields[0] as Field;
  assert.equal(deepest.kind, 'json');
  assert.deepEqual(fieldsOf({ type: 'object' }), []);
});

test('what is typed becomes a value of the type, or stays text for the schema to complain of', () => {
  assert.equal(fromText(field('slot'), '12'), 12);
  assert.equal(fromText(field('slot'), 'twelve'), 'twelve');
  assert.equal(fromText(field('slot'), ' '), undefined);
  assert.equal(fromText(field('server'), ''), undefined);
  assert.equal(fromText(field('mode'), '3'), 3);
  assert.equal(fromText(field('mode'), ''), undefined);
  assert.deepEqual(fromText(field('files'), 'a\nb c'), ['a', 'b c']);
  assert.deepEqual(fromText(field('limits').fields[1] as Field, '1.5\n2 many'), [1.5, 2, 'many']);
  assert.equal(fromText(field('speed'), 'slow'), 1);
  assert.deepEqual(fromText(field('table'), '[{"a": 1}]'), [{ a: 1 }]);
  assert.equal(fromText(field('table'), '[{'), '[{');
});

test('a value is shown as it would be typed', () => {
  for (const [name, text] of [
    ['slot', '12'],
    ['server', 'emulator:4100'],
    ['mode', '3'],
    ['files', 'a\nb'],
  ] as const)
    assert.equal(asText(field(name).kind, fromText(field(name), text)), text);
  assert.equal(asText('lines', 7), '7');
  assert.equal(asText('text', undefined), '');
});

test('settings change at one place, and keep what they have elsewhere', () => {
  const settings = { server: 'a', limits: { seconds: 3 }, other: [1] };
  assert.deepEqual(withValue(settings, ['limits', 'seconds'], 4), { server: 'a', limits: { seconds: 4 }, other: [1] });
  assert.deepEqual(withValue(settings, ['limits', 'seconds'], undefined), { server: 'a', other: [1] });
  assert.deepEqual(withValue(settings, ['slot'], 2), { ...settings, slot: 2 });
  assert.deepEqual(withValue(settings, [], { slot: 2 }), { slot: 2 });
  assert.deepEqual(Object.keys(withValue(settings, ['server'], 'b')), ['server', 'limits', 'other']);
  assert.equal(valueAt(settings, ['limits', 'seconds']), 3);
  assert.equal(valueAt(settings, ['server', 'length']), undefined);
  assert.equal(valueAt({}, ['constructor']), undefined);
  assert.deepEqual(unnamed(settings, fields), ['other']);
});

test('elements of lists change by their numbers', () => {
  const settings = { ports: [{ name: 'a' }, { name: 'b', lanes: [{ width: 8 }] }] };
  assert.deepEqual(withValue(settings, ['ports', '1', 'lanes', '0', 'width'], 4).ports, [
    { name: 'a' },
    { name: 'b', lanes: [{ width: 4 }] },
  ]);
  assert.deepEqual(withValue(settings, ['ports', '0', 'name'], undefined), { ports: [{}, settings.ports[1]] });
  assert.deepEqual(withValue(settings, ['ports', '0'], undefined), { ports: [settings.ports[1]] });
  assert.deepEqual(withValue(settings, ['ports', '1', 'lanes', '0'], undefined).ports, [{ name: 'a' }, { name: 'b' }]);
  assert.deepEqual(withValue({ ports: [{}] }, ['ports', '0'], undefined), {});
  assert.deepEqual(withValue(settings, ['ports', '2', 'name'], 'c').ports, [...settings.ports, { name: 'c' }]);
  assert.equal(valueAt(settings, ['ports', '1', 'lanes', '0', 'width']), 8);
});

test('a problem stands at its field, and what has none is not lost', () => {
  const problems = [
    { path: ['slot'], message: 'must be >= 0' },
    { path: ['limits', 'seconds'], message: 'must be number' },
    { path: ['table', '0', 'x'], message: 'is no setting of this plugin' },
    { path: ['ports', '1', 'name'], message: 'is required' },
    { path: ['ports', '1', 'what'], message: 'is no setting of this plugin' },
    { path: ['other'], message: 'is no setting of this plugin' },
    { path: [], message: 'must be object' },
  ];
  assert.deepEqual(problemsAt(problems, field('ports').item(1)[0] as Field), ['is required']);
  assert.deepEqual(problemsAt(problems, field('ports')), ['1.what is no setting of this plugin']);
  assert.deepEqual(problemsAt(problems, field('slot')), ['must be >= 0']);
  assert.deepEqual(problemsAt(problems, field('limits')), []);
  assert.deepEqual(problemsAt(problems, field('limits').fields[0] as Field), ['must be number']);
  assert.deepEqual(problemsAt(problems, field('table')), ['0.x is no setting of this plugin']);
  assert.deepEqual(
    problemsElsewhere(problems, fields).map(({ path }) => path),
    [['other'], []],
  );
});
