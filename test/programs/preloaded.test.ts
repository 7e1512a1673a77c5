/** Programs that come with a preloaded library of their own, which is behind Cairn's in the order in which functions are found. */
import { mkdirSync } from 'node:fs';
import { programTest, untilCheckpointed } from './program-under-cairn.js';

programTest({
  name: 'fakeroot: owners and devices that only its daemon knows, over System V messages',
  command: [
    'fakeroot',
    'sh',
    '-c',
    `for n in $(seq 8); do
       touch file$n; chown $n:$n file$n; mknod device$n c 1 $n
       stat -c '%n %u %g' file$n; stat -c '%n %t %T' device$n; ls -ld file$n | cut -d' ' -f3; sleep 0.1
     done
     ${untilCheckpointed}
     id -u; stat -c '%n %u %F' file* device*`,
  ],
  needs: ['fakeroot'],
  prepare: (folder) => void mkdirSync(folder, { recursive: true }),
  begun: /^file1 1 1/,
  waits: true,
  latest: 0.5,
  reopens: true,
});

programTest({
  name: 'stdbuf: the buffers of a program set by a library of its own',
  command: [
    'sh',
    '-c',
    `(for n in $(seq 60); do echo $n; sleep 0.02; done; ${untilCheckpointed}; echo end) | stdbuf -oL sed 's/$/ x/'`,
  ],
  needs: ['stdbuf'],
  prepare: (folder) => void mkdirSync(folder, { recursive: true }),
  begun: /^3 x/,
  waits: true,
});
