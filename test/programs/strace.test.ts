/** strace following a shell and its children: they are stopped before and after each system call, all the time. */
import { readFileSync } from 'node:fs';
import { programTest, untilCheckpointed } from './program-under-cairn.js';

programTest({
  name: 'strace: a shell and the programs that it starts',
  command: [
    'strace',
    '-f',
    '-qq',
    '-o',
    'trace',
    '-e',
    'trace=chdir',
    'bash',
    '-c',
    `echo begun; for i in 1 2 3 4 5 6 7 8 9 10; do read -t 0.1 <> <(:); cd /; sum=$(seq $i 40 | wc -l); cd - > /dev/null; echo "round $i: $sum"; done; ${untilCheckpointed}; exit 3`,
  ],
  needs: ['strace'],
  begun: /^begun$/m,
  waits: true,
  status: 3,
  result: (find) => String(readFileSync(find('trace'), 'utf8').match(/chdir\("\/"\)\s+= 0/g)?.length),
});
