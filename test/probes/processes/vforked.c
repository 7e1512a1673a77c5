// A parent that waits in vfork: its child runs on the parent's memory until it executes a program. Checkpoints come while pairs of
// the two are there all the time; the parent never goes on before its child has let it.
// sabotage: poke @cell
// churn: maps threads fds SigPnd ShdPnd SigBlk
#include "../probe.h"
#include <sys/wait.h>

static volatile int stop, rounds;
static uint64_t cell = 3;

static void *body(void *argument) {
  while (!stop) {
    static volatile int marks[2];
    volatile int *mark = &marks[(long)argument];
    *mark = 0;
    pid_t child = vfork();
    if (child == 0) {
      struct timespec nap = {0, 20000000};
      syscall(SYS_nanosleep, &nap, NULL);
      *mark = 1;
      char *arguments[] = {"true", NULL};
      execve("/bin/true", arguments, environ);
      _exit(9);
    }
    CHECK(child > 0 && *mark == 1, "the parent went on before its child");
    int status;
    CHECK(waitpid(child, &status, 0) == child && status == 0, "status %x", status);
    __atomic_fetch_add(&rounds, 1, __ATOMIC_SEQ_CST);
  }
  return NULL;
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  probe_note("cell", (uint64_t)(uintptr_t)&cell);
  pthread_t threads[2];
  for (long i = 0; i < 2; i++) pthread_create(&threads[i], NULL, body, (void *)i);
  probe_hold();
  CHECK(cell == 3, "a static value");
  int before = rounds;
  WAIT_UNTIL(rounds > before + 2, "nobody forks any more");
  stop = 1;
  for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
  return probe_ok();
}
