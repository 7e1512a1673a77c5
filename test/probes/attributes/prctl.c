// What prctl(2) and others set for a thread or a process: the signal at the parent's death, time slack of each thread, I/O priority, the
// mode at memory errors, the time-stamp counter, speculation, and kept capabilities.
// attached: not known: what a thread alone was told by prctl before
// sabotage: call prctl 1 0
#include "../probe.h"
#include <sys/prctl.h>
#include <sys/wait.h>
#ifndef PR_SET_MEMORY_MERGE
#define PR_SET_MEMORY_MERGE 67
#define PR_GET_MEMORY_MERGE 68
#endif

static volatile int stop;
static volatile long slack;
static void *body(void *argument) {
  prctl(PR_SET_TIMERSLACK, 77777UL);
  slack = -1;
  while (!stop) probe_sleep_ms(2);
  slack = prctl(PR_GET_TIMERSLACK);
  return argument;
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  CHECK(prctl(PR_SET_PDEATHSIG, SIGUSR1) == 0, "PR_SET_PDEATHSIG");
  CHECK(syscall(SYS_ioprio_set, 1, 0, 2 << 13 | 6) == 0, "ioprio_set");
  CHECK(prctl(PR_MCE_KILL, PR_MCE_KILL_SET, PR_MCE_KILL_EARLY, 0, 0) == 0, "PR_MCE_KILL");
  int merges = prctl(PR_SET_MEMORY_MERGE, 1, 0, 0, 0) == 0;
  int keeps = prctl(PR_SET_KEEPCAPS, 1) == 0;
  pthread_t thread;
  pthread_create(&thread, NULL, body, NULL);
  WAIT_UNTIL(slack == -1, "the thread");
  int ready[2], go[2];
  CHECK(pipe(ready) == 0 && pipe(go) == 0, "pipe");
  // Whose parent ends after the restart: the kernel then sends it what it asked for.
  pid_t middle = fork();
  if (middle == 0) {
    probe_end_with_parent();
    if (fork() == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      char byte = 0;
      if (write(ready[1], &byte, 1) == 1)
        for (;;) pause();
    }
    close(ready[1]);
    char byte;
    _exit(read(go[0], &byte, 1) == 1 ? 0 : 1);
  }
  close(ready[1]);
  char byte;
  CHECK(read(ready[0], &byte, 1) == 1, "the grandchild");
  probe_hold();
  int number = 0;
  CHECK(prctl(PR_GET_PDEATHSIG, &number) == 0 && number == SIGUSR1, "the signal at the parent's death is %d", number);
  CHECK(syscall(SYS_ioprio_get, 1, 0) == (2 << 13 | 6), "I/O priority is %lx", syscall(SYS_ioprio_get, 1, 0));
  CHECK(prctl(PR_MCE_KILL_GET, 0, 0, 0, 0) == PR_MCE_KILL_EARLY, "PR_MCE_KILL_GET");
  if (merges) CHECK(prctl(PR_GET_MEMORY_MERGE, 0, 0, 0, 0) == 1, "PR_GET_MEMORY_MERGE");
  if (keeps) CHECK(prctl(PR_GET_KEEPCAPS) == 1, "PR_GET_KEEPCAPS");
  stop = 1;
  pthread_join(thread, NULL);
  CHECK(slack == 77777, "time slack of a thread is %ld", slack);
  CHECK(write(go[1], "x", 1) == 1, "write");
  int status;
  CHECK(waitpid(middle, &status, 0) == middle && status == 0, "the child ended with %x", status);
  // The other end is closed by the grandchild's death alone.
  CHECK(read(ready[0], &byte, 1) == 0, "the grandchild lives on");
  return probe_ok();
}
