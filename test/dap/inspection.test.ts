import assert from 'node:assert/strict';
import test from 'node:test';
import { Inspection } from '../../debug-adapter/src/dap/inspection.js';
import { dapThreads } from '../../debug-adapter/src/dap/threads.js';
import { bothNames, nameAndValue, Variables } from '../../debug-adapter/src/dap/variables.js';
import type { TableKind, TableRow } from '../../debug-adapter/src/protocol/control.js';
import { CairnError } from '../../debug-adapter/src/protocol/errors.js';
import { vvp } from '../unit/snapshots.js';

const row = (virtualPid: number, virtual: string, real: string, given: Partial<TableRow> = {}): TableRow => ({
  virtualPid,
  virtual,
  real,
  before: '',
  owner: 'pid',
  detail: '',
  since: '',
  ...given,
});

test('a process is its first thread; the others follow it, by their virtual ids', () => {
  const rows = [row(4711, '4713', '9'), row(4711, '4711', '5'), row(4711, '4712', '7'), row(4720, '4720', '8')];
  assert.deepEqual(
    dapThreads([vvp(4711), vvp(4720, { executable: '/opt/Vtop' })], rows).map(({ id, name }) => [id, name]),
    [
      [4711, 'vvp · 4711'],
      [4712, 'vvp · 4711 · thread 4712'],
      [4713, 'vvp · 4711 · thread 4713'],
      [4720, 'Vtop · 4720'],
    ],
  );
});

test('a process whose threads are not known is there all the same', () => {
  assert.deepEqual(dapThreads([vvp(4711)], []), [{ id: 4711, name: 'vvp · 4711', virtualPid: 4711 }]);
});

test('the real name stands beside the virtual one where they differ', () => {
  assert.equal(bothNames(row(1, '4711', '5190')), '4711 → real 5190');
  assert.equal(bothNames(row(1, '4711', '4711')), '4711');
  assert.equal(bothNames(row(1, '/a', '')), '/a → real (none)');
});

test('each kind of table says what is worth saying of a row', () => {
  assert.deepEqual(nameAndValue('pid', row(1, '4711', '5190', { detail: 'process' })), {
    name: 'process',
    value: '4711 → real 5190',
  });
  assert.deepEqual(nameAndValue('thread', row(1, '4712', '5191', { detail: 'vvp S' })), {
    name: 'thread 4712',
    value: '4712 → real 5191 (vvp S)',
  });
  assert.deepEqual(nameAndValue('path', row(1, '/w/a.vcd', '/runs/1/a.vcd')), {
    name: '/w/a.vcd',
    value: '/w/a.vcd → real /runs/1/a.vcd',
  });
  assert.deepEqual(nameAndValue('env', row(1, 'HOME', '/home/ada')), { name: 'HOME', value: '/home/ada' });
  assert.deepEqual(nameAndValue('fd', row(1, '3', '/w/a.vcd', { detail: 'file, write, offset 74' })), {
    name: '3',
    value: '/w/a.vcd (file, write, offset 74)',
  });
});

const tables: Partial<Record<TableKind, TableRow[]>> = {
  pid: [
    row(4711, '4711', '5190', { before: '4711', detail: 'process' }),
    row(4711, '4711', '5190', { detail: 'group' }),
    row(4711, '9', '9', { detail: 'group' }),
    row(4720, '4720', '4720'),
  ],
  thread: [row(4711, '4712', '5191', { detail: 'vvp S' })],
  env: [row(4711, 'HOME', '/home/ada', { owner: 'env' })],
};

test('a scope a table, a variable a row of the process that was asked for, its fields below', async () => {
  const variables = new Variables((kind) => Promise.resolve(tables[kind] ?? []));
  const scopes = variables.scopes(4711);
  assert.deepEqual(
    scopes.map(({ name }) => name),
    ['Virtual ids', 'Paths', 'Environment', 'File descriptors', 'Connections', 'Of plugins'],
  );
  const ids = await variables.children(scopes[0]?.variablesReference ?? 0);
  assert.deepEqual(
    ids?.map(({ name, value, type }) => ({ name, value, type })),
    [
      { name: 'process', value: '4711 → real 5190', type: 'pid' },
      { name: 'group', value: '4711 → real 5190', type: 'pid' },
      { name: 'group [2]', value: '9', type: 'pid' },
      { name: 'thread 4712', value: '4712 → real 5191 (vvp S)', type: 'pid' },
    ],
  );
  const fields = await variables.children(ids?.[0]?.variablesReference ?? 0);
  assert.deepEqual(
    fields?.map(({ name, value }) => `${name}: ${value}`),
    ['virtual: 4711', 'real: 5190', 'real before the last restart: 4711', 'plugin: pid', 'detail: process'],
  );
  assert.ok(fields?.every(({ variablesReference }) => variablesReference === 0));
  const env = await variables.children(scopes[2]?.variablesReference ?? 0);
  assert.deepEqual(
    env?.map(({ name, value }) => ({ name, value })),
    [{ name: 'HOME', value: '/home/ada' }],
  );
  assert.deepEqual(await variables.children(scopes[1]?.variablesReference ?? 0), []);
});

test('numbers of variables end when the computation goes on, and are not given out again', async () => {
  const variables = new Variables((kind) => Promise.resolve(tables[kind] ?? []));
  const [old] = variables.scopes(4711);
  assert.ok(old);
  variables.reset();
  assert.equal(await variables.children(old.variablesReference), undefined);
  const [fresh] = variables.scopes(4711);
  assert.ok(fresh && fresh.variablesReference > old.variablesReference);
});

test('frames are there only while the computation is held; scopes are answered while it runs, too', async () => {
  const subject = { processes: [vvp(4711)], stopped: false, threadRows: () => Promise.resolve([row(4711, '4712', '6')]) };
  const handlers = new Map(new Inspection(subject, () => Promise.resolve([])).handlers());
  const ask = (name: string, args: object) =>
    Promise.resolve(handlers.get(name)?.(args)) as Promise<
      Record<string, { id: number; name: string; presentationHint: string }[]>
    >;
  assert.deepEqual((await ask('stackTrace', { threadId: 4712 }))['stackFrames'], []);
  assert.equal((await ask('scopes', { frameId: 4711 }))['scopes']?.length, 6);
  subject.stopped = true;
  const [frame] = (await ask('stackTrace', { threadId: 4712 }))['stackFrames'] ?? [];
  assert.deepEqual([frame?.id, frame?.name, frame?.presentationHint], [4712, 'held · vvp · 4711 · thread 4712', 'label']);
  await assert.rejects(ask('stackTrace', { threadId: 99 }), (error) => error instanceof CairnError && error.number === 704);
});

test('of many threads the frames and scopes are told by one look at all processes', async () => {
  const processes = Array.from({ length: 200 }, (_, index) => vvp(1000 + index));
  let looks = 0;
  const inspection = new Inspection(
    {
      processes,
      stopped: true,
      threadRows: async () => {
        looks++;
        return processes.map(({ virtualPid }) => row(virtualPid, `${virtualPid}`, '1'));
      },
    },
    async () => [],
  );
  const handlers = new Map(inspection.handlers());
  const ask = async (name: string, args: object): Promise<unknown> => handlers.get(name)?.(args);
  await ask('threads', {});
  for (const { virtualPid } of processes) {
    const { stackFrames } = (await ask('stackTrace', { threadId: virtualPid })) as { stackFrames: { id: number }[] };
    await ask('scopes', { frameId: stackFrames[0]?.id });
  }
  assert.equal(looks, 1);
  // Who has ended since is looked for, and is not there.
  processes.pop();
  await assert.rejects(ask('scopes', { frameId: 1199 }), CairnError);
  inspection.reset();
  await ask('scopes', { frameId: 1000 });
  assert.equal(looks, 3);
});
