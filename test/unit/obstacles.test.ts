import assert from 'node:assert/strict';
import { test } from 'node:test';
import { descriptorKind, mappedDevices, mappedFile, obstaclesOf, otherIds } from '../../debug-adapter/src/platform/obstacles.js';

test('descriptors of which no state can be read are told by their links', () => {
  for (const [link, kind] of [
    ['anon_inode:[userfaultfd]', /userfaultfd/],
    ['anon_inode:[perf_event]', /perf/],
    ['anon_inode:[fanotify]', /fanotify/],
    ['anon_inode:bpf-map', /bpf/],
    ['anon_inode:kvm-vm', /kvm/],
    ['/dev/vfio/12', /vfio/],
    ['/dev/infiniband/uverbs0', /RDMA/],
  ] as const)
    assert.match(descriptorKind(link)?.what ?? '', kind);
  for (const link of [
    'anon_inode:[eventpoll]',
    'anon_inode:[io_uring]',
    'pipe:[1]',
    'socket:[2]',
    '/dev/null',
    '/dev/pts/3',
    '/home/kvm',
  ])
    assert.equal(descriptorKind(link), undefined, link);
});

test('mapped devices are named once; shared memory in /dev is none', () => {
  const line = (path: string): string => `7f0000000000-7f0000001000 rw-s 00000000 00:06 1 ${path}`;
  const maps = ['/dev/mem', '/dev/mem', '/dev/shm/x', '/dev/zero (deleted)', '/dev/vfio/1', '/usr/lib/x.so'].map(line).join('\n');
  assert.deepEqual(
    mappedDevices(maps, () => true),
    ['/dev/mem', '/dev/vfio/1'],
  );
  assert.deepEqual(
    mappedDevices(maps, () => false),
    [],
  );
});

test('nothing is against an ordinary process, nor against one that has gone', () => {
  assert.deepEqual(obstaclesOf(process.pid, new Set()), []);
  assert.deepEqual(obstaclesOf(0x3fffff, new Set()), []);
});

test('ids that a restart could not give back are told; those of everybody else are not', () => {
  const status = (uid: string, gid: string): string => `Name:\tx\nUid:\t${uid}\nGid:\t${gid}\n`;
  assert.equal(otherIds(status('7\t7\t7\t7', '8\t8\t8\t8'), 7), undefined);
  assert.equal(otherIds(status('7\t7\t7\t7', '8\t8\t8\t8'), undefined), undefined);
  assert.match(otherIds(status('7\t7\t7\t7', '8\t8\t8\t8'), 0) ?? '', /user ids 7, 7, 7, 7/);
  assert.match(otherIds(status('7\t7\t0\t7', '8\t8\t8\t8'), 7) ?? '', /user ids 7, 7, 0, 7/);
  assert.match(otherIds(status('7\t7\t7\t7', '8\t9\t8\t8'), 7) ?? '', /group ids 8, 9, 8, 8/);
  assert.equal(otherIds('', 7), undefined, 'it has gone');
});

test('the file of an address is found in the text of a file maps', () => {
  const maps = '1000-2000 r-xp 00000000 00:06 1      /usr/a b\n2000-3000 rw-p 00000000 00:00 0 \n';
  assert.equal(mappedFile(maps, 0x1fffn), '/usr/a b');
  assert.equal(mappedFile(maps, 0x2000n), '');
  assert.equal(mappedFile(maps, 0x3000n), '');
});
