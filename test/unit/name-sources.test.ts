import assert from 'node:assert/strict';
import { test } from 'node:test';
import { liveSources, snapshotSources } from '../../extension/src/views/nameSources.js';
import { status, summary, vvp } from './snapshots.js';

test('each live process is a source of its own', () => {
  const sources = liveSources(status({ processes: [vvp(4711), vvp(4720, { executable: '/bin/sh' })] }));
  assert.deepEqual(
    sources.map(({ id, label }) => [id, label]),
    [
      ['live soc/4711', 'soc: vvp · 4711'],
      ['live soc/4720', 'soc: sh · 4720'],
    ],
  );
});

test('a snapshot of several processes is as many sources; one of one process is called as the snapshot is', () => {
  const [one, ...none] = snapshotSources('/s', summary({ id: 'a', name: 'reset' }));
  assert.deepEqual([one?.label, none], ['reset (soc)', []]);
  const processes = [
    { virtualPid: 4711, executable: '/usr/bin/vvp' },
    { virtualPid: 4720, executable: '/bin/sh' },
  ];
  assert.deepEqual(
    snapshotSources('/s', summary({ id: 'a', name: 'reset', processes })).map(({ id, label, virtualPid }) => [
      id,
      label,
      virtualPid,
    ]),
    [
      ['snapshot /s/a/4711', 'reset (soc): vvp · 4711', 4711],
      ['snapshot /s/a/4720', 'reset (soc): sh · 4720', 4720],
    ],
  );
});
