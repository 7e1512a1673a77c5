/** gdb debugging a program, both within the computation: at breakpoints, stepping, with a watchpoint, with threads, and while it runs. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { programTest, untilCheckpointed } from './program-under-cairn.js';

const command = ['gdb', '-q', '-nx', '-batch', '-x', 'commands', './program'];
const needs = ['gdb', 'gcc'];

const prepare =
  (source: string, commands: string) =>
  (folder: string): void => {
    writeFileSync(join(folder, 'program.c'), source);
    writeFileSync(join(folder, 'commands'), `set pagination off\nset width 0\nset breakpoint pending off\n${commands}`);
    // One name for all folders, so that what gdb prints is the same.
    execFileSync('gcc', ['-g', '-O0', '-pthread', '-ffile-prefix-map=.=/program', '-o', 'program', 'program.c'], { cwd: folder });
  };

/** What differs from run to run: numbers of threads, and which of them gdb tells of when. */
const normal = (stdout: string): string =>
  stdout
    .split('\n')
    .filter((line) => !/^\[(New Thread|New process|Thread .* exited|Switching)/.test(line))
    .map((line) => line.replaceAll(/process \d+/g, 'process N').replaceAll(/\(LWP \d+\)/g, '(LWP N)'))
    .join('\n')
    .replaceAll(/\S*\/program(?=\s|$)/g, 'program');

programTest({
  name: 'gdb: breakpoints, steps and a watchpoint',
  command,
  needs,
  prepare: prepare(
    `#include <stdio.h>
#include <unistd.h>
static int total;
static void take_step(int i) {
  usleep(3000);
  total += i;
}
int main(void) {
  for (int i = 0; i < 60; i++) take_step(i);
  printf("total %d\\n", total);
  return total & 63;
}
`,
    `break take_step
run
echo begun\\n
set $round = 0
while $round < 20
  print i
  next
  stepi
  next
  print total
  continue
  set $round = $round + 1
end
watch total
continue
continue
backtrace
info breakpoints
shell ${untilCheckpointed}
delete
continue
print $_exitcode
`,
  ),
  begun: /^begun$/m,
  waits: true,
  normal,
});

programTest({
  name: 'gdb: a program with threads, stopped and running',
  command,
  needs,
  prepare: prepare(
    `#include <pthread.h>
#include <stdio.h>
#include <unistd.h>
static volatile int stop, rounds[3];
static void *work(void *which) {
  while (!stop) {
    usleep(500);
    ++rounds[(long)which];
  }
  return which;
}
static void meet(int round) {
  int before[3];
  for (int i = 0; i < 3; i++) before[i] = rounds[i];
  for (int i = 0; i < 3; i++)
    while (rounds[i] < before[i] + 5) usleep(500);
  (void)round;
}
int main(void) {
  pthread_t threads[3];
  for (long i = 0; i < 3; i++) pthread_create(&threads[i], NULL, work, (void *)i);
  for (int round = 0; round < 40; round++) meet(round);
  stop = 1;
  for (int i = 0; i < 3; i++) pthread_join(threads[i], NULL);
  puts("all met");
  return 7;
}
`,
    `break meet
run
echo begun\\n
set $number = 0
while $number < 25
  print round
  print $_inferior_thread_count
  continue
  set $number = $number + 1
end
shell ${untilCheckpointed}
delete
continue
print $_exitcode
`,
  ),
  begun: /^begun$/m,
  waits: true,
  normal,
});
